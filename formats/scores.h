// scores/1: one score per candidate of each impression, complete enough to be judged without any other file.
//
// Carries the digest of the behavior or clicks that were scored (input "behavior" or "clicks"; a click's impression_id
// is its flat index in decimal), and of the candidates where a fixed list was ("candidates"). The system's name and
// seed are in nd.options ("system", "seed"): they are what tables call a file.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Scores {
  static constexpr const char* kind = "scores/1";

  Strings impression_id;  // [m]
  Strings user_id;        // [m]
  Array<int64_t> time;    // [m] as in behavior or clicks
  Ragged<float> score;    // [m] finite; higher is better
  Array<uint8_t> label;   // one per score: 1 clicked, 0 not, 255 unlabelled

  int64_t size() const { return impression_id.size(); }

  template <class Self, class Visit>
  static void columns(Self& s, Visit&& visit) {
    visit("impression_id", s.impression_id);
    visit("user_id", s.user_id);
    visit("time", s.time);
    visit("score", s.score);
    visit("label", s.label);
  }

  std::string problem() const {
    return first_problem({same_length({{"impression_id", impression_id.size()},
                                       {"user_id", user_id.size()},
                                       {"time", time.size()},
                                       {"score", score.size()}}),
                          same_length({{"score.values", score.values.size()}, {"label", label.size()}}),
                          finite("score", score.values), labels(label)});
  }
};

}  // namespace nd
