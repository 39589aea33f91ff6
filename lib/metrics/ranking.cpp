#include "lib/metrics/ranking.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "lib/io/error.h"

namespace nd::metrics {
namespace {

// With few clicks, counting what stands above each one beats sorting (one click among 37: 30 ns against 900 ns).
constexpr int64_t kCountingLimit = 16;

struct Around {
  int64_t above = 0, equal = 0;
};

// How many of the scores are above s, and how many equal it. The counters are narrow so that the loop vectorises.
Around count(const float* scores, int64_t n, float s) {
  Around total;
  for (int64_t begin = 0; begin < n; begin += 1 << 20) {
    const int64_t end = std::min<int64_t>(n, begin + (1 << 20));
    int32_t above = 0, equal = 0;
    for (int64_t i = begin; i < end; ++i) {
      above += scores[i] > s;
      equal += scores[i] == s;
    }
    total.above += above;
    total.equal += equal;
  }
  return total;
}

}  // namespace

Ties ties_named(std::string_view name) {
  constexpr std::string_view kNames[] = {"last", "first", "expected", "against"};
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (name == kNames[i]) return static_cast<Ties>(i);
  throw Error("no rule for ties is called " + std::string(name));
}

Ranking Ranker::rank(std::span<const float> scores, std::span<const uint8_t> labels) {
  clicked_.clear();
  groups_.clear();
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == 1) clicked_.push_back(static_cast<int64_t>(i));
  Ranking ranking;
  ranking.candidates = static_cast<int64_t>(scores.size());
  ranking.clicks = static_cast<int64_t>(clicked_.size());
  if (ranking.clicks <= kCountingLimit) by_counting(scores, ranking);
  else by_sorting(scores, labels, ranking);
  // Pairs of two clicks were counted with the rest: each unordered one gave 1, as a win or as two halves.
  ranking.pairs_won -= static_cast<double>(ranking.clicks) * static_cast<double>(ranking.clicks - 1) / 2;
  ranking.groups = groups_;
  return ranking;
}

void Ranker::by_counting(std::span<const float> scores, Ranking& ranking) {
  const int64_t n = ranking.candidates;
  for (const int64_t c : clicked_) {
    const float s = scores[static_cast<size_t>(c)];
    const auto [above, equal] = count(scores.data(), n, s);
    const int64_t tied = equal - 1;
    const int64_t tied_before = tied > 0 ? count(scores.data(), c, s).equal : 0;
    ranking.pairs_won += static_cast<double>(n - 1 - above - tied) + 0.5 * static_cast<double>(tied);
    ranking.constant = tied == n - 1;
    int64_t clicks_tied = 0, clicks_before = 0;  // other clicks of this score, and those of them that come earlier
    for (const int64_t other : clicked_) {
      const bool same = other != c && scores[static_cast<size_t>(other)] == s;
      clicks_tied += same;
      clicks_before += same && other < c;
    }
    ranking.tied |= tied > clicks_tied;
    switch (ties_) {
      case Ties::last:
        groups_.push_back({above + tied - tied_before + 1, 1, 1});
        break;
      case Ties::first:
        groups_.push_back({above + tied_before + 1, 1, 1});
        break;
      case Ties::expected:
        groups_.push_back({above + 1, tied + 1, 1});
        break;
      case Ties::against:
        groups_.push_back({above + tied - clicks_tied + clicks_before + 1, 1, 1});
        break;
    }
  }
  std::sort(groups_.begin(), groups_.end(), [](const Group& a, const Group& b) { return a.first < b.first; });
  // Under `expected`, clicks of one tie are one group.
  size_t kept = 0;
  for (size_t i = 1; i < groups_.size(); ++i) {
    if (groups_[i].first == groups_[kept].first) ++groups_[kept].clicks;
    else groups_[++kept] = groups_[i];
  }
  groups_.resize(kept + 1);
}

void Ranker::by_sorting(std::span<const float> scores, std::span<const uint8_t> labels, Ranking& ranking) {
  const int64_t n = ranking.candidates;
  order_.resize(static_cast<size_t>(n));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  const bool later_first = ties_ == Ties::last;
  std::sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) {
    const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
    if (x != y) return x > y;
    if (ties_ == Ties::against && labels[static_cast<size_t>(a)] != labels[static_cast<size_t>(b)])
      return labels[static_cast<size_t>(a)] == 0;
    return later_first ? a > b : a < b;
  });
  auto score = [&](int64_t place) { return scores[static_cast<size_t>(order_[static_cast<size_t>(place)])]; };
  for (int64_t begin = 0, end = 0; begin < n; begin = end) {
    int64_t clicks = 0;
    for (end = begin; end < n && score(end) == score(begin); ++end) {
      if (labels[static_cast<size_t>(order_[static_cast<size_t>(end)])] != 1) continue;
      ++clicks;
      if (ties_ != Ties::expected) groups_.push_back({end + 1, 1, 1});
    }
    if (clicks > 0 && ties_ == Ties::expected) groups_.push_back({begin + 1, end - begin, clicks});
    const double won = static_cast<double>(n - end) + 0.5 * static_cast<double>(end - begin - 1);
    ranking.pairs_won += static_cast<double>(clicks) * won;
    ranking.constant = begin == 0 && end == n;
    ranking.tied |= clicks > 0 && clicks < end - begin;
  }
}

}  // namespace nd::metrics
