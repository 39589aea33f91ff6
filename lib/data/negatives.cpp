#include "lib/data/negatives.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "lib/data/interner.h"

namespace nd {
namespace {

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
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
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
  clicks.erase(std::unique(clicks.begin(), clicks.end()), clicks.end());

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
    popularity_ = Popularity(times);
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
  const int32_t user = rows_.user[row];
  DistinctDraw draw(random_, uint64_t(positive) << 32, uint64_t(epoch) << 40 | uint64_t(row), out,
                    [this, user](int32_t article) { return !clicked(user, article); });
  switch (options_.source) {
    case NegativeSource::impression:
      from_impression(row, draw);
      break;
    case NegativeSource::popularity:
      popularity_.draw_from(draw);
      break;
    case NegativeSource::recent:
      from_recent(rows_.time[row], draw);
      break;
    case NegativeSource::corpus:
      break;
  }
  from_corpus(draw);
  return static_cast<int>(draw.count());
}

bool NegativeSampler::clicked(int32_t user, int32_t article) const {
  return std::ranges::binary_search(clicks_[user], article);
}

template <class Draw>
void NegativeSampler::from_impression(int64_t row, Draw& draw) const {
  draw.choose([&](auto&& offer) {
    for (int64_t c = rows_.candidate.offsets[row]; c < rows_.candidate.offsets[row + 1]; ++c)
      if (rows_.label[c] == kNotClicked) offer(rows_.candidate.values[c]);
  });
}

template <class Draw>
void NegativeSampler::from_corpus(Draw& draw) const {
  const auto size = static_cast<size_t>(corpus_size_);
  if (draw.few_of(size) && draw.reject([&] { return static_cast<int32_t>(draw.below(size)); })) return;
  std::vector<int32_t> all(size);
  std::iota(all.begin(), all.end(), 0);
  draw.shuffle(all);
}

template <class Draw>
void NegativeSampler::from_recent(int64_t now, Draw& draw) const {
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

void append_among(int32_t positive, std::span<const int32_t> negatives, const Random& order, uint64_t a, uint64_t b,
                  RaggedBuilder<int32_t>& candidate, std::vector<uint8_t>& label) {
  const auto place = static_cast<size_t>(order.below(negatives.size() + 1, a, b));
  for (size_t k = 0; k <= negatives.size(); ++k) {
    candidate.push(k == place ? positive : negatives[k > place ? k - 1 : k]);
    label.push_back(k == place ? kClicked : kNotClicked);
  }
  candidate.end_row();
}

Candidates sample_candidates(const Behavior& rows, const NegativeSampler& sampler, int64_t negatives, uint64_t seed,
                             int64_t& short_rows) {
  short_rows = 0;
  const Random order(seed, "candidate order");
  std::vector<int32_t> impression, drawn(static_cast<size_t>(negatives));
  RaggedBuilder<int32_t> candidate;
  std::vector<uint8_t> label;
  for (int64_t i = 0; i < rows.size(); ++i) {
    for (int64_t c = rows.candidate.offsets[i]; c < rows.candidate.offsets[i + 1]; ++c) {
      if (rows.label[c] != kClicked) continue;
      const int64_t positive = c - rows.candidate.offsets[i];
      const int count = sampler.draw(i, positive, 0, drawn);
      if (count < negatives) ++short_rows;
      impression.push_back(static_cast<int32_t>(i));
      append_among(rows.candidate.values[c], std::span(drawn).first(static_cast<size_t>(count)), order, uint64_t(i),
                   uint64_t(positive), candidate, label);
    }
  }
  return {std::move(impression), candidate.take(), std::move(label)};
}

}  // namespace nd
