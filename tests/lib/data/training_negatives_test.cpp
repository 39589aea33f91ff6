// Which articles a click can be learnt against, and that they depend on nothing else.
#include "lib/data/training_negatives.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "lib/io/error.h"
#include "lib/tensor/ops.h"
#include "tests/lib/data/small_clicks.h"

namespace nd {
namespace {

using test::clicks_of;
using test::Read;

constexpr int64_t kHour = 3600;

// 30 articles; article a is read from hour 10 a on, by users 0 to 4 in turn; user 5 reads too little to be learnt from.
Clicks log() {
  std::vector<std::vector<Read>> users(6);
  for (int32_t a = 0; a < 28; ++a)
    for (int64_t k = 0; k < 2; ++k) users[static_cast<size_t>((a + 2 * k) % 5)].push_back({a, (10 * a + k) * kHour});
  users[5] = {{28, 5}, {29, 6}};
  return clicks_of(30, users);
}
Windows windows(const Clicks& clicks) { return windows_of(clicks, {.history = 2, .min_clicks = 5}, "log"); }

std::vector<int32_t> draw(const TrainingNegatives& negatives, int32_t click, int64_t epoch, size_t count) {
  std::vector<int32_t> out(count);
  out.resize(static_cast<size_t>(negatives.draw(click, epoch, out)));
  return out;
}

class FromEachSource : public testing::TestWithParam<TrainingSource> {};
INSTANTIATE_TEST_SUITE_P(Sources, FromEachSource,
                         testing::Values(TrainingSource::uniform, TrainingSource::popularity, TrainingSource::live));

TEST_P(FromEachSource, AreDistinctTrainedOnAndNotTheUsersOwn) {
  const Clicks clicks = log();
  const Windows w = windows(clicks);
  const TrainingNegatives negatives(clicks, w, GetParam(), 24, 1);
  const auto warm = w.warm(clicks);
  for (const int32_t click : w.train)
    for (int64_t epoch = 1; epoch < 20; ++epoch) {
      const auto drawn = draw(negatives, click, epoch, 7);
      ASSERT_EQ(drawn.size(), 7u);
      EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 7u);
      const int32_t user = user_of(clicks, click);
      for (const int32_t a : drawn) {
        EXPECT_TRUE(warm[static_cast<size_t>(a)]);
        for (int64_t i = clicks.article.offsets[user]; i < w.train_end[static_cast<size_t>(user)]; ++i)
          EXPECT_NE(a, clicks.article.values[i]);
      }
    }
}

TEST_P(FromEachSource, DependOnSeedEpochAndClickAlone) {
  const Clicks clicks = log();
  const Windows w = windows(clicks);
  const TrainingNegatives one(clicks, w, GetParam(), 24, 1), again(clicks, w, GetParam(), 24, 1),
      other(clicks, w, GetParam(), 24, 2);
  const int32_t click = w.train[3];
  draw(again, w.train[0], 9, 5);
  EXPECT_EQ(draw(one, click, 1, 5), draw(again, click, 1, 5));
  EXPECT_NE(draw(one, click, 1, 5), draw(one, click, 2, 5));
  EXPECT_NE(draw(one, click, 1, 5), draw(one, w.train[4], 1, 5));
  EXPECT_NE(draw(one, click, 1, 5), draw(other, click, 1, 5));
}

TEST_P(FromEachSource, AreFewerOnlyWhenThereAreNoMore) {
  const Clicks clicks = log();
  const Windows w = windows(clicks);
  const TrainingNegatives negatives(clicks, w, GetParam(), 24, 1);
  int64_t fewest = 1000;
  for (const int32_t click : w.train)
    fewest = std::min(fewest, static_cast<int64_t>(draw(negatives, click, 1, 1000).size()));
  EXPECT_EQ(fewest, negatives.fewest());
  EXPECT_LT(fewest, negatives.articles());
}

TEST(TrainingNegatives, AnOperationDrawsTheSame) {
  const Clicks clicks = log();
  const Windows w = windows(clicks);
  const TrainingNegatives negatives(clicks, w, TrainingSource::uniform, 24, 1);
  ASSERT_TRUE(negatives.by_operation());
  for (const int64_t most : {1, 7, 14, 15, 1000}) {
    Arena arena;
    ApartDraws draws = negatives.lists(arena);
    negatives.for_clicks(w.train, 3, arena, draws);
    std::vector<int32_t> expected;
    std::vector<int64_t> offsets{0};
    for (const int32_t click : w.train) {
      const auto one = draw(negatives, click, 3, static_cast<size_t>(most));
      EXPECT_EQ(negatives.count(click, most), static_cast<int64_t>(one.size()));
      expected.insert(expected.end(), one.begin(), one.end());
      offsets.push_back(static_cast<int64_t>(expected.size()));
    }
    std::vector<int32_t> got(expected.size());
    ops::draw_apart(Device::cpu, draws, make_segments(arena, offsets), got.data());
    EXPECT_EQ(got, expected) << most;
  }
}

TEST(TrainingNegatives, WhatTheUserClicksLaterCanBeDrawn) {
  const Clicks clicks = clicks_of(20, {{{0}, {1}, {2}, {3}, {5}, {6}}, {{5}, {6}, {7}, {8}, {9}, {10}}});
  const Windows w = windows_of(clicks, {.history = 2, .min_clicks = 5}, "log");
  const TrainingNegatives negatives(clicks, w, TrainingSource::uniform, 24, 1);
  ASSERT_EQ(w.train[0], 2);
  auto all = draw(negatives, 2, 1, 1000);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<int32_t>{5, 6, 7, 8}));  // 5 and 6 are held out for this user
}

