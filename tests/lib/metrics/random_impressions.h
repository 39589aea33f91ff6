// Small impressions for tests, from a generator that is the same everywhere.
#pragma once

#include <cstdint>

#include "lib/metrics/impressions.h"

namespace nd::metrics {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  // In [0, n).
  int64_t below(int64_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(n));
  }

 private:
  uint64_t state_;
};

// Impressions of up to `most` candidates whose scores are among `levels` values (few levels make many ties). Clicked
// rows score higher on the whole, and impressions differ in level, so that grouped and pooled AUC differ.
inline ImpressionTable random_impressions(uint64_t seed, int64_t impressions, int64_t most, int64_t levels) {
  Dice dice(seed);
  ImpressionTable table;
  for (int64_t i = 0; i < impressions; ++i) {
    const int64_t shift = dice.below(levels);
    for (int64_t n = 2 + dice.below(most - 1); n > 0; --n) {
      const bool clicked = dice.below(3) == 0;
      table.labels.push_back(clicked);
      table.scores.push_back(static_cast<float>(dice.below(levels) + (clicked ? levels / 3 : 0) + shift / 2));
    }
    table.offsets.push_back(static_cast<int64_t>(table.scores.size()));
    table.times.push_back(i * 3600);
  }
  return table;
}

}  // namespace nd::metrics
