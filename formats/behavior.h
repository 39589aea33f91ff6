// behavior/1: who was shown what, when, and clicked which; articles are rows of a corpus.
//
// Carries the corpus' digest (input "corpus"): an article is stored as its row there.
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Behavior {
  static constexpr const char* kind = "behavior/1";

  Strings user_id;          // [u] unique, in order of first appearance
  Ragged<int32_t> history;  // [h] distinct click histories, oldest first, rows of the corpus; may hold repeats
  Strings impression_id;    // [m]
  Array<int32_t> user;      // [m] row of user_id
  Array<int64_t> time;      // [m] seconds since 1970-01-01T00:00:00 in the log's own zone, -1 when unknown
  Array<int32_t> impression_history;  // [m] row of history: the user's clicks before this impression
  Ragged<int32_t> candidate;          // [m] what was shown, rows of the corpus
  Array<uint8_t> label;               // one per candidate: 1 clicked, 0 not, 255 unlabelled
  Array<int64_t> corpus_size;         // [1] articles of the corpus, so that this file can be checked alone

  int64_t size() const { return impression_id.size(); }

  template <class Self, class Visit>
  static void columns(Self& b, Visit&& visit) {
    visit("user_id", b.user_id);
    visit("history", b.history);
    visit("impression_id", b.impression_id);
    visit("user", b.user);
    visit("time", b.time);
    visit("impression_history", b.impression_history);
    visit("candidate", b.candidate);
    visit("label", b.label);
    visit("corpus_size", b.corpus_size);
  }

  std::string problem() const {
    if (corpus_size.size() != 1) return "corpus_size has " + std::to_string(corpus_size.size()) + " rows, expected 1";
    return first_problem({same_length({{"impression_id", impression_id.size()},
                                       {"user", user.size()},
                                       {"time", time.size()},
                                       {"impression_history", impression_history.size()},
                                       {"candidate", candidate.size()}}),
                          same_length({{"candidate.values", candidate.values.size()}, {"label", label.size()}}),
                          unique("user_id", user_id), within("user", user, 0, user_id.size()),
                          within("impression_history", impression_history, 0, history.size()),
                          within("history.values", history.values, 0, corpus_size[0]),
                          within("candidate.values", candidate.values, 0, corpus_size[0]), labels(label)});
  }
};

}  // namespace nd
