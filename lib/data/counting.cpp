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

// Calls f(article, time, user) for every click that counts.
template <class F>
void each_click(const InstancesToScore& what, F&& f) {
  const Clicks& c = what.clicks;
  for (int64_t u = 0; u < c.size(); ++u) {
    const auto at = static_cast<size_t>(u);
    const int64_t end = what.count_all ? what.windows.held_begin[at] : what.windows.train_end[at];
    for (int64_t i = c.article.offsets[u]; i < end; ++i) f(c.article.values[i], c.time[i], static_cast<int32_t>(u));
  }
}

int64_t articles(const InstancesToScore& what) { return what.clicks.corpus_size[0]; }

// The times of every article's clicks.
class Times {
 public:
  explicit Times(int64_t articles) : times_(static_cast<size_t>(articles)) {}
  void add(int32_t article, int64_t time) { times_[static_cast<size_t>(article)].push_back(time); }
  void sort() {
    for (auto& t : times_) std::sort(t.begin(), t.end());
  }
  // Clicks on the article in [begin, end).
  float between(int32_t article, int64_t begin, int64_t end) const {
    const auto& t = times_[static_cast<size_t>(article)];
    return static_cast<float>(std::lower_bound(t.begin(), t.end(), end) - std::lower_bound(t.begin(), t.end(), begin));
  }

 private:
  std::vector<std::vector<int64_t>> times_;
};

// Who clicked what.
class Readers {
 public:
  // pairs (article, user), in any order, with repeats; users are numbered below `users`.
  Readers(std::vector<std::pair<int32_t, int32_t>> pairs, int64_t articles, size_t users)
      : offsets_(static_cast<size_t>(articles) + 1), clicked_last_(users) {
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    for (const auto& [article, user] : pairs) {
      ++offsets_[static_cast<size_t>(article) + 1];
      users_.push_back(user);
    }
    for (size_t a = 1; a < offsets_.size(); ++a) offsets_[a] += offsets_[a - 1];
  }

  // Appends for each candidate how many users clicked both it and `last` (-1 for no article). The reader themselves (-1
  // for one who clicked nothing) are in their last article's list and tell nothing about the others.
  void score(int32_t last, int32_t reader, std::span<const int32_t> candidates, std::vector<float>& scores) {
    const auto with_last = last < 0 ? std::span<const int32_t>() : of(last);
    for (int32_t u : with_last) clicked_last_[static_cast<size_t>(u)] = u != reader;
    for (int32_t a : candidates)
      scores.push_back(static_cast<float>(
          std::ranges::count_if(of(a), [&](int32_t u) { return bool(clicked_last_[static_cast<size_t>(u)]); })));
    for (int32_t u : with_last) clicked_last_[static_cast<size_t>(u)] = false;
  }

 private:
  std::span<const int32_t> of(int32_t article) const {
    const auto a = static_cast<size_t>(article);
    return std::span(users_).subspan(offsets_[a], offsets_[a + 1] - offsets_[a]);
  }

  std::vector<size_t> offsets_;
  std::vector<int32_t> users_;
  std::vector<bool> clicked_last_;
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

std::vector<float> score_by_popularity(const InstancesToScore& what) {
  std::vector<float> clicks(static_cast<size_t>(articles(what)), 0.0f);
  each_click(what, [&](int32_t article, int64_t, int32_t) { clicks[static_cast<size_t>(article)] += 1; });
  std::vector<float> scores;
  for (int32_t a : what.candidate.values) scores.push_back(clicks[static_cast<size_t>(a)]);
  return scores;
}

std::vector<float> score_by_recent(const ToScore& what, std::span<const Behavior* const> from, int64_t window) {
  Times times(articles(what));
  each_click(from, nullptr, [&](int32_t article, int64_t time, std::string_view) {
    if (time >= 0) times.add(article, time);
  });
  times.sort();
  std::vector<float> scores;
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const int64_t now = what.behavior.time[what.impression[i]];
    for (int32_t a : what.candidate[i]) scores.push_back(now < 0 ? 0.0f : times.between(a, now - window, now));
  }
  return scores;
}

std::vector<float> score_by_recent(const InstancesToScore& what, int64_t window) {
  Times times(articles(what));
  each_click(what, [&](int32_t article, int64_t time, int32_t) { times.add(article, time); });
  times.sort();
  std::vector<float> scores;
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const int64_t now = what.clicks.time[what.instance[static_cast<size_t>(i)]];
    for (int32_t a : what.candidate[i]) scores.push_back(times.between(a, now - window, now));
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
  Readers readers(std::move(pairs), articles(what), user_row.size());

  std::vector<float> scores;
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const auto history = what.behavior.history[what.behavior.impression_history[what.impression[i]]];
    const auto self = user_row.find(what.behavior.user_id[what.behavior.user[what.impression[i]]]);
    readers.score(history.empty() ? -1 : history.back(), self == user_row.end() ? -1 : self->second, what.candidate[i],
                  scores);
  }
  return scores;
}

std::vector<float> score_by_coclick(const InstancesToScore& what) {
  std::vector<std::pair<int32_t, int32_t>> pairs;  // (article, user)
  each_click(what, [&](int32_t article, int64_t, int32_t user) { pairs.emplace_back(article, user); });
  Readers readers(std::move(pairs), articles(what), static_cast<size_t>(what.clicks.size()));
  std::vector<float> scores;
  for (int64_t i = 0; i < what.candidate.size(); ++i) {
    const int64_t instance = what.instance[static_cast<size_t>(i)];
    readers.score(what.clicks.article.values[instance - 1], user_of(what.clicks, instance), what.candidate[i], scores);
  }
  return scores;
}

std::vector<float> score_by(const std::string& name, const ToScore& what, std::span<const Behavior* const> from,
                            int64_t window) {
  return name == "popularity" ? score_by_popularity(what, from)
         : name == "recent"   ? score_by_recent(what, from, window)
                              : score_by_coclick(what, from);
}

std::vector<float> score_by(const std::string& name, const InstancesToScore& what, int64_t window) {
  return name == "popularity" ? score_by_popularity(what)
         : name == "recent"   ? score_by_recent(what, window)
                              : score_by_coclick(what);
}

}  // namespace nd
