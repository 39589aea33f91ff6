// AUC over the rows of all impressions together: the chance that a clicked row scores above one that was not.
//
// With A the number of (clicked, not clicked) pairs in the right order (ties one half), P clicked and N other rows,
// the value is U = A / (P N). If a_i of the pairs in A involve a clicked row of impression i, b_i another row of it,
// and p_i, n_i are its rows of either kind, counting impression i once more changes U to first order by
//   influence_i = (a_i + b_i) / (P N) - U (p_i / P + n_i / N),
// which is what intervals resample: weighing 2.7 million rows anew for each of 1,000 resamples would take seconds. What
// is left out is of the order of 1 / impressions, beside an interval of the order of 1 / sqrt(impressions).
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "lib/io/error.h"
#include "lib/metrics/measures.h"

namespace nd::metrics {
namespace {

// A row as one word: its score as an integer of the same order, then impression, then whether it was clicked.
uint64_t pack(float score, uint64_t impression, bool clicked) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // -0 becomes 0
  const uint32_t ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return uint64_t{ordered} << 32 | impression << 1 | uint64_t{clicked};
}
uint32_t score_of(uint64_t row) { return static_cast<uint32_t>(row >> 32); }
size_t impression_of(uint64_t row) { return static_cast<uint32_t>(row) >> 1; }
bool clicked_of(uint64_t row) { return row & 1; }

// Radix sort by score, 11 bits a pass, least significant first. A pass in which all rows agree is left out.
void sort_by_score(std::vector<uint64_t>& rows) {
  constexpr int kBits = 11, kPasses = 3;
  constexpr size_t kBuckets = size_t{1} << kBits;
  auto digit = [](uint64_t row, int pass) { return (row >> (32 + pass * kBits)) & (kBuckets - 1); };
  std::vector<std::array<size_t, kBuckets>> counts(kPasses);
  for (const uint64_t row : rows)
    for (int pass = 0; pass < kPasses; ++pass) ++counts[static_cast<size_t>(pass)][digit(row, pass)];
  std::vector<uint64_t> other(rows.size());
  for (int pass = 0; pass < kPasses; ++pass) {
    auto& start = counts[static_cast<size_t>(pass)];
    if (start[digit(rows[0], pass)] == rows.size()) continue;
    size_t sum = 0;
    for (size_t& s : start) sum += std::exchange(s, sum);
    for (const uint64_t row : rows) other[start[digit(row, pass)]++] = row;
    rows.swap(other);
  }
}

bool labelled(std::span<const uint8_t> labels) {
  for (const uint8_t l : labels)
    if (l > 1) return false;
  return true;
}

}  // namespace

Estimate auc_pooled(const Impressions& impressions) {
  const auto m = static_cast<size_t>(impressions.size());
  if (m > size_t{1} << 31) throw Error("auc_pooled takes at most 2^31 impressions");
  std::vector<uint64_t> rows;
  rows.reserve(impressions.scores.size());
  std::vector<double> clicked_of_impression(m), others_of_impression(m), pairs(m);
  double clicked = 0, others = 0;
  for (size_t i = 0; i < m; ++i) {
    const auto scores = impressions.scores_of(static_cast<int64_t>(i));
    const auto labels = impressions.labels_of(static_cast<int64_t>(i));
    if (!labelled(labels)) continue;
    double p = 0;
    for (size_t j = 0; j < scores.size(); ++j) {
      rows.push_back(pack(scores[j], i, labels[j] == 1));
      p += labels[j];
    }
    clicked_of_impression[i] = p;
    others_of_impression[i] = static_cast<double>(scores.size()) - p;
    clicked += p;
    others += others_of_impression[i];
  }
  if (clicked == 0 || others == 0) return {std::numeric_limits<double>::quiet_NaN(), std::vector<float>(m, 0.0f)};

  sort_by_score(rows);
  double won = 0;  // A
  double clicked_below = 0, others_below = 0;
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    double clicked_here = 0;
    for (end = begin; end < rows.size() && score_of(rows[end]) == score_of(rows[begin]); ++end)
      clicked_here += clicked_of(rows[end]);
    const double others_here = static_cast<double>(end - begin) - clicked_here;
    const double won_by_clicked = others_below + others_here / 2;
    const double lost_by_other = clicked - clicked_below - clicked_here / 2;
    for (size_t r = begin; r < end; ++r)
      pairs[impression_of(rows[r])] += clicked_of(rows[r]) ? won_by_clicked : lost_by_other;
    won += clicked_here * won_by_clicked;
    clicked_below += clicked_here;
    others_below += others_here;
  }

  Estimate estimate{won / (clicked * others), std::vector<float>(m)};
  for (size_t i = 0; i < m; ++i)
    estimate.influence[i] =
        static_cast<float>(pairs[i] / (clicked * others) -
                           estimate.value * (clicked_of_impression[i] / clicked + others_of_impression[i] / others));
  return estimate;
}

}  // namespace nd::metrics
