#include "lib/data/split.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "lib/data/interner.h"
#include "lib/io/source.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kDay = 86400;
// Readers do come back to an article, but not this often.
constexpr double kMostClicksInHistory = 0.5;

std::string percent(double fraction) {
  std::string text = std::to_string(fraction * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

class Splitter {
 public:
  Splitter(const Behavior& log, const std::string& path) : log_(log), path_(shown(path)), held_(rows()) {}

  Split split(const SplitOptions& options, uint64_t seed) {
    Split out;
    hold_out(options, seed, out.how);
    std::vector<int64_t> train, valid;
    for (size_t i = 0; i < held_.size(); ++i) (held_[i] ? valid : train).push_back(static_cast<int64_t>(i));
    if (train.empty() || valid.empty())
      throw Error(path_, out.how + ", which leaves " + std::to_string(train.size()) +
                             " impressions to learn from and " + std::to_string(valid.size()) + " to judge by");
    refuse_shared_ids();
    refuse_shared_impressions();
    refuse_clicks_in_later_histories();
    count_clicks(valid, out);
    out.train = select_impressions(log_, train);
    out.valid = select_impressions(log_, valid);
    const Vocabulary users(out.train.user_id);
    for (int64_t u = 0; u < out.valid.user_id.size(); ++u) out.new_users += users.find(out.valid.user_id[u]) < 0;
    return out;
  }

 private:
  size_t rows() const { return static_cast<size_t>(log_.size()); }
  bool held(int64_t row) const { return held_[static_cast<size_t>(row)]; }
  std::string id(int64_t row) const { return std::string(log_.impression_id[row]); }

  void hold_out(const SplitOptions& options, uint64_t seed, std::string& how) {
    if (log_.size() == 0) throw Error(path_, "has no impressions");
    const auto [first, last] = std::ranges::minmax(log_.time);
    const bool all_times = first >= 0;
    std::string by = options.by, why;
    if (by == "auto") {
      by = all_times && last - first >= 2 * kDay ? "time" : "impression";
      if (by == "impression") why = all_times ? "the log spans less than two days: " : "some times are unknown: ";
    }
    if (by == "time") {
      if (!all_times) throw Error(path_, "some times are unknown, expected all to split by time (or --by impression)");
      const int64_t cut = (last / kDay - options.days + 1) * kDay;
      for (size_t i = 0; i < rows(); ++i) held_[i] = log_.time[static_cast<int64_t>(i)] >= cut;
      how = options.days == 1 ? "the last day is held out"
                              : "the last " + std::to_string(options.days) + " days are held out";
      return;
    }
    const Random random(seed, "split");
    for (int64_t i = 0; i < log_.size(); ++i) {
      const std::string_view key = by == "user" ? log_.user_id[log_.user[i]] : log_.impression_id[i];
      held_[static_cast<size_t>(i)] = random.uniform(Random::hash(key)) < options.fraction;
    }
    how = why + percent(options.fraction) + " of the " + by + "s are held out by a hash of their ids";
  }

  void refuse_shared_ids() const {
    Vocabulary ids;
    std::vector<bool> part;
    for (int64_t i = 0; i < log_.size(); ++i) {
      const auto row = static_cast<size_t>(ids.add(log_.impression_id[i]));
      if (row == part.size()) part.push_back(held(i));
      if (part[row] != held(i))
        throw Error(path_, "the split leaks: the impression id " + id(i) + " stands in both parts");
    }
  }

  // Some logs write an impression down twice. Only times that are known can tell.
  void refuse_shared_impressions() const {
    std::vector<int64_t> order = by_user();
    const auto before = [&](int64_t a, int64_t b) {
      return log_.user[a] == log_.user[b] &&
             (log_.time[a] < log_.time[b] ||
              (log_.time[a] == log_.time[b] &&
               std::ranges::lexicographical_compare(log_.candidate[a], log_.candidate[b])));
    };
    for (size_t begin = 0, end; begin < order.size(); begin = end) {
      end = end_of_user(order, begin);
      std::stable_sort(order.begin() + static_cast<int64_t>(begin), order.begin() + static_cast<int64_t>(end), before);
    }
    for (size_t k = 1; k < order.size(); ++k) {
      const int64_t a = order[k - 1], b = order[k];
      if (log_.user[a] == log_.user[b] && log_.time[a] == log_.time[b] && log_.time[a] >= 0 &&
          std::ranges::equal(log_.candidate[a], log_.candidate[b]) && held(a) != held(b))
        throw Error(path_, "the split leaks: impressions " + id(a) + " and " + id(b) +
                               " are the same one under two ids, and stand in different parts");
    }
  }

  // A history grows with the clicks before it. Where a training impression comes after a held-out one, its history may
  // hold what was clicked there. (It may also have been clicked before; then it is in the held-out one's history too.)
  void refuse_clicks_in_later_histories() const {
    struct Click {
      int32_t article;
      int64_t time, row;
    };
    const std::vector<int64_t> order = by_user();
    std::vector<Click> clicks;
    int64_t leaks = 0, held_row = -1, train_row = -1;
    for (size_t begin = 0, end; begin < order.size(); begin = end) {
      end = end_of_user(order, begin);
      clicks.clear();
      for (size_t k = begin; k < end; ++k)
        if (const int64_t i = order[k]; held(i))
          each_click(i, [&](int32_t article, bool in_history) {
            if (!in_history) clicks.push_back({article, log_.time[i], i});
          });
      // Of an article's clicks the first is the one that a history is likeliest to hold.
      std::ranges::stable_sort(clicks, {}, [](const Click& c) { return std::pair(c.article, c.time); });
      const auto same_article = [](const Click& a, const Click& b) { return a.article == b.article; };
      clicks.erase(std::unique(clicks.begin(), clicks.end(), same_article), clicks.end());
      for (size_t k = begin; k < end && !clicks.empty(); ++k) {
        const int64_t i = order[k];
        if (held(i)) continue;
        for (const int32_t article : log_.history[log_.impression_history[i]]) {
          const auto c = std::ranges::lower_bound(clicks, article, {}, &Click::article);
          if (c == clicks.end() || c->article != article) continue;
          const bool earlier = log_.time[i] >= 0 && log_.time[i] < c->time;
          if (earlier || leaks++ > 0) continue;
          held_row = c->row;
          train_row = i;
        }
      }
    }
    if (leaks > 0)
      throw Error(path_,
                  "the split leaks: what was clicked in held-out impressions is in the histories of training "
                  "impressions that are not earlier, " +
                      std::to_string(leaks) + " times (first: clicked in " + id(held_row) + ", in the history of " +
                      id(train_row) + "); split by time or by user");
  }

  void count_clicks(std::span<const int64_t> valid, Split& out) const {
    for (const int64_t i : valid)
      each_click(i, [&](int32_t, bool in_history) {
        ++out.clicks;
        out.clicks_in_history += in_history;
      });
    if (static_cast<double>(out.clicks_in_history) > kMostClicksInHistory * static_cast<double>(out.clicks))
      throw Error(path_, "the split leaks: " + std::to_string(out.clicks_in_history) + " of the " +
                             std::to_string(out.clicks) +
                             " held-out clicks are in the history of their own impression; the histories were taken "
                             "after the impressions, expected before");
  }

  // Calls f(article, whether it is in the history of its own impression) for each click of an impression.
  template <class F>
  void each_click(int64_t row, F&& f) const {
    const auto history = log_.history[log_.impression_history[row]];
    for (int64_t c = log_.candidate.offsets[row]; c < log_.candidate.offsets[row + 1]; ++c)
      if (log_.label[c] == kClicked) {
        const int32_t article = log_.candidate.values[c];
        f(article, std::ranges::find(history, article) != history.end());
      }
  }

  // Rows by user, those of one user in file order.
  std::vector<int64_t> by_user() const {
    std::vector<int64_t> order(rows());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](int64_t i) { return log_.user[i]; });
    return order;
  }
  size_t end_of_user(const std::vector<int64_t>& order, size_t begin) const {
    size_t end = begin;
    while (end < order.size() && log_.user[order[end]] == log_.user[order[begin]]) ++end;
    return end;
  }

  const Behavior& log_;
  std::string path_;
  std::vector<bool> held_;  // of each impression
};

}  // namespace

