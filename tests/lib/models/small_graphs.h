// Graphs small enough to know what must come out.
#pragma once

#include <string>
#include <vector>

#include "formats/kg.h"

namespace nd {

struct Triple {
  int32_t head, relation, tail;
};

// Entities e0, e1, ..., relations r0, r1, ...; splits as given, in order.
inline Kg graph(int64_t entities, int64_t relations, const std::vector<std::vector<Triple>>& splits) {
  StringsBuilder entity, relation;
  for (int64_t i = 0; i < entities; ++i) entity.push("e" + std::to_string(i));
  for (int64_t i = 0; i < relations; ++i) relation.push("r" + std::to_string(i));
  std::vector<int32_t> head, rel, tail;
  std::vector<int64_t> split;
  for (const auto& triples : splits) {
    for (const Triple& t : triples) {
      head.push_back(t.head);
      rel.push_back(t.relation);
      tail.push_back(t.tail);
    }
    split.push_back(static_cast<int64_t>(head.size()));
  }
  while (split.size() < 3) split.push_back(static_cast<int64_t>(head.size()));
  return {entity.take(), relation.take(), head, rel, tail, split};
}

// Entities in a row; relation k leads k + 1 places on; every seventh triple is held out for testing. TransE can
// represent this exactly, and what is left out follows from what is there. One more entity, the last, is in no triple.
inline Kg line(int32_t places, int32_t relations = 4) {
  std::vector<Triple> train, test;
  int i = 0;
  for (int32_t k = 0; k < relations; ++k)
    for (int32_t place = 0; place + k + 1 < places; ++place)
      (++i % 7 == 0 ? test : train).push_back({place, k, place + k + 1});
  return graph(places + 1, relations, {train, {}, test});
}

}  // namespace nd
