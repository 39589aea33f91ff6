// Counts worked by hand on a few impressions.
#include "lib/data/counting.h"

#include <gtest/gtest.h>

#include <numeric>

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
  const Behavior log = past(), asked = behavior_of(5, {{"1", "z", 40 * kHour, {}, {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 1}}}});
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
  EXPECT_EQ(at(10 * kHour), 0);      // its own moment
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
  const Behavior log = past(), asked = behavior_of(5, {{"8", "y", 40 * kHour, {}, {}}, {"9", "z", 20 * kHour + 1, {}, {{4, 1}}}});
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

}  // namespace
}  // namespace nd