Split split_behavior(const Behavior& log, const SplitOptions& options, uint64_t seed, const std::string& path) {
  return Splitter(log, path).split(options, seed);
}

Behavior select_impressions(const Behavior& log, std::span<const int64_t> rows) {
  Vocabulary users;
  StringsBuilder impression_id;
  RaggedBuilder<int32_t> history, candidate;
  std::vector<int32_t> user, impression_history;
  std::vector<int32_t> history_row(static_cast<size_t>(log.history.size()), -1);
  std::vector<int64_t> time;
  std::vector<uint8_t> label;
  for (const int64_t i : rows) {
    int32_t& h = history_row[static_cast<size_t>(log.impression_history[i])];
    if (h < 0) {
      h = static_cast<int32_t>(history.size());
      history.append(log.history[log.impression_history[i]]);
      history.end_row();
    }
    user.push_back(users.add(log.user_id[log.user[i]]));
    impression_id.push(log.impression_id[i]);
    impression_history.push_back(h);
    time.push_back(log.time[i]);
    candidate.append(log.candidate[i]);
    candidate.end_row();
    label.insert(label.end(), log.label.begin() + log.candidate.offsets[i],
                 log.label.begin() + log.candidate.offsets[i + 1]);
  }
  return {users.take(),     history.take(),   impression_id.take(),
          std::move(user),  std::move(time),  std::move(impression_history),
          candidate.take(), std::move(label), log.corpus_size};
}

}  // namespace nd
