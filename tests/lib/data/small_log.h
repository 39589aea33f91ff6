// A click log written as rows of numbers, for tests.
#pragma once

#include <string>
#include <vector>

#include "formats/behavior.h"
#include "lib/data/interner.h"

namespace nd::test {

struct Shown {
  int32_t article;
  uint8_t label = kNotClicked;
};

struct Impression {
  std::string id, user;
  int64_t time = -1;
  std::vector<int32_t> history;
  std::vector<Shown> candidates;
};

inline Behavior behavior_of(int64_t corpus_size, const std::vector<Impression>& impressions) {
  Vocabulary users;
  Interner<int32_t> histories;
  StringsBuilder id;
  std::vector<int32_t> user, history;
  std::vector<int64_t> time;
  RaggedBuilder<int32_t> candidate;
  std::vector<uint8_t> label;
  for (const Impression& i : impressions) {
    id.push(i.id);
    user.push_back(users.add(i.user));
    time.push_back(i.time);
    history.push_back(histories.add(i.history));
    for (const Shown& s : i.candidates) {
      candidate.push(s.article);
      label.push_back(s.label);
    }
    candidate.end_row();
  }
  Behavior b{users.take(),     histories.take(), id.take(),
             std::move(user),  std::move(time),  std::move(history),
             candidate.take(), std::move(label), std::vector<int64_t>{corpus_size}};
  return b;
}

}  // namespace nd::test
