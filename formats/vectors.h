// vectors/1: one vector per id (article, entity, word), and for a graph one per relation too.
//
// Matches other files by id, not by row, so it carries no digest of them for that; entity vectors made by kg-transe
// carry the graph's (input "kg") as their origin.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Vectors {
  static constexpr const char* kind = "vectors/1";

  Strings id;           // [n] unique
  Matrix x;             // [n, d] finite
  Strings relation_id;  // [r] unique; r = 0 when there are no relations
  Matrix relation_x;    // [r, d]

  int64_t size() const { return id.size(); }
  int64_t dim() const { return x.cols; }

  template <class Self, class Visit>
  static void columns(Self& v, Visit&& visit) {
    visit("id", v.id);
    visit("x", v.x);
    visit("relation_id", v.relation_id);
    visit("relation_x", v.relation_x);
  }

  std::string problem() const {
    if (relation_x.rows > 0 && relation_x.cols != x.cols)
      return "relation_x is " + std::to_string(relation_x.cols) + " wide, but x is " + std::to_string(x.cols);
    return first_problem({same_length({{"id", id.size()}, {"x", x.rows}}),
                          same_length({{"relation_id", relation_id.size()}, {"relation_x", relation_x.rows}}),
                          unique("id", id), unique("relation_id", relation_id), finite("x", x.values, x.cols),
                          finite("relation_x", relation_x.values, relation_x.cols)});
  }
};

}  // namespace nd
