// Instances of small logs, every number of clicks around the history's length, and what training may see.
#include "lib/data/windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/lib/data/small_clicks.h"
#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

using test::clicks_of;
using test::Read;
using Instances = std::vector<int32_t>;

// Users with these numbers of clicks, on articles 0, 1, 2, ... of a corpus of 1,000, one user after the other.
Clicks users_with(const std::vector<int64_t>& counts) {
  std::vector<std::vector<Read>> users;
  int32_t article = 0;
  for (const int64_t count : counts) {
    users.emplace_back();
    for (int64_t i = 0; i < count; ++i) users.back().push_back({article++, i});
  }
  return clicks_of(1000, users);
}

TEST(Windows, NewestIsForTheTestTheOneBeforeForValidationTheRestForTraining) {
  const Clicks log = users_with({7});
  const Windows w = windows_of(log, {.history = 3, .min_clicks = 1}, "log.nd");
  EXPECT_EQ(w.train, (Instances{3, 4}));
  EXPECT_EQ(w.valid, (Instances{5}));
  EXPECT_EQ(w.test, (Instances{6}));
  EXPECT_EQ(w.train_end, (std::vector<int64_t>{5}));
  EXPECT_EQ(&w.of("valid"), &w.valid);
  EXPECT_EQ(&w.of("test"), &w.test);
  EXPECT_THROW(w.of("train"), UsageError);
}

TEST(Windows, UserWithOnlyAHistoryHasNoInstance) {
  // Users of 3, 4, 5 and 6 clicks around a history of 3, one by one and together.
  const WindowOptions three{.history = 3, .min_clicks = 1};
  EXPECT_ND_ERROR(windows_of(users_with({3}), three, "log.nd"), "log.nd: has no user with at least 1 clicks and more");
  const Windows w = windows_of(users_with({3, 4, 5, 6, 0}), three, "log.nd");
  EXPECT_EQ(w.test, (Instances{3 + 3, 7 + 4, 12 + 5}));
  EXPECT_EQ(w.valid, (Instances{7 + 3, 12 + 4}));
  EXPECT_EQ(w.train, (Instances{12 + 3}));
  EXPECT_EQ(w.train_end, (std::vector<int64_t>{0, 3, 7, 12 + 4, 18}));
  EXPECT_EQ(w.held_begin, (std::vector<int64_t>{3, 3 + 3, 7 + 3, 12 + 4, 18}));
  EXPECT_EQ(w.no_instance, 1);
  EXPECT_EQ(w.too_few, 1);
}

TEST(Windows, PaperCountsPerUserFollowFromItsNumberOfClicks) {
  // Of n clicks the paper takes n - 1 - L for training and one for the test; here one more is held out for validation.
  for (int64_t n = 11; n < 40; ++n) {
    const Windows w = windows_of(users_with({n}), {.min_clicks = 1}, "log.nd");
    EXPECT_EQ(w.train.size() + w.valid.size(), static_cast<size_t>(n - 1 - 10));
    EXPECT_EQ(w.test.size(), 1u);
  }
}

TEST(Windows, UsersBelowTheMinimumAreLeftOutAndCounted) {
  const Clicks log = users_with({14, 15, 12});
  const Windows fifteen = windows_of(log, {}, "log.nd");
  EXPECT_EQ(fifteen.test, (Instances{28}));
  EXPECT_EQ(fifteen.too_few, 2);
  EXPECT_EQ(fifteen.train_end, (std::vector<int64_t>{0, 27, 29}));
  EXPECT_EQ(windows_of(log, {.min_clicks = 12}, "log.nd").test, (Instances{13, 28, 40}));
  EXPECT_ND_ERROR(windows_of(log, {.min_clicks = 16}, "log.nd"), "no user with at least 16 clicks");
}

TEST(Windows, NothingHeldOutIsSeenInTraining) {
  const Clicks log = users_with({20, 3, 13, 12, 11, 40});
  const WindowOptions options{.min_clicks = 1};
  const Windows w = windows_of(log, options, "log.nd");
  std::set<int32_t> seen;
  for (const int32_t i : w.train) {
    seen.insert(log.article.values[i]);
    for (const int32_t a : history_of(log, i, options.history)) seen.insert(a);
    // The history is the user's own and ends right before the click.
    EXPECT_EQ(user_of(log, i - options.history), user_of(log, i));
    EXPECT_EQ(history_of(log, i, options.history).back(), log.article.values[i - 1]);
  }
  for (const auto* held : {&w.valid, &w.test})
    for (const int32_t i : *held) {
      EXPECT_FALSE(seen.contains(log.article.values[i]));
      EXPECT_GE(i, w.train_end[static_cast<size_t>(user_of(log, i))]);
    }
  const std::vector<bool> warm = w.warm(log);
  EXPECT_EQ(cold(log, w, w.test), std::vector<int32_t>(w.test.size(), 1));
  EXPECT_EQ(cold(log, w, w.train), std::vector<int32_t>(w.train.size(), 0));
  for (int32_t a = 0; a < 1000; ++a) EXPECT_EQ(warm[static_cast<size_t>(a)], seen.contains(a)) << a;
}

TEST(Windows, WhatIsNotHeldOutIsRefused) {
  const Clicks log = users_with({20, 12});
  const Windows w = windows_of(log, {}, "log.nd");
  EXPECT_NO_THROW(require_held_out(log, w, Instances{18, 19}, "c.nd"));
  EXPECT_ND_ERROR(require_held_out(log, w, Instances{17, 19}, "c.nd"), "c.nd: names click 17, which is not held out");
  EXPECT_ND_ERROR(require_held_out(log, w, Instances{19, 31}, "c.nd"), "another --history or --min-clicks");
  EXPECT_NO_THROW(require_held_out(log, windows_of(log, {.min_clicks = 12}, "log.nd"), Instances{30, 31}, "c.nd"));
}

TEST(Windows, RepeatsInTheOwnHistoryAreCounted) {
  const Clicks log = clicks_of(9, {{{0}, {1}, {2}, {3}, {4}, {3}},    // test click on 3: in its history of 3
                                   {{0}, {1}, {2}, {3}, {4}, {0}},    // on 0: too long ago
                                   {{0}, {1}, {2}, {3}, {2}, {5}}});  // validation click on 2
  const Windows w = windows_of(log, {.history = 3, .min_clicks = 1}, "log.nd");
  EXPECT_EQ(w.predictable, 2);
}

TEST(Windows, EveryClickKnowsItsUser) {
  const Clicks log = users_with({2, 0, 0, 1, 3});
  std::vector<int32_t> users;
  for (int64_t i = 0; i < log.clicks(); ++i) users.push_back(user_of(log, i));
  EXPECT_EQ(users, (std::vector<int32_t>{0, 0, 3, 4, 4, 4}));
}

}  // namespace
}  // namespace nd
