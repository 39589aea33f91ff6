// candidates/1: a fixed list of articles to rank for each of some impressions, or for each of some clicks.
//
// Carries the digest of the behavior whose rows it names (input "behavior"), or of the clicks whose flat indices it
// names (input "clicks"), and of that file's corpus ("corpus").
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Candidates {
  static constexpr const char* kind = "candidates/1";

  Array<int32_t> impression;  // [m] rows of the behavior, or clicks; never falling; one may come several times
  Ragged<int32_t> candidate;  // [m] rows of the corpus
  Array<uint8_t> label;       // one per candidate: 1 clicked, 0 not, 255 unlabelled

  int64_t size() const { return impression.size(); }

  template <class Self, class Visit>
  static void columns(Self& c, Visit&& visit) {
    visit("impression", c.impression);
    visit("candidate", c.candidate);
    visit("label", c.label);
  }

  std::string problem() const {
    for (int64_t i = 1; i < impression.size(); ++i)
      if (impression[i] < impression[i - 1]) return "impression row " + std::to_string(i + 1) + " goes backwards";
    return first_problem({same_length({{"impression", impression.size()}, {"candidate", candidate.size()}}),
                          same_length({{"candidate.values", candidate.values.size()}, {"label", label.size()}}),
                          within("impression", impression, 0, INT32_MAX),
                          within("candidate.values", candidate.values, 0, INT32_MAX), labels(label)});
  }
};

}  // namespace nd
