// What is judged: impressions, each a list of candidates with a score and a label.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace nd::metrics {

// Impression i has the candidates offsets[i] .. offsets[i + 1]. A view: it owns nothing.
struct Impressions {
  std::span<const int64_t> offsets;  // [m + 1], never falling
  std::span<const float> scores;     // higher is better; never NaN
  std::span<const uint8_t> labels;   // 1 clicked, 0 not, 255 unlabelled
  std::span<const int64_t> times;    // [m] seconds since 1970, -1 unknown; or empty when no time is known

  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  std::span<const float> scores_of(int64_t i) const { return part(scores, i); }
  std::span<const uint8_t> labels_of(int64_t i) const { return part(labels, i); }

 private:
  template <class T>
  std::span<const T> part(std::span<const T> values, int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return values.subspan(static_cast<size_t>(offsets[at]), static_cast<size_t>(offsets[at + 1] - offsets[at]));
  }
};

// The same, owned.
struct ImpressionTable {
  std::vector<int64_t> offsets{0};
  std::vector<float> scores;
  std::vector<uint8_t> labels;
  std::vector<int64_t> times;

  Impressions view() const { return {offsets, scores, labels, times}; }
  void clear() {
    offsets.assign(1, 0);
    scores.clear();
    labels.clear();
    times.clear();
  }
};

// Impressions that are made block by block when asked for, so that judging a file need not hold it all.
struct ImpressionBlocks {
  int64_t impressions = 0;
  int64_t per_block = 1;  // every block but the last has this many
  // Impressions of a block, maybe made in `scratch`, which must outlive them; several threads may call it.
  std::function<Impressions(int64_t block, ImpressionTable& scratch)> read;
};

}  // namespace nd::metrics
