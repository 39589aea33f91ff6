// kg/1: a knowledge graph, as triples of rows of two vocabularies.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Kg {
  static constexpr const char* kind = "kg/1";

  Strings entity_id;        // [e] unique, in order of first appearance (OpenKE's: as numbered there)
  Strings relation_id;      // [r] likewise
  Array<int32_t> head;      // [t] rows of entity_id
  Array<int32_t> relation;  // [t] rows of relation_id
  Array<int32_t> tail;      // [t] rows of entity_id
  Array<int64_t> split;     // [3] triples before split[0] train, before split[1] valid, before split[2] (= t) test

  int64_t size() const { return head.size(); }

  template <class Self, class Visit>
  static void columns(Self& k, Visit&& visit) {
    visit("entity_id", k.entity_id);
    visit("relation_id", k.relation_id);
    visit("head", k.head);
    visit("relation", k.relation);
    visit("tail", k.tail);
    visit("split", k.split);
  }

  std::string problem() const {
    if (split.size() != 3 || split[0] < 0 || split[1] < split[0] || split[2] < split[1] || split[2] != head.size())
      return "split must be three rising counts that end at the number of triples";
    return first_problem(
        {same_length({{"head", head.size()}, {"relation", relation.size()}, {"tail", tail.size()}}),
         unique("entity_id", entity_id), unique("relation_id", relation_id), within("head", head, 0, entity_id.size()),
         within("relation", relation, 0, relation_id.size()), within("tail", tail, 0, entity_id.size())});
  }
};

}  // namespace nd
