#include "lib/data/counting.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace nd {
namespace {

// The impressions being scored, recognised in another file too: ids alone repeat between training and test files.
class Scored {
 public:
  explicit Scored(const ToScore& what) {
    for (int32_t i : what.impression) rows_.insert(Row{&what.behavior, i});
  }
  bool operator()(const Behavior& b, int64_t i) const { return rows_.count(Row{&b, i}) > 0; }

 private:
  struct Row {
    const Behavior* behavior;
    int64_t i;
    auto key() const {
      return std::tuple(behavior->impression_id[i], behavior->user_id[behavior->user[i]], behavior->time[i]);
    }
    bool operator<(const Row& other) const {
      if (key() != other.key()) return key() < other.key();
      const auto a = behavior->candidate[i], b = other.behavior->candidate[other.i];
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
  };
  std::set<Row> rows_;
};

// Calls f(article, time, user id) for every click in `from`, without those of `scored` when given.
template <class F>
void each_click(std::span<const Behavior* const> from, const Scored* scored, F&& f) {
  for (const Behavior* b : from)
    for (int64_t i = 0; i < b->size(); ++i) {
      if (scored && (*scored)(*b, i)) continue;
      for (int64_t c = b->candidate.offsets[i]; c < b->candidate.offsets[i + 1]; ++c)
        if (b->label[c] == kClicked) f(b->candidate.values[c], b->time[i], b->user_id[b->user[i]]);
    }
}

int64_t articles(const ToScore& what) { return what.behavior.corpus_size[0]; }

// Rows of pairs (key, value) by key, values sorted and distinct.
struct Lists {
  std::vector<int64_t> offsets;
  std::vector<int32_t> values;

  Lists(std::vector<std::pair<int32_t, int32_t>> pairs, int64_t keys) : offsets(static_cast<size_t>(keys) + 1, 0) {
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    for (const auto& [key, value] : pairs) {
      ++offsets[static_cast<size_t>(key) + 1];
      values.push_back(value);
    }
    for (int64_t k = 0; k < keys; ++k) offsets[k + 1] += offsets[k];
  }
  std::span<const int32_t> operator[](int64_t key) const {
    return std::span(values).subspan(offsets[key], offsets[key + 1] - offsets[key]);
  }
};

}  // namespace

std::vector<float> score_by_popularity(const ToScore& what, std::span<const Behavior* const> from) {
  std::vector<float> clicks(static_cast<size_t>(articles(what)), 0.0f);
  const Scored scored(what);
  each_click(from, &scored, [&](int32_t article, int64_t, std::string_view) { clicks[article] += 1; });
  std::vector<float> scores;
  for (int32_t a : what.candidate.values) scores.push_back(clicks[a]);
  return scores;
}

std::vector<float> score_by_recent(const ToScore& what, std::span<const Behavior* const> from, int64_t window) {
  std::vector<std::vector<int64_t>> times(static_cast<size_t>(articles(what)));
  each_click(from, nullptr, [&](int32_t article, int64_t time, std::string_view) {
    if (time >= 0) times[article].push_back(time);
  });
  for (auto& t : times) std::sort(t.begin(), t.end());
  std::vector<float> scores;
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const int64_t now = what.behavior.time[what.impression[i]];
    for (int32_t a : what.candidate[i]) {
      const auto& t = times[a];
      const auto begin = std::lower_bound(t.begin(), t.end(), now - window), end = std::lower_bound(t.begin(), t.end(), now);
      scores.push_back(now < 0 ? 0.0f : static_cast<float>(end - begin));
    }
  }
  return scores;
}

std::vector<float> score_by_coclick(const ToScore& what, std::span<const Behavior* const> from) {
  // Users are told apart by id, since every file numbers them anew.
  std::unordered_map<std::string_view, int32_t> user_row;
  const auto row = [&](std::string_view id) {
    return user_row.emplace(id, static_cast<int32_t>(user_row.size())).first->second;
  };
  std::vector<std::pair<int32_t, int32_t>> pairs;  // (article, user)
  const Scored scored(what);
  each_click(from, &scored,
             [&](int32_t article, int64_t, std::string_view user) { pairs.emplace_back(article, row(user)); });
  for (const Behavior* b : from)
    for (int64_t i = 0; i < b->size(); ++i)
      for (int32_t a : b->history[b->impression_history[i]]) pairs.emplace_back(a, row(b->user_id[b->user[i]]));
  const Lists users(std::move(pairs), articles(what));

  std::vector<float> scores;
  std::vector<bool> clicked_last(user_row.size(), false);
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const auto history = what.behavior.history[what.behavior.impression_history[what.impression[i]]];
    const auto last = history.empty() ? std::span<const int32_t>() : users[history.back()];
    // The reader themselves is in their last article's list and tells nothing about the others.
    const auto self = user_row.find(what.behavior.user_id[what.behavior.user[what.impression[i]]]);
    for (int32_t u : last) clicked_last[u] = true;
    if (self != user_row.end()) clicked_last[self->second] = false;
    for (int32_t a : what.candidate[i])
      scores.push_back(static_cast<float>(
          std::count_if(users[a].begin(), users[a].end(), [&](int32_t u) { return bool(clicked_last[u]); })));
    for (int32_t u : last) clicked_last[u] = false;
  }
  return scores;
}

}  // namespace nd
