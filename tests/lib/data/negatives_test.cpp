#include "lib/data/negatives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/lib/data/small_log.h"

namespace nd {
namespace {

using test::behavior_of;

constexpr int64_t kHour = 3600;

std::vector<int32_t> drawn(const NegativeSampler& sampler, int64_t row, int64_t positive, int64_t epoch, size_t n) {
  std::vector<int32_t> out(n);
  out.resize(static_cast<size_t>(sampler.draw(row, positive, epoch, out)));
  return out;
}

// User a clicked 0 (history), 1 (row 0) and 2 (row 2); user b clicked 5.
Behavior two_users() {
  return behavior_of(40, {{"i1", "a", 100 * kHour, {0}, {{1, 1}, {2, 0}, {3, 0}, {4, 0}}},
                          {"i2", "b", 101 * kHour, {}, {{5, 1}, {1, 0}, {6, 0}}},
                          {"i3", "a", 102 * kHour, {0}, {{2, 1}, {7, 0}}}});
}

TEST(Negatives, OfAnImpressionAreItsOtherArticlesAndThenTheCorpus) {
  const Behavior log = two_users();
  const NegativeSampler sampler(log, {NegativeSource::impression}, 1);
  for (int64_t epoch = 0; epoch < 50; ++epoch) {
    auto few = drawn(sampler, 0, 0, epoch, 2);
    std::ranges::sort(few);
    EXPECT_EQ(few, (std::vector<int32_t>{3, 4}));  // 2 was not clicked here, but by the same user later
    const auto many = drawn(sampler, 0, 0, epoch, 5);
    EXPECT_EQ(many.size(), 5u);
    EXPECT_EQ(std::set<int32_t>(many.begin(), many.begin() + 2), (std::set<int32_t>{3, 4}));
  }
}

TEST(Negatives, AreNeverClicksOfTheUserAndNeverRepeat) {
  const Behavior log = two_users();
  for (const auto source :
       {NegativeSource::impression, NegativeSource::corpus, NegativeSource::popularity, NegativeSource::recent}) {
    const NegativeSampler sampler(log, {source}, 3);
    for (int64_t epoch = 0; epoch < 20; ++epoch) {
      const auto some = drawn(sampler, 0, 0, epoch, 12);
      ASSERT_EQ(some.size(), 12u);
      EXPECT_EQ(std::set<int32_t>(some.begin(), some.end()).size(), 12u);
      for (const int32_t article : some) EXPECT_GT(article, 2);
    }
  }
}

TEST(Negatives, AreFewerWhenTheCorpusHasNoMore) {
  const Behavior log = behavior_of(6, {{"i", "a", 0, {0, 1}, {{2, 1}, {3, 0}}}});
  for (const auto source :
       {NegativeSource::impression, NegativeSource::corpus, NegativeSource::popularity, NegativeSource::recent}) {
    auto all = drawn(NegativeSampler(log, {source}, 1), 0, 0, 0, 9);
    std::ranges::sort(all);
    EXPECT_EQ(all, (std::vector<int32_t>{3, 4, 5}));
  }
}

TEST(Negatives, DependOnSeedEpochRowAndPositiveOnly) {
  const Behavior log = two_users();
  const NegativeSampler one(log, {NegativeSource::corpus}, 1), same(log, {NegativeSource::corpus}, 1),
      other(log, {NegativeSource::corpus}, 2);
  const auto base = drawn(one, 0, 0, 0, 10);
  drawn(one, 2, 0, 0, 3);
  EXPECT_EQ(drawn(one, 0, 0, 0, 10), base);
  EXPECT_EQ(drawn(same, 0, 0, 0, 10), base);
  EXPECT_NE(drawn(other, 0, 0, 0, 10), base);
  EXPECT_NE(drawn(one, 0, 0, 1, 10), base);
  EXPECT_NE(drawn(one, 0, 1, 0, 10), base);
  EXPECT_NE(drawn(one, 2, 0, 0, 10), base);
}

TEST(Negatives, OfAnImpressionAreEquallyLikely) {
  const Behavior log = behavior_of(9, {{"i", "a", 0, {}, {{0, 1}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}}}});
  const NegativeSampler sampler(log, {NegativeSource::impression}, 5);
  std::map<int32_t, int> times;
  for (int64_t epoch = 0; epoch < 10000; ++epoch)
    for (const int32_t article : drawn(sampler, 0, 0, epoch, 2)) ++times[article];
  ASSERT_EQ(times.size(), 5u);
  for (const auto& [article, n] : times) EXPECT_NEAR(n, 4000, 250) << article;  // five standard deviations
}

TEST(Negatives, ByPopularityFollowTheClicksOfTheCountedFile) {
  const Behavior log = behavior_of(9, {{"i", "a", 0, {}, {{8, 1}}}});
  const Behavior clicks = behavior_of(
      9,
      {{"1", "x", 0, {}, {{1, 1}, {2, 1}, {3, 0}}}, {"2", "y", 0, {4}, {{1, 1}}}, {"3", "z", 0, {}, {{1, 1}, {5, 0}}}});
  const NegativeSampler sampler(log, {NegativeSource::popularity}, 5, {}, &clicks);
  std::map<int32_t, int> times;
  for (int64_t epoch = 0; epoch < 8000; ++epoch)
    for (const int32_t article : drawn(sampler, 0, 0, epoch, 1)) ++times[article];
  ASSERT_EQ(times.size(), 2u);
  EXPECT_NEAR(times[1], 6000, 200);
  EXPECT_NEAR(times[2], 2000, 200);
}

TEST(Negatives, ThatAreRecentWereShownWithinTheWindowAndNotLater) {
  const Behavior log = behavior_of(30, {{"0", "x", 10 * kHour, {}, {{1, 0}}},
                                        {"1", "x", 59 * kHour, {}, {{2, 0}, {3, 0}}},
                                        {"2", "x", 60 * kHour, {}, {{2, 0}}},
                                        {"3", "x", 61 * kHour, {}, {{2, 0}, {4, 0}}},
                                        {"4", "a", 61 * kHour + 60, {}, {{9, 1}}},
                                        {"5", "x", 61 * kHour + 61, {}, {{5, 0}}},
                                        {"6", "x", 90 * kHour, {}, {{6, 0}}}});
  const NegativeSampler sampler(log, {NegativeSource::recent, 48}, 5);
  std::map<int32_t, int> times;
  for (int64_t epoch = 0; epoch < 9000; ++epoch)
    for (const int32_t article : drawn(sampler, 4, 0, epoch, 1)) ++times[article];
  ASSERT_EQ(times.size(), 3u);
  for (const int32_t article : {2, 3, 4}) EXPECT_NEAR(times[article], 3000, 250) << article;
}

TEST(Negatives, OfTestFilesAvoidTheClicksOfOtherFiles) {
  const Behavior test = behavior_of(6, {{"t", "a", 0, {}, {{0, 1}}}, {"u", "c", 0, {}, {{0, 1}}}});
  const Behavior train = behavior_of(6, {{"x", "b", 0, {}, {{4, 1}}}, {"y", "a", 0, {1}, {{2, 1}, {3, 0}}}});
  const Behavior* exclude[] = {&train};
  const NegativeSampler sampler(test, {NegativeSource::corpus}, 1, exclude);
  auto a = drawn(sampler, 0, 0, 0, 6), c = drawn(sampler, 1, 0, 0, 6);
  std::ranges::sort(a);
  std::ranges::sort(c);
  EXPECT_EQ(a, (std::vector<int32_t>{3, 4, 5}));
  EXPECT_EQ(c, (std::vector<int32_t>{1, 2, 3, 4, 5}));
}

TEST(Candidates, HoldOneClickEachAtAPlaceThatTellsNothing) {
  std::vector<test::Impression> impressions;
  for (int i = 0; i < 600; ++i)
    impressions.push_back({std::to_string(i), "u" + std::to_string(i), 0, {}, {{1, 1}, {2, 0}, {3, 1}}});
  const Behavior log = behavior_of(50, impressions);
  int64_t short_rows = 0;
  const Candidates c = sample_candidates(log, NegativeSampler(log, {NegativeSource::corpus}, 1), 3, 1, short_rows);
  EXPECT_EQ(c.problem(), "");
  EXPECT_EQ(short_rows, 0);
  ASSERT_EQ(c.size(), 1200);
  std::map<int64_t, int> places;
  for (int64_t i = 0; i < c.size(); ++i) {
    ASSERT_EQ(c.candidate[i].size(), 4u);
    EXPECT_EQ(c.impression[i], i / 2);
    int clicks = 0;
    for (int64_t k = 0; k < 4; ++k) {
      if (c.label[4 * i + k] != kClicked) continue;
      ++clicks;
      ++places[k];
      EXPECT_EQ(c.candidate[i][static_cast<size_t>(k)], i % 2 ? 3 : 1);
    }
    EXPECT_EQ(clicks, 1);
  }
  for (int64_t k = 0; k < 4; ++k) EXPECT_NEAR(places[k], 300, 75);
}

TEST(Candidates, SayHowManyRowsGotFewerNegativesThanAsked) {
  const Behavior log = behavior_of(3, {{"i", "a", 0, {}, {{0, 1}}}});
  int64_t short_rows = 0;
  const Candidates c = sample_candidates(log, NegativeSampler(log, {NegativeSource::corpus}, 1), 5, 1, short_rows);
  EXPECT_EQ(short_rows, 1);
  EXPECT_EQ(c.candidate[0].size(), 3u);
}

}  // namespace
}  // namespace nd
