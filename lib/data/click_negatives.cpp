#include "lib/data/click_negatives.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "lib/data/distinct_draw.h"
#include "lib/data/negatives.h"
#include "lib/data/windows.h"

namespace nd {
namespace {

// The articles that are live, while time goes on. Their order depends on the log alone.
class LiveArticles {
 public:
  LiveArticles(const Clicks& clicks, int64_t window_seconds) {
    const auto articles = static_cast<size_t>(clicks.corpus_size[0]);
    std::vector<int64_t> first(articles, Clicks::end_of_time), last(articles, -1);
    for (int64_t i = 0; i < clicks.clicks(); ++i) {
      const auto a = static_cast<size_t>(clicks.article.values[i]);
      first[a] = std::min(first[a], clicks.time[i]);
      last[a] = std::max(last[a], clicks.time[i]);
    }
    place_.assign(articles, -1);
    for (size_t a = 0; a < articles; ++a) {
      if (last[a] < 0) continue;
      births_.emplace_back(first[a] - window_seconds, static_cast<int32_t>(a));
      deaths_.emplace_back(last[a] + window_seconds, static_cast<int32_t>(a));
    }
    std::ranges::sort(births_);
    std::ranges::sort(deaths_);
  }

  // Those live at `now`, which never falls from call to call.
  std::span<const int32_t> at(int64_t now) {
    for (; born_ < births_.size() && births_[born_].first <= now; ++born_) {
      place_[static_cast<size_t>(births_[born_].second)] = static_cast<int64_t>(live_.size());
      live_.push_back(births_[born_].second);
    }
    for (; dead_ < deaths_.size() && deaths_[dead_].first < now; ++dead_) {
      const auto at = static_cast<size_t>(place_[static_cast<size_t>(deaths_[dead_].second)]);
      live_[at] = live_.back();
      place_[static_cast<size_t>(live_[at])] = static_cast<int64_t>(at);
      live_.pop_back();
    }
    return live_;
  }

 private:
  std::vector<std::pair<int64_t, int32_t>> births_, deaths_;  // times and articles, by time
  size_t born_ = 0, dead_ = 0;
  std::vector<int32_t> live_;
  std::vector<int64_t> place_;  // of each article in live_
};

Popularity popularity_of(const Clicks& clicks) {
  std::vector<int64_t> times(static_cast<size_t>(clicks.corpus_size[0]));
  for (const int32_t article : clicks.article.values) ++times[static_cast<size_t>(article)];
  return Popularity(times);
}

std::vector<int32_t> clicked_by(const Clicks& clicks, int32_t user) {
  const auto all = clicks.article[user];
  std::vector<int32_t> out(all.begin(), all.end());
  std::ranges::sort(out);
  return out;
}

// Instances in the order of their times, which is the order the live articles are followed in.
std::vector<size_t> by_time(const Clicks& clicks, std::span<const int32_t> instances) {
  std::vector<size_t> order(instances.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t k) { return clicks.time[instances[k]]; });
  return order;
}

}  // namespace

ClickSource click_source(std::string_view name) {
  if (name == "uniform") return ClickSource::uniform;
  if (name == "popularity") return ClickSource::popularity;
  if (name == "live") return ClickSource::live;
  if (name == "all-live") return ClickSource::all_live;
  throw UsageError("clicks have no source of negatives called " + std::string(name) +
                   ", expected uniform, popularity, live or all-live");
}

Candidates sample_candidates(const Clicks& clicks, std::span<const int32_t> instances, const ClickSampling& sampling,
                             uint64_t seed, const std::string& path, Skips& skips) {
  const Random random(seed, "click negatives"), order(seed, "click candidate order");
  const Popularity popularity = popularity_of(clicks);
  LiveArticles live(clicks, sampling.window_hours * 3600);
  std::vector<std::vector<int32_t>> negatives(instances.size());
  for (const size_t k : by_time(clicks, instances)) {
    const int32_t instance = instances[k];
    const std::vector<int32_t> clicked = clicked_by(clicks, user_of(clicks, instance));
    const auto unclicked = [&](int32_t article) { return !std::ranges::binary_search(clicked, article); };
    const std::span<const int32_t> alive = live.at(clicks.time[instance]);
    std::vector<int32_t>& out = negatives[k];
    if (sampling.source == ClickSource::all_live) {
      std::ranges::copy_if(alive, std::back_inserter(out), unclicked);
      std::ranges::sort(out);
      continue;
    }
    out.resize(static_cast<size_t>(sampling.negatives));
    DistinctDraw draw(random, 0, static_cast<uint64_t>(instance), out, unclicked);
    if (sampling.source == ClickSource::popularity) popularity.draw_from(draw);
    else draw_from(sampling.source == ClickSource::live ? alive : popularity.articles(), draw);
    if (!draw.done()) out.clear();
  }

  std::vector<int32_t> impression;
  RaggedBuilder<int32_t> candidate;
  std::vector<uint8_t> label;
  for (size_t k = 0; k < instances.size(); ++k) {
    const int32_t instance = instances[k];
    if (negatives[k].empty()) {
      skips.skip(
          path, int64_t{instance} + 1,
          "fewer articles than asked for are there to rank the click against (a wider --window, fewer --negatives)");
      continue;
    }
    impression.push_back(instance);
    append_among(clicks.article.values[instance], negatives[k], order, static_cast<uint64_t>(instance), 0, candidate,
                 label);
    negatives[k] = {};
  }
  return {std::move(impression), candidate.take(), std::move(label)};
}

}  // namespace nd
