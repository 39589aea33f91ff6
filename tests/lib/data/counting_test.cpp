// Counts worked by hand on a few impressions.
#include "lib/data/counting.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/lib/data/small_clicks.h"
#include "tests/lib/data/small_log.h"

namespace nd {
namespace {

using test::behavior_of;
using Scores = std::vector<float>;

constexpr int64_t kHour = 3600, kDay = 24 * kHour, kUnknown = -1;

// All impressions of `asked`, scored from `from` in one way.
class Asked {
 public:
  explicit Asked(const Behavior& asked) : behavior_(asked), all_(static_cast<size_t>(asked.size())) {
    std::iota(all_.begin(), all_.end(), 0);
  }
  Scores popularity(std::vector<const Behavior*> from) const { return score_by_popularity(what(), from); }
  Scores recent(std::vector<const Behavior*> from, int64_t window = kDay) const {
    return score_by_recent(what(), from, window);
  }
  Scores coclick(std::vector<const Behavior*> from) const { return score_by_coclick(what(), from); }

 private:
  ToScore what() const { return {behavior_, all_, behavior_.candidate}; }
  const Behavior& behavior_;
  std::vector<int32_t> all_;
};

// 0 is clicked twice, 1 once, 2 is shown only, 3 has no label.
Behavior past() {
  return behavior_of(5, {{"1", "a", 10 * kHour, {}, {{0, 1}, {2, 0}}},
                         {"2", "b", 20 * kHour, {}, {{0, 1}, {1, 1}}},
                         {"3", "c", 30 * kHour, {}, {{3, kUnlabelled}}}});
}

TEST(Popularity, CountsClicksOfAllFilesAndNothingElse) {
  const Behavior log = past(),
                 asked = behavior_of(5, {{"1", "z", 40 * kHour, {}, {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 1}}}});
  EXPECT_EQ(Asked(asked).popularity({&log}), (Scores{2, 1, 0, 0, 0}));
  EXPECT_EQ(Asked(asked).popularity({&log, &log}), (Scores{4, 2, 0, 0, 0}));
}

TEST(Popularity, LeavesOutTheScoredImpressionsInWhicheverFileTheyStand) {
  const Behavior both = past(), second = behavior_of(5, {{"2", "b", 20 * kHour, {}, {{0, 1}, {1, 1}}}});
  EXPECT_EQ(Asked(second).popularity({&second}), (Scores{0, 0}));
  EXPECT_EQ(Asked(second).popularity({&both}), (Scores{1, 0}));
}

TEST(Popularity, CountsAnotherImpressionOfTheSameId) {
  const Behavior log = past();
  // The same id, but another user, another time or other candidates.
  for (const Behavior& other : {behavior_of(5, {{"2", "q", 20 * kHour, {}, {{0, 1}, {1, 1}}}}),
                                behavior_of(5, {{"2", "b", 21 * kHour, {}, {{0, 1}, {1, 1}}}}),
                                behavior_of(5, {{"2", "b", 20 * kHour, {}, {{0, 1}, {1, 1}, {4, 0}}}})}) {
    const Scores s = Asked(other).popularity({&log});
    EXPECT_EQ(s[0], 2);
    EXPECT_EQ(s[1], 1);
  }
}

TEST(Recent, CountsWithinTheWindowWithTheMomentItselfOutside) {
  const Behavior log = past();
  const auto at = [&](int64_t time) {
    return Asked(behavior_of(5, {{"9", "z", time, {}, {{0, 0}}}})).recent({&log}, 10 * kHour)[0];
  };
  EXPECT_EQ(at(10 * kHour), 0);  // its own moment
  EXPECT_EQ(at(10 * kHour + 1), 1);
  EXPECT_EQ(at(20 * kHour), 1);      // the first click is just inside, the second is now
  EXPECT_EQ(at(20 * kHour + 1), 1);  // the first is out, the second in
  EXPECT_EQ(at(30 * kHour), 1);
  EXPECT_EQ(at(30 * kHour + 1), 0);
}

TEST(Recent, SaysNothingWhereATimeIsUnknown) {
  const Behavior log = past(), timeless = behavior_of(5, {{"1", "a", kUnknown, {}, {{0, 1}}}});
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "z", kUnknown, {}, {{0, 0}}}})).recent({&log}), (Scores{0}));
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "z", 5 * kHour, {}, {{0, 0}}}})).recent({&timeless}), (Scores{0}));
}

