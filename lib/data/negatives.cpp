#include "lib/data/negatives.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "lib/data/interner.h"

namespace nd {
namespace {

// Drawing again after a miss is quick as long as misses are few; past this many tries the rest is chosen exactly.
int64_t tries(size_t wanted) { return 256 + 64 * static_cast<int64_t>(wanted); }

// Adds (user << 32 | article) for every click of `file`; users are given their rows in `user_rows`, -1 to leave them
// out.
void collect_clicks(const Behavior& file, const std::vector<int32_t>& user_rows, std::vector<uint64_t>& clicks) {
  const auto add = [&](int32_t user, int32_t article) {
    clicks.push_back(uint64_t(uint32_t(user)) << 32 | uint32_t(article));
  };
  // Most logs repeat one history in every impression of a user, so each pair of user and history is read once.
  std::vector<uint64_t> pairs;
  for (int64_t i = 0; i < file.size(); ++i)
    pairs.push_back(uint64_t(uint32_t(file.user[i])) << 32 | uint32_t(file.impression_history[i]));
  std::ranges::sort(pairs);
  pairs.erase(std::ranges::unique(pairs).begin(), pairs.end());
  for (const uint64_t pair : pairs)
    if (const int32_t user = user_rows[pair >> 32]; user >= 0)
      for (const int32_t article : file.history[static_cast<int64_t>(pair & UINT32_MAX)]) add(user, article);

  for (int64_t i = 0; i < file.size(); ++i)
    if (const int32_t user = user_rows[static_cast<size_t>(file.user[i])]; user >= 0)
      for (int64_t c = file.candidate.offsets[i]; c < file.candidate.offsets[i + 1]; ++c)
        if (file.label[c] == kClicked) add(user, file.candidate.values[c]);
}

Ragged<int32_t> clicks_by_user(const Behavior& rows, std::span<const Behavior* const> exclude) {
  std::vector<uint64_t> clicks;
  std::vector<int32_t> same(static_cast<size_t>(rows.user_id.size()));
  std::iota(same.begin(), same.end(), 0);
  collect_clicks(rows, same, clicks);
  if (!exclude.empty()) {
    const Vocabulary users(rows.user_id);
    for (const Behavior* other : exclude) {
      std::vector<int32_t> row_of;
      for (int64_t u = 0; u < other->user_id.size(); ++u) row_of.push_back(users.find(other->user_id[u]));
      collect_clicks(*other, row_of, clicks);
    }
  }
  std::ranges::sort(clicks);
  clicks.erase(std::ranges::unique(clicks).begin(), clicks.end());

  RaggedBuilder<int32_t> out;
  size_t at = 0;
  for (uint64_t user = 0; user < same.size(); ++user) {
    for (; at < clicks.size() && clicks[at] >> 32 == user; ++at)
      out.push(static_cast<int32_t>(clicks[at] & UINT32_MAX));
    out.end_row();
  }
  return out.take();
}

}  // namespace

NegativeSource negative_source(std::string_view name) {
  if (name == "impression") return NegativeSource::impression;
  if (name == "corpus") return NegativeSource::corpus;
  if (name == "popularity") return NegativeSource::popularity;
  if (name == "recent") return NegativeSource::recent;
  throw UsageError("no source of negatives is called " + std::string(name) +
                   ", expected impression, corpus, popularity or recent");
}

// The numbers of one call, and what has been found.
struct NegativeSampler::Draw {
  const NegativeSampler& sampler;
  int64_t row;
  int32_t user;
  uint64_t a, b;  // counter of the next random number
  std::span<int32_t> out;
  size_t count = 0;

  bool done() const { return count == out.size(); }
  uint64_t below(uint64_t n) { return sampler.random_.below(n, a++, b); }
  double uniform() { return sampler.random_.uniform(a++, b); }
  bool usable(int32_t article) const {
    const auto found = out.first(count);
    return std::ranges::find(found, article) == found.end() && !sampler.clicked(user, article);
  }
  void take(int32_t article) { out[count++] = article; }

  // Draws articles, with misses (-1), until done; false when that took too many tries.
  template <class Propose>
  bool reject(Propose&& propose) {
    for (int64_t left = tries(out.size()); left > 0 && !done(); --left) {
      const int32_t article = propose();
      if (article >= 0 && usable(article)) take(article);
    }
    return done();
  }

