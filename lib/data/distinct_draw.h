// Distinct articles drawn one after another, where some may not be drawn.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "lib/tensor/random.h"

namespace nd {

// One call's numbers, and what has been found. Usable: bool(int32_t article), whether it may be drawn at all.
template <class Usable>
class DistinctDraw {
 public:
  // Random numbers are those of counters (a, b), (a + 1, b), ...; articles go into `out` until it is full.
  DistinctDraw(const Random& random, uint64_t a, uint64_t b, std::span<int32_t> out, Usable may_be_drawn)
      : random_(random), a_(a), b_(b), out_(out), may_be_drawn_(std::move(may_be_drawn)) {}

  size_t count() const { return count_; }
  bool done() const { return count_ == out_.size(); }
  uint64_t below(uint64_t n) { return random_.below(n, a_++, b_); }
  double uniform() { return random_.uniform(a_++, b_); }
  bool usable(int32_t article) const {
    const auto found = out_.first(count_);
    return std::ranges::find(found, article) == found.end() && may_be_drawn_(article);
  }
  void take(int32_t article) { out_[count_++] = article; }

  // Whether few enough are wanted of so many articles that drawing again after a miss is quick.
  bool few_of(size_t articles) const { return out_.size() <= articles / 2; }

  // Takes what propose() gives, misses being -1, until done; false when that took too many tries.
  template <class Propose>
  bool reject(Propose&& propose) {
    for (int64_t left = 256 + 64 * static_cast<int64_t>(out_.size()); left > 0 && !done(); --left) {
      const int32_t article = propose();
      if (article >= 0 && usable(article)) take(article);
    }
    return done();
  }

  // Fills the rest from a list of distinct articles as far as it goes, in a random order (Fisher and Yates's shuffle).
  void shuffle(std::span<const int32_t> articles) {
    std::vector<int32_t> left;
    std::ranges::copy_if(articles, std::back_inserter(left), [this](int32_t article) { return usable(article); });
    for (size_t i = 0; i < left.size() && !done(); ++i) {
      std::swap(left[i], left[i + below(left.size() - i)]);
      take(left[i]);
    }
  }

  // Fills the rest with a uniform choice from the articles that each(offer) enumerates (reservoir sampling).
  template <class Each>
  void choose(Each&& each) {
    const size_t before = count_;
    uint64_t seen = 0;
    each([&](int32_t article) {
      if (!usable(article)) return;
      ++seen;
      if (!done()) {
        take(article);
      } else if (const uint64_t at = below(seen); at < out_.size() - before) {
        out_[before + at] = article;
      }
    });
  }

 private:
  const Random& random_;
  uint64_t a_, b_;
  std::span<int32_t> out_;
  size_t count_ = 0;
  Usable may_be_drawn_;
};

// Uniformly from a list of distinct articles.
template <class Draw>
void draw_from(std::span<const int32_t> articles, Draw& draw) {
  if (draw.few_of(articles.size()) && draw.reject([&] { return articles[draw.below(articles.size())]; })) return;
  draw.shuffle(articles);
}

// Articles in proportion to how often they occur in a list.
class Popularity {
 public:
  Popularity() = default;
  // times[article]: how often
  explicit Popularity(std::span<const int64_t> times) {
    int64_t sum = 0;
    for (size_t article = 0; article < times.size(); ++article) {
      if (times[article] == 0) continue;
      article_.push_back(static_cast<int32_t>(article));
      sum_.push_back(sum += times[article]);
    }
  }

  // The articles that occur at all.
  std::span<const int32_t> articles() const { return article_; }

  template <class Draw>
  void draw_from(Draw& draw) const {
    const auto propose = [&] {
      const auto at = static_cast<int64_t>(draw.below(static_cast<uint64_t>(sum_.back())));
      return article_[static_cast<size_t>(std::ranges::upper_bound(sum_, at) - sum_.begin())];
    };
    if (draw.few_of(article_.size()) && draw.reject(propose)) return;
    // Weighted drawing without replacement as one sort (Efraimidis and Spirakis, "Weighted random sampling with a
    // reservoir", 2006): smallest -ln(u) / weight first.
    std::vector<std::pair<double, int32_t>> keys;
    for (size_t i = 0; i < article_.size(); ++i)
      if (draw.usable(article_[i]))
        keys.emplace_back(-std::log(1 - draw.uniform()) / double(sum_[i] - (i ? sum_[i - 1] : 0)), article_[i]);
    std::ranges::sort(keys);
    for (size_t i = 0; i < keys.size() && !draw.done(); ++i) draw.take(keys[i].second);
  }

 private:
  std::vector<int32_t> article_;
  std::vector<int64_t> sum_;  // article_[i] occurs sum_[i] - sum_[i - 1] times
};

}  // namespace nd
