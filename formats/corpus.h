// corpus/1: the articles, one row each, and the entities that were linked in them.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Corpus {
  static constexpr const char* kind = "corpus/1";

  Strings id;                     // [n] the publisher's article ids, unique
  Array<int32_t> category;        // [n] row of category_name, -1 when unknown
  Array<int32_t> subcategory;     // [n] row of subcategory_name, -1 when unknown
  Strings title, abstract, body;  // [n] UTF-8, may be empty
  Strings url;                    // [n] may be empty
  Array<int64_t> published;       // [n] seconds since 1970-01-01T00:00:00Z, -1 when unknown
  Strings category_name;          // names, unique, in order of first appearance
  Strings subcategory_name;
  Strings entity_id;     // [e] ids of all linked entities, unique, in order of first appearance
  Strings entity_label;  // [e] a name for people to read, may be empty
  Strings type_name;     // entity types ("P", "G", ...), unique, in order of first appearance

  // Links of article i are link_entity[i] and the same range of the flat columns below. As ingested there is one
  // link per field an entity occurs in; entity-link-filter merges them into one link per entity.
  Ragged<int32_t> link_entity;    // rows of entity_id
  Array<int32_t> link_type;       // row of type_name, -1 when unknown
  Array<uint8_t> link_position;   // 0 title, 1 body (abstract and body)
  Array<int32_t> link_frequency;  // occurrences, at least 1
  Array<int32_t> link_first;      // first occurrence, in code points from the start of its field, -1 when unknown
  Array<float> link_confidence;   // the linker's confidence, 0 to 1

  int64_t size() const { return id.size(); }

  template <class Self, class Visit>
  static void columns(Self& c, Visit&& visit) {
    visit("id", c.id);
    visit("category", c.category);
    visit("subcategory", c.subcategory);
    visit("title", c.title);
    visit("abstract", c.abstract);
    visit("body", c.body);
    visit("url", c.url);
    visit("published", c.published);
    visit("category_name", c.category_name);
    visit("subcategory_name", c.subcategory_name);
    visit("entity_id", c.entity_id);
    visit("entity_label", c.entity_label);
    visit("type_name", c.type_name);
    visit("link_entity", c.link_entity);
    visit("link_type", c.link_type);
    visit("link_position", c.link_position);
    visit("link_frequency", c.link_frequency);
    visit("link_first", c.link_first);
    visit("link_confidence", c.link_confidence);
  }

  std::string problem() const {
    return first_problem({same_length({{"id", id.size()},
                                       {"category", category.size()},
                                       {"subcategory", subcategory.size()},
                                       {"title", title.size()},
                                       {"abstract", abstract.size()},
                                       {"body", body.size()},
                                       {"url", url.size()},
                                       {"published", published.size()},
                                       {"link_entity", link_entity.size()}}),
                          same_length({{"entity_id", entity_id.size()}, {"entity_label", entity_label.size()}}),
                          same_length({{"link_entity.values", link_entity.values.size()},
                                       {"link_type", link_type.size()},
                                       {"link_position", link_position.size()},
                                       {"link_frequency", link_frequency.size()},
                                       {"link_first", link_first.size()},
                                       {"link_confidence", link_confidence.size()}}),
                          unique("id", id), unique("category_name", category_name),
                          unique("subcategory_name", subcategory_name), unique("entity_id", entity_id),
                          unique("type_name", type_name), within("category", category, -1, category_name.size()),
                          within("subcategory", subcategory, -1, subcategory_name.size()),
                          within("link_entity.values", link_entity.values, 0, entity_id.size()),
                          within("link_type", link_type, -1, type_name.size()),
                          within("link_position", link_position, 0, 2),
                          within("link_frequency", link_frequency, 1, INT32_MAX),
                          within("link_first", link_first, -1, INT32_MAX), confidences()});
  }

 private:
  std::string confidences() const {
    for (int64_t i = 0; i < link_confidence.size(); ++i)
      if (!(link_confidence[i] >= 0 && link_confidence[i] <= 1))
        return "link_confidence row " + std::to_string(i + 1) + " is not between 0 and 1";
    return "";
  }
};

}  // namespace nd