TEST(TrainingNegatives, AllThereAreComeInARandomOrder) {
  const Clicks clicks = clicks_of(20, {{{0}, {1}, {2}, {3}, {5}, {6}}, {{5}, {6}, {7}, {8}, {9}, {10}}});
  const TrainingNegatives negatives(clicks, windows_of(clicks, {.history = 2, .min_clicks = 5}, "log"),
                                    TrainingSource::uniform, 24, 1);
  std::map<int32_t, int> first, last;
  for (int64_t epoch = 0; epoch < 4000; ++epoch) {
    const auto all = draw(negatives, 2, epoch, 1000);
    ++first[all.front()];
    ++last[all.back()];
  }
  for (const int32_t a : {5, 6, 7, 8}) {
    EXPECT_NEAR(first[a], 1000, 120) << a;
    EXPECT_NEAR(last[a], 1000, 120) << a;
  }
}

TEST(TrainingNegatives, LiveOnesAreReadAroundThatTimeAndOthersComeAfterThem) {
  const Clicks clicks = log();
  const Windows w = windows(clicks);
  const TrainingNegatives negatives(clicks, w, TrainingSource::live, 24, 1);
  const auto warm = w.warm(clicks);
  int some = 0;
  for (const int32_t click : w.train) {
    const int64_t hour = clicks.time[click] / kHour;
    const auto own = clicks.article[user_of(clicks, click)];
    std::set<int32_t> live;
    for (int32_t a = 0; a < 28; ++a)
      if (warm[static_cast<size_t>(a)] && 10 * a <= hour + 24 && 10 * a + 1 >= hour - 24 &&
          std::ranges::find(own, a) == own.end())
        live.insert(a);
    some += live.size() > 1;
    const auto drawn = draw(negatives, click, 1, live.size() + 2);
    ASSERT_EQ(drawn.size(), live.size() + 2);
    for (size_t i = 0; i < drawn.size(); ++i) EXPECT_EQ(i<live.size(), live.count(drawn[i])> 0) << i;
  }
  EXPECT_GT(some, 5);
}

TEST(TrainingNegatives, PopularOnesComeInProportionToTheirClicks) {
  // Article 0 has ten times the clicks of article 1; the last user draws against both.
  std::vector<std::vector<Read>> users;
  for (int u = 0; u < 11; ++u) users.push_back({{2}, {u < 10 ? 0 : 1}, {3}, {4}, {5}});
  users.push_back({{6}, {7}, {8}, {9}, {10}});
  const Clicks clicks = clicks_of(11, users);
  const Windows w = windows_of(clicks, {.history = 1, .min_clicks = 1}, "log");
  const TrainingNegatives negatives(clicks, w, TrainingSource::popularity, 24, 1);
  std::map<int32_t, int> count;
  for (int64_t epoch = 0; epoch < 5000; ++epoch) ++count[draw(negatives, w.train.back(), epoch, 1)[0]];
  EXPECT_NEAR(static_cast<double>(count[0]) / count[1], 10, 2);
}

TEST(TrainingNegatives, SourcesAreKnownByName) {
  EXPECT_EQ(training_source("live"), TrainingSource::live);
  EXPECT_THROW(training_source("impression"), UsageError);
}

}  // namespace
}  // namespace nd
