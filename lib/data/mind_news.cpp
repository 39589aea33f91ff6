#include <functional>
#include <string_view>
#include <vector>

#include "lib/data/interner.h"
#include "lib/data/mind.h"
#include "lib/data/table.h"
#include "lib/io/json.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

enum Column : size_t {
  kId,
  kCategory,
  kSubcategory,
  kTitle,
  kAbstract,
  kUrl,
  kTitleEntities,
  kAbstractEntities,
  kBody,
  kBodyEntities,
  kColumns
};

std::vector<TableColumn> news_columns() {
  using enum TableColumn::Presence;
  return {{{"news_id", "newsid", "nid", "article_id", "id"}, required},
          {{"category", "cat"}, optional},
          {{"subcategory", "sub_category", "subcat"}, optional},
          {{"title"}, required},
          {{"abstract"}, optional},
          {{"url"}, optional},
          {{"title_entities"}, optional},
          {{"abstract_entities"}, optional},
          {{"body"}, only_named},
          {{"body_entities"}, only_named}};
}

// One element of an entity column; the texts live in the parser that read it.
struct Mention {
  std::string_view id, label, type;
  float confidence = 0;
  int32_t frequency = 1, first = -1;
};

Mention mention_of(const json::Node& element) {
  Mention m;
  json::Node value;
  if (!element.find("WikidataId", value) || !value.get(m.id) || m.id.empty())
    throw Error("an entity has no WikidataId");
  double confidence;
  if (!element.find("Confidence", value) || !value.get(confidence) || !(confidence >= 0 && confidence <= 1))
    throw Error("an entity has no Confidence between 0 and 1");
  m.confidence = static_cast<float>(confidence);
  if (element.find("Label", value)) value.get(m.label);
  if (element.find("Type", value)) value.get(m.type);
  if (element.find("OccurrenceOffsets", value)) {
    int64_t count = 0, first = INT32_MAX;
    value.each([&](const json::Node& node) {
      int64_t offset;
      if (!node.get(offset) || offset < 0 || offset >= INT32_MAX) throw Error("an OccurrenceOffset is not an offset");
      first = std::min(first, offset);
      ++count;
    });
    if (count > 0) {
      m.frequency = static_cast<int32_t>(count);
      m.first = static_cast<int32_t>(first);
    }
  }
  return m;
}

// An entity column, read as a whole before anything of its row is kept.
class MentionReader {
 public:
  void read(std::string_view text) {
    mentions.clear();
    if (text.empty() || text == "[]") return;
    const bool list =
        parser_.parse(text).each([&](const json::Node& element) { mentions.push_back(mention_of(element)); });
    if (!list) throw Error("expected a list of entities");
  }
  std::vector<Mention> mentions;

 private:
  json::Parser parser_;
};

class NewsReader {
 public:
  NewsReader(Skips& skips, MindNewsCounts& counts) : skips_(skips), counts_(counts) {}

  void read(const std::string& path) {
    TableReader table(path, news_columns());
    bool usable = false;
    while (table.next(skips_)) usable |= add(table);
    if (!usable) throw table.nothing_usable(skips_);
  }

  Corpus take() {
    std::vector<int64_t> published(category_.size(), -1);
    return {ids_.take(),
            std::move(category_),
            std::move(subcategory_),
            title_.take(),
            abstract_.take(),
            body_.take(),
            url_.take(),
            std::move(published),
            categories_.take(),
            subcategories_.take(),
            entities_.take(),
            labels(),
            types_.take(),
            link_entity_.take(),
            std::move(link_type_),
            std::move(link_position_),
            std::move(link_frequency_),
            std::move(link_first_),
            std::move(link_confidence_)};
  }

