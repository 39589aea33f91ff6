#include "lib/data/training_negatives.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "lib/io/error.h"

namespace nd {
namespace {

constexpr int64_t kDay = 86400;

uint64_t stream_of(int32_t click, int64_t epoch) {
  return static_cast<uint64_t>(epoch) << 32 | static_cast<uint32_t>(click);
}

int64_t day_of(int64_t time) { return (time >= 0 ? time : time - kDay + 1) / kDay; }

}  // namespace

TrainingSource training_source(std::string_view name) {
  if (name == "uniform") return TrainingSource::uniform;
  if (name == "popularity") return TrainingSource::popularity;
  if (name == "live") return TrainingSource::live;
  throw UsageError("training has no source of negatives called " + std::string(name) +
                   ", expected uniform, popularity or live");
}

TrainingNegatives::TrainingNegatives(const Clicks& clicks, const Windows& windows, TrainingSource source,
                                     int64_t window_hours, uint64_t seed)
    : clicks_(clicks), source_(source), random_(seed, "training negatives") {
  const auto articles = static_cast<size_t>(clicks.corpus_size[0]);
  std::vector<int64_t> times(articles);
  from_.assign(articles, Clicks::end_of_time);
  until_.assign(articles, -1);
  RaggedBuilder<int32_t> clicked;
  std::vector<int32_t> own;
  size_t most = 0;
  for (int64_t u = 0; u < clicks.size(); ++u) {
    own.clear();
    for (int64_t i = clicks.article.offsets[u]; i < windows.train_end[static_cast<size_t>(u)]; ++i) {
      const auto a = static_cast<size_t>(clicks.article.values[i]);
      ++times[a];
      from_[a] = std::min(from_[a], clicks.time[i]);
      until_[a] = std::max(until_[a], clicks.time[i]);
      own.push_back(clicks.article.values[i]);
    }
    std::ranges::sort(own);
    own.erase(std::unique(own.begin(), own.end()), own.end());  // std::ranges::unique: not with clang 14, which fuzzes
    most = std::max(most, own.size());
    clicked.append(own);
    clicked.end_row();
  }
  clicked_ = clicked.take();
  popularity_ = Popularity(times);
  fewest_ = this->articles() - static_cast<int64_t>(most);
  if (source != TrainingSource::live) return;

  const int64_t window = window_hours * 3600;
  int64_t last_day = INT64_MIN;
  first_day_ = INT64_MAX;
  for (const int32_t a : popularity_.articles()) {
    first_day_ = std::min(first_day_, day_of(from_[a] -= window));
    last_day = std::max(last_day, day_of(until_[a] += window));
  }
  if (popularity_.articles().empty()) return;
  day_offsets_.assign(static_cast<size_t>(last_day - first_day_ + 2), 0);
  const auto each_day = [&](auto&& f) {
    for (const int32_t a : popularity_.articles())
      for (int64_t day = day_of(from_[a]); day <= day_of(until_[a]); ++day) f(static_cast<size_t>(day - first_day_), a);
  };
  each_day([&](size_t day, int32_t) { ++day_offsets_[day + 1]; });
  std::partial_sum(day_offsets_.begin(), day_offsets_.end(), day_offsets_.begin());
  of_day_.resize(static_cast<size_t>(day_offsets_.back()));
  std::vector<int64_t> at(day_offsets_.begin(), day_offsets_.end() - 1);
  each_day([&](size_t day, int32_t a) { of_day_[static_cast<size_t>(at[day]++)] = a; });
}

int64_t TrainingNegatives::draw(int32_t click, int64_t epoch, std::span<int32_t> out) const {
  const auto own = this->own(click);
  const int64_t now = clicks_.time[click];
  bool alive = source_ == TrainingSource::live;
  DistinctDraw draw(random_, 0, stream_of(click, epoch), out, [&](int32_t a) {
    return (!alive || (from_[a] <= now && now <= until_[a])) && !std::ranges::binary_search(own, a);
  });
  if (source_ == TrainingSource::popularity) {
    popularity_.draw_from(draw);
  } else {
    // A training click's article is live at its time, so its day is one of those known.
    if (alive) {
      const auto day = static_cast<size_t>(day_of(now) - first_day_);
      draw_from(std::span(of_day_).subspan(static_cast<size_t>(day_offsets_[day]),
                                           static_cast<size_t>(day_offsets_[day + 1] - day_offsets_[day])),
                draw);
      alive = false;
    }
    if (!draw.done()) draw_from(popularity_.articles(), draw);
  }
  return static_cast<int64_t>(draw.count());
}

int64_t TrainingNegatives::count(int32_t click, int64_t most) const {
  return std::min(most, articles() - static_cast<int64_t>(own(click).size()));
}

ApartDraws TrainingNegatives::lists(Arena& arena) const {
  return {.from = arena.copy(popularity_.articles()).data(),
          .n = articles(),
          .without = arena.copy(clicked_.values.span()).data(),
          .offsets = arena.copy(clicked_.offsets.span()).data(),
          .runs = clicked_.size(),
          .random = random_};
}

void TrainingNegatives::for_clicks(std::span<const int32_t> clicks, int64_t epoch, Arena& arena,
                                   ApartDraws& draws) const {
  auto user = arena.array<int32_t>(static_cast<int64_t>(clicks.size()));
  auto stream = arena.array<uint64_t>(static_cast<int64_t>(clicks.size()));
  for (size_t i = 0; i < clicks.size(); ++i) {
    user[i] = user_of(clicks_, clicks[i]);
    stream[i] = stream_of(clicks[i], epoch);
  }
  draws.run = user.data();
  draws.second = stream.data();
}

}  // namespace nd
