// stacks/1: the same number of vectors per article: one per sentence, or one per element (who, when, where, what).
//
// Matches other files by id, not by row; carries the digest of the corpus it was made from (input "corpus"). Rows are
// padded and normalised already (D-HAN, dhan.md 1.1), so that a reader takes them as they are.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Stacks {
  static constexpr const char* kind = "stacks/1";

  Strings id;     // [n] unique
  Strings label;  // [h] unique: what row j of every stack is: sentence numbers from 1, or
                  // time, person, organization, location, keywords in this order
  Matrix x;       // [n * h, d] finite; row i * h + j is row j of the stack of id i

  int64_t size() const { return id.size(); }
  int64_t height() const { return label.size(); }
  int64_t dim() const { return x.cols; }

  template <class Self, class Visit>
  static void columns(Self& s, Visit&& visit) {
    visit("id", s.id);
    visit("label", s.label);
    visit("x", s.x);
  }

  std::string problem() const {
    const auto stacks = static_cast<uint64_t>(id.size()), rows = static_cast<uint64_t>(x.rows);
    const auto each = static_cast<uint64_t>(label.size());
    if (each == 0 ? rows > 0 : rows % each != 0 || rows / each != stacks)  // a product could overflow
      return "x has " + std::to_string(rows) + " rows, expected " + std::to_string(each) + " for each of " +
             std::to_string(stacks) + " ids";
    return first_problem({unique("id", id), unique("label", label), finite("x", x.values, x.cols)});
  }
};

}  // namespace nd