TEST(Recent, CountsEarlierScoredImpressionsButNeverItself) {
  const Behavior asked = behavior_of(5, {{"1", "a", 10 * kHour, {}, {{0, 1}, {1, 0}}},
                                         {"2", "b", 11 * kHour, {}, {{0, 1}, {1, 0}}},
                                         {"3", "c", 12 * kHour, {}, {{0, 0}, {1, 1}}}});
  EXPECT_EQ(Asked(asked).recent({&asked}), (Scores{0, 0, 1, 0, 2, 0}));
}

TEST(Coclick, CountsOtherUsersWhoClickedBoth) {
  // a clicked 0 and 1, b 0 (in the history) and 2, c only 2; the files number their users differently.
  const Behavior one = behavior_of(5, {{"1", "a", 1, {}, {{0, 1}, {1, 1}, {2, 0}}}, {"2", "b", 2, {0}, {{2, 1}}}}),
                 two = behavior_of(5, {{"1", "c", 3, {}, {{2, 1}}}, {"2", "b", 4, {0}, {{1, 0}}}});
  const std::vector<test::Shown> shown = {{0, 0}, {1, 0}, {2, 0}, {3, 1}};
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "z", 9, {4, 0}, shown}})).coclick({&one, &two}), (Scores{2, 1, 1, 0}));
  // b is no witness for b.
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "b", 9, {4, 0}, shown}})).coclick({&one, &two}), (Scores{1, 1, 0, 0}));
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "z", 9, {}, shown}})).coclick({&one, &two}), (Scores{0, 0, 0, 0}));
  // Nobody who clicked 4 clicked anything else.
  EXPECT_EQ(Asked(behavior_of(5, {{"9", "z", 9, {0, 4}, shown}})).coclick({&one, &two}), (Scores{0, 0, 0, 0}));
}

TEST(Coclick, LeavesOutTheClicksOfScoredImpressions) {
  const Behavior asked = behavior_of(5, {{"1", "a", 1, {0}, {{1, 1}, {2, 0}}}, {"2", "b", 2, {0}, {{1, 1}, {2, 0}}}});
  EXPECT_EQ(Asked(asked).coclick({&asked}), (Scores{0, 0, 0, 0}));
}

TEST(Counting, OfNoImpressionsIsNothing) {
  const Behavior log = past(), none = behavior_of(5, {});
  EXPECT_TRUE(Asked(none).popularity({&log}).empty());
  EXPECT_TRUE(Asked(none).recent({&log}).empty());
  EXPECT_TRUE(Asked(none).coclick({&log}).empty());
  EXPECT_EQ(Asked(log).popularity({&none}), Scores(5, 0));
}

TEST(Counting, ScoresFixedCandidatesInsteadOfTheShownOnes) {
  const Behavior log = past(),
                 asked = behavior_of(5, {{"8", "y", 40 * kHour, {}, {}}, {"9", "z", 20 * kHour + 1, {}, {{4, 1}}}});
  RaggedBuilder<int32_t> rows;
  rows.append(std::vector<int32_t>{1, 0});
  rows.end_row();
  rows.append(std::vector<int32_t>{2});
  rows.end_row();
  const auto candidate = rows.take();
  const std::vector<int32_t> impression = {1, 1};  // twice the second
  const std::vector<const Behavior*> from = {&log};
  EXPECT_EQ(score_by_popularity({asked, impression, candidate}, from), (Scores{1, 2, 0}));
  EXPECT_EQ(score_by_recent({asked, impression, candidate}, from, kHour), (Scores{1, 1, 0}));
}