  // Fills the rest with a uniform choice from the articles that `each` enumerates (reservoir sampling).
  template <class Each>
  void choose(Each&& each) {
    const size_t before = count;
    uint64_t seen = 0;
    each([&](int32_t article) {
      if (!usable(article)) return;
      ++seen;
      if (!done()) {
        take(article);
      } else if (const uint64_t at = below(seen); at < out.size() - before) {
        out[before + at] = article;
      }
    });
  }
};

NegativeSampler::NegativeSampler(const Behavior& rows, const NegativeOptions& options, uint64_t seed,
                                 std::span<const Behavior* const> exclude, const Behavior* counted)
    : rows_(rows),
      options_(options),
      random_(seed, "negatives"),
      corpus_size_(rows.corpus_size[0]),
      clicks_(clicks_by_user(rows, exclude)) {
  const Behavior& from = counted ? *counted : rows;
  if (options.source == NegativeSource::popularity) {
    std::vector<int64_t> times(static_cast<size_t>(corpus_size_));
    for (int64_t c = 0; c < from.label.size(); ++c)
      if (from.label[c] == kClicked) ++times[static_cast<size_t>(from.candidate.values[c])];
    int64_t sum = 0;
    for (int32_t article = 0; article < corpus_size_; ++article) {
      if (times[static_cast<size_t>(article)] == 0) continue;
      popular_.push_back(article);
      click_sum_.push_back(sum += times[static_cast<size_t>(article)]);
    }
  }
  if (options.source == NegativeSource::recent) {
    std::vector<int64_t> by_time(static_cast<size_t>(from.size()));
    std::iota(by_time.begin(), by_time.end(), 0);
    std::ranges::stable_sort(by_time, {}, [&](int64_t i) { return from.time[i]; });
    std::vector<int64_t> last_hour(static_cast<size_t>(corpus_size_), -1);
    for (const int64_t i : by_time) {
      if (from.time[i] < 0) continue;
      const int64_t hour = from.time[i] / 3600;
      for (const int32_t article : from.candidate[i]) {
        int64_t& last = last_hour[static_cast<size_t>(article)];
        if (last != hour) shown_.push_back({hour, from.time[i], article, last});
        last = hour;
      }
    }
  }
}

int NegativeSampler::draw(int64_t row, int64_t positive, int64_t epoch, std::span<int32_t> out) const {
  Draw draw{*this, row, rows_.user[row], uint64_t(positive) << 32, uint64_t(epoch) << 40 | uint64_t(row), out};
  switch (options_.source) {
    case NegativeSource::impression:
      from_impression(draw);
      break;
    case NegativeSource::popularity:
      from_popularity(draw);
      break;
    case NegativeSource::recent:
      from_recent(draw);
      break;
    case NegativeSource::corpus:
      break;
  }
  from_corpus(draw);
  return static_cast<int>(draw.count);
}

bool NegativeSampler::clicked(int32_t user, int32_t article) const {
  return std::ranges::binary_search(clicks_[user], article);
}

void NegativeSampler::from_impression(Draw& draw) const {
  draw.choose([&](auto&& offer) {
    for (int64_t c = rows_.candidate.offsets[draw.row]; c < rows_.candidate.offsets[draw.row + 1]; ++c)
      if (rows_.label[c] == kNotClicked) offer(rows_.candidate.values[c]);
  });
}

void NegativeSampler::from_corpus(Draw& draw) const {
  const auto size = static_cast<uint64_t>(corpus_size_);
  if (size == 0 || draw.reject([&] { return static_cast<int32_t>(draw.below(size)); })) return;
  draw.choose([&](auto&& offer) {
    for (int32_t article = 0; article < corpus_size_; ++article) offer(article);
  });
}

void NegativeSampler::from_popularity(Draw& draw) const {
  if (popular_.empty()) return;
  const bool done = draw.reject([&] {
    const auto click = static_cast<int64_t>(draw.below(static_cast<uint64_t>(click_sum_.back())));
    return popular_[static_cast<size_t>(std::ranges::upper_bound(click_sum_, click) - click_sum_.begin())];
  });
  if (done) return;
  // Weighted drawing without replacement as one sort (Efraimidis and Spirakis, "Weighted random sampling with a
  // reservoir", 2006): smallest -ln(u) / weight first.
  std::vector<std::pair<double, int32_t>> keys;
  for (size_t i = 0; i < popular_.size(); ++i)
    if (draw.usable(popular_[i]))
      keys.emplace_back(-std::log(1 - draw.uniform()) / double(click_sum_[i] - (i ? click_sum_[i - 1] : 0)),
                        popular_[i]);
  std::ranges::sort(keys);
  for (size_t i = 0; i < keys.size() && !draw.done(); ++i) draw.take(keys[i].second);
}

void NegativeSampler::from_recent(Draw& draw) const {
  const int64_t now = rows_.time[draw.row];
  if (now < 0) return;
  const int64_t last = now / 3600, first = last - options_.window_hours;
  const auto begin = std::ranges::lower_bound(shown_, first, {}, &Showing::hour);
  const auto end = std::ranges::upper_bound(shown_, last, {}, &Showing::hour);
  if (begin == end) return;
  // An article counts once however many hours it was shown in: at its earliest hour within the window.
  const auto live = [&](const Showing& s) { return s.previous < first && s.first <= now; };
  const bool done = draw.reject([&] {
    const Showing& s = begin[static_cast<int64_t>(draw.below(static_cast<uint64_t>(end - begin)))];
    return live(s) ? s.article : -1;
  });
  if (done) return;
  draw.choose([&](auto&& offer) {
    for (auto s = begin; s != end; ++s)
      if (live(*s)) offer(s->article);
  });
}

Candidates sample_candidates(const Behavior& rows, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                             int64_t& short_rows) {
  short_rows = 0;
  std::vector<int32_t> impression, drawn(static_cast<size_t>(negatives));
  RaggedBuilder<int32_t> candidate;
  std::vector<uint8_t> label;
  for (int64_t i = 0; i < rows.size(); ++i) {
    for (int64_t c = rows.candidate.offsets[i]; c < rows.candidate.offsets[i + 1]; ++c) {
      if (rows.label[c] != kClicked) continue;
      const int64_t positive = c - rows.candidate.offsets[i];
      const int count = sampler.draw(i, positive, 0, drawn);
      if (count < negatives) ++short_rows;
      const auto place = Random(seed, "candidate order").below(uint64_t(count) + 1, uint64_t(i), uint64_t(positive));
      impression.push_back(static_cast<int32_t>(i));
      for (int k = 0; k <= count; ++k) {
        const bool click = k == static_cast<int>(place);
        candidate.push(click ? rows.candidate.values[c]
                             : drawn[static_cast<size_t>(k > static_cast<int>(place) ? k - 1 : k)]);
        label.push_back(click ? kClicked : kNotClicked);
      }
      candidate.end_row();
    }
  }
  return {std::move(impression), candidate.take(), std::move(label)};
}

}  // namespace nd