 private:
  // False when the row was skipped.
  bool add(TableReader& row) {
    if (row[kTitleEntities].starts_with("\"[") || row[kAbstractEntities].starts_with("\"[") ||
        row[kBodyEntities].starts_with("\"["))
      row.unquote();
    const std::string_view id = row[kId];
    if (id.empty() || id.find(' ') != std::string_view::npos)
      return skip(row, "an article id is empty or holds a blank");
    try {
      in_title_.read(row[kTitleEntities]);
      in_abstract_.read(row[kAbstractEntities]);
      in_body_.read(row[kBodyEntities]);
    } catch (const Error& e) {
      return skip(row, std::string("entities: ") + e.what());
    }

    const size_t content = hash(row);
    const int64_t known = ids_.size();
    const int32_t at = ids_.add(id);
    if (at < known) {
      if (content_[static_cast<size_t>(at)] != content)
        return skip(row, "an article id came before with other content");
      ++counts_.repeated;
      return true;
    }
    content_.push_back(content);
    category_.push_back(name_row(categories_, row[kCategory]));
    subcategory_.push_back(name_row(subcategories_, row[kSubcategory]));
    title_.push(row[kTitle]);
    abstract_.push(row[kAbstract]);
    body_.push(row[kBody]);
    url_.push(row[kUrl]);
    if (in_title_.mentions.empty() && in_abstract_.mentions.empty() && in_body_.mentions.empty())
      ++counts_.without_entities;
    link(in_title_, 0);
    link(in_abstract_, 1);
    link(in_body_, 1);
    link_entity_.end_row();
    return true;
  }

  bool skip(const TableReader& row, const std::string& cause) {
    skips_.skip(row.path(), row.row(), cause);
    return false;
  }

  // Of everything that is kept, to tell a repeated article from another one under its id.
  static size_t hash(const TableReader& row) {
    uint64_t h = 0;
    for (size_t c = 0; c < kColumns; ++c) h = Random::mix(h ^ std::hash<std::string_view>()(row[c]));
    return h;
  }

  static int32_t name_row(Vocabulary& names, std::string_view name) { return name.empty() ? -1 : names.add(name); }

  // The links of one field; mentions that name one entity twice become one.
  void link(const MentionReader& field, uint8_t position) {
    const size_t begin = link_type_.size();
    for (const Mention& m : field.mentions) {
      const int32_t entity = entities_.add(m.id);
      const auto e = static_cast<size_t>(entity);
      if (e == label_.size()) {
        label_.emplace_back();
        last_link_.push_back(SIZE_MAX);
      }
      if (label_[e].empty()) label_[e] = m.label;
      if (const size_t at = last_link_[e]; at != SIZE_MAX && at >= begin) {
        link_frequency_[at] += m.frequency;
        link_confidence_[at] = std::max(link_confidence_[at], m.confidence);
        if (m.first >= 0 && (link_first_[at] < 0 || m.first < link_first_[at])) link_first_[at] = m.first;
        continue;
      }
      last_link_[e] = link_type_.size();
      link_entity_.push(entity);
      link_type_.push_back(name_row(types_, m.type));
      link_position_.push_back(position);
      link_frequency_.push_back(m.frequency);
      link_first_.push_back(m.first);
      link_confidence_.push_back(m.confidence);
    }
  }

  Strings labels() const {
    StringsBuilder out;
    for (const std::string& l : label_) out.push(l);
    return out.take();
  }

  Skips& skips_;
  MindNewsCounts& counts_;
  MentionReader in_title_, in_abstract_, in_body_;

  Vocabulary ids_, categories_, subcategories_, entities_, types_;
  std::vector<uint64_t> content_;  // of each article
  std::vector<int32_t> category_, subcategory_;
  StringsBuilder title_, abstract_, body_, url_;
  std::vector<std::string> label_;  // of each entity: the first that is not empty
  std::vector<size_t> last_link_;   // of each entity
  RaggedBuilder<int32_t> link_entity_;
  std::vector<int32_t> link_type_;
  std::vector<uint8_t> link_position_;
  std::vector<int32_t> link_frequency_, link_first_;
  std::vector<float> link_confidence_;
};

}  // namespace

Corpus read_mind_news(std::span<const std::string> paths, Skips& skips, MindNewsCounts& counts) {
  NewsReader reader(skips, counts);
  for (const std::string& path : paths) reader.read(path);
  return reader.take();
}

}  // namespace nd