// A log of clicks with histories of 2: user 0 has 5 clicks (2 held out), user 1 as many, user 2 has 3 (1: no training
// window), user 3 has 2 (no window at all).
class ClickCounts : public testing::Test {
 protected:
  const Clicks log =
      test::clicks_of(8, {{{0, 1 * kHour}, {1, 2 * kHour}, {2, 3 * kHour}, {3, 4 * kHour}, {4, 9 * kHour}},
                          {{1, 2 * kHour}, {2, 3 * kHour + 1}, {0, 5 * kHour}, {3, 6 * kHour}, {5, 8 * kHour}},
                          {{2, 3 * kHour}, {6, 4 * kHour}, {5, 9 * kHour}},
                          {{5, 1 * kHour}, {4, 2 * kHour}}});
  const Windows windows = windows_of(log, {.history = 2, .min_clicks = 1}, "log.nd");
  // The test clicks of users 0, 1 and 2, all articles as candidates of each.
  const std::vector<int32_t> instance = {4, 9, 12};
  const Ragged<int32_t> candidate = sample();
  static Ragged<int32_t> sample() {
    RaggedBuilder<int32_t> out;
    for (int row = 0; row < 3; ++row) {
      for (int32_t a = 0; a < 8; ++a) out.push(a);
      out.end_row();
    }
    return out.take();
  }
  InstancesToScore what(bool all = false) const { return {log, windows, instance, candidate, all}; }
  static Scores row(const Scores& scores, size_t at) {
    return {scores.begin() + static_cast<long>(8 * at), scores.begin() + static_cast<long>(8 * at + 8)};
  }
};

TEST_F(ClickCounts, PopularityCountsTrainingClicksOnly) {
  // Training: user 0's first three clicks, user 1's first three.
  const Scores scores = score_by_popularity(what());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(row(scores, i), (Scores{2, 2, 2, 0, 0, 0, 0, 0}));
  // And of users without training windows, whatever is not held out.
  EXPECT_EQ(row(score_by_popularity(what(true)), 0), (Scores{2, 2, 3, 0, 1, 1, 1, 0}));
}

TEST_F(ClickCounts, RecentCountsTheWindowBeforeTheClick) {
  // Seen from hours 9, 8 and 9: of the training clicks only that on 0 at hour 5 is younger than 5 hours.
  EXPECT_EQ(row(score_by_recent(what(), 5 * kHour), 0), (Scores{1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(score_by_recent(what(), 5 * kHour), 1), (Scores{1, 0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(score_by_recent(what(), 6 * kHour), 0), (Scores{1, 0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(score_by_recent(what(true), 100 * kHour), 2), (Scores{2, 2, 3, 0, 1, 1, 1, 0}));
  // The moment itself does not count.
  const std::vector<int32_t> early = {2};
  const InstancesToScore at_three{log, windows, early, test::clicks_of(8, {{{2}, {1}}}).article};
  EXPECT_EQ(score_by_recent(at_three, 100 * kHour), (Scores{0, 2}));
}

TEST_F(ClickCounts, CoclickCountsOtherReadersOfTheLastArticle) {
  // User 2's last article, 6, has no training reader. The last article of users 0 and 1 is 3: held out, none either.
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(row(score_by_coclick(what()), i), Scores(8, 0));
  // As if user 1 were asked after article 2: user 0 read it and 0 and 1; user 1 does not count for itself.
  const std::vector<int32_t> after_two = {7};
  const Ragged<int32_t> row7 = test::clicks_of(8, {{{0}, {1}, {2}, {3}}}).article;
  EXPECT_EQ(score_by_coclick({log, windows, after_two, row7}), (Scores{1, 1, 1, 0}));
  // With all clicks user 2 read article 2 too.
  EXPECT_EQ(score_by_coclick({log, windows, after_two, row7, true}), (Scores{1, 1, 2, 0}));
}

TEST_F(ClickCounts, NothingHeldOutCounts) {
  // Clicks 3, 4, 8, 9 and 12 are held out: changing their articles and times changes no count.
  Clicks other =
      test::clicks_of(8, {{{0, 1 * kHour}, {1, 2 * kHour}, {2, 3 * kHour}, {7, 8 * kHour}, {7, 9 * kHour}},
                          {{1, 2 * kHour}, {2, 3 * kHour + 1}, {0, 5 * kHour}, {7, 7 * kHour}, {6, 8 * kHour}},
                          {{2, 3 * kHour}, {6, 4 * kHour}, {1, 9 * kHour}},
                          {{5, 1 * kHour}, {4, 2 * kHour}}});
  for (const bool all : {false, true}) {
    const InstancesToScore changed{other, windows, instance, candidate, all};
    EXPECT_EQ(score_by_popularity(changed), score_by_popularity(what(all)));
    EXPECT_EQ(score_by_recent(changed, 100 * kHour), score_by_recent(what(all), 100 * kHour));
  }
}

}  // namespace
}  // namespace nd
