#include "lib/data/split.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/lib/data/small_log.h"
#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

using test::behavior_of;

constexpr int64_t kDay = 86400;

std::vector<std::string> ids(const Behavior& b) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < b.size(); ++i) out.emplace_back(b.impression_id[i]);
  return out;
}
using Ids = std::vector<std::string>;

// 1,000 impressions of 100 users within an hour, one article a click, no histories.
Behavior one_hour() {
  std::vector<test::Impression> out;
  for (int i = 0; i < 1000; ++i)
    out.push_back({"i" + std::to_string(i), "u" + std::to_string(i % 100), 3600 + i, {}, {{i, 1}, {i + 1, 0}}});
  return behavior_of(2000, out);
}

Split split(const Behavior& log, const SplitOptions& options = {}, uint64_t seed = 1) {
  Split out = split_behavior(log, options, seed, "log.nd");
  EXPECT_EQ(out.train.problem(), "");
  EXPECT_EQ(out.valid.problem(), "");
  EXPECT_EQ(out.train.size() + out.valid.size(), log.size());
  return out;
}

TEST(Split, HoldsOutTheLastDay) {
  const Behavior log = behavior_of(9, {{"a", "u", 5 * kDay - 1, {}, {{0, 1}}},
                                       {"b", "u", 5 * kDay, {0}, {{1, 1}}},
                                       {"c", "v", 2 * kDay, {}, {{2, 1}}},
                                       {"d", "w", 6 * kDay - 1, {3, 4}, {{2, 1}, {4, 1}}}});
  const Split s = split(log);
  EXPECT_EQ(ids(s.train), (Ids{"a", "c"}));
  EXPECT_EQ(ids(s.valid), (Ids{"b", "d"}));
  EXPECT_EQ(s.how, "the last day is held out");
  EXPECT_EQ(s.clicks, 3);
  EXPECT_EQ(s.clicks_in_history, 1);
  EXPECT_EQ(s.new_users, 1);
  EXPECT_EQ(ids(split(log, {.days = 2}).train), (Ids{"c"}));
}

TEST(Split, KeepsOfUsersAndHistoriesWhatAPartNeeds) {
  const Behavior log = behavior_of(9, {{"a", "u", 0, {1, 2}, {{0, 1}}},
                                       {"b", "v", 3 * kDay, {3}, {{1, 0}, {2, 1}}},
                                       {"c", "w", 3 * kDay, {1, 2}, {{2, 1}}}});
  const Behavior b = split(log).valid;
  ASSERT_EQ(b.user_id.size(), 2);
  EXPECT_EQ(b.user_id[1], "w");
  ASSERT_EQ(b.history.size(), 2);
  EXPECT_EQ(b.history[b.impression_history[0]].size(), 1u);
  EXPECT_EQ(b.history[b.impression_history[1]][1], 2);
  EXPECT_EQ(std::vector<uint8_t>(b.label.begin(), b.label.end()), (std::vector<uint8_t>{0, 1, 1}));
  EXPECT_EQ(b.time[0], 3 * kDay);
  EXPECT_EQ(b.corpus_size[0], 9);
}

TEST(Split, HashesIdsWhereTheLogSpansLessThanTwoDays) {
  const Behavior log = one_hour();
  const Split s = split(log);
  EXPECT_EQ(s.how, "the log spans less than two days: 10 % of the impressions are held out by a hash of their ids");
  EXPECT_NEAR(static_cast<double>(s.valid.size()), 100, 40);
  EXPECT_EQ(ids(split(log).valid), ids(s.valid));
  EXPECT_NE(ids(split(log, {}, 2).valid), ids(s.valid));
  // The hash is of the id: other impressions beside it change nothing.
  const std::vector<int64_t> first_half = [] {
    std::vector<int64_t> rows(500);
    for (int64_t i = 0; i < 500; ++i) rows[static_cast<size_t>(i)] = i;
    return rows;
  }();
  const Ids half = ids(split(select_impressions(log, first_half)).valid), whole = ids(s.valid);
  ASSERT_LT(half.size(), whole.size());
  EXPECT_TRUE(std::equal(half.begin(), half.end(), whole.begin()));
  EXPECT_NEAR(static_cast<double>(split(log, {.fraction = 0.5}).valid.size()), 500, 80);
}

TEST(Split, ByUserKeepsAUsersImpressionsTogether) {
  const Split s = split(one_hour(), {.by = "user", .fraction = 0.3});
  EXPECT_EQ(s.new_users, s.valid.user_id.size());
  EXPECT_NEAR(static_cast<double>(s.valid.user_id.size()), 30, 20);
}

TEST(Split, SaysWhenTimesAreMissing) {
  std::vector<test::Impression> impressions;
  for (int i = 0; i < 100; ++i) impressions.push_back({std::to_string(i), "u", i ? i * kDay : -1, {}, {{i, 1}}});
  const Behavior log = behavior_of(100, impressions);
  EXPECT_EQ(split(log).how.substr(0, 24), "some times are unknown: ");
  EXPECT_ND_ERROR(split(log, {.by = "time"}), "log.nd: some times are unknown");
}

TEST(Split, RefusesToLeaveAPartEmpty) {
  const Behavior one_day = behavior_of(3, {{"a", "u", 5, {}, {{0, 1}}}, {"b", "u", 6, {}, {{1, 1}}}});
  EXPECT_ND_ERROR(split(one_day, {.by = "time"}), "the last day is held out, which leaves 0 impressions");
  EXPECT_ND_ERROR(split(one_day, {.by = "impression", .fraction = 1e-9}), "and 0 to judge by");
  EXPECT_ND_ERROR(split(behavior_of(3, {})), "has no impressions");
}

TEST(Split, RefusesAnIdOnBothSides) {
  const Behavior log = behavior_of(3, {{"a", "u", 0, {}, {{0, 1}}}, {"a", "v", 3 * kDay, {}, {{1, 1}}}});
  EXPECT_ND_ERROR(split(log), "log.nd: the split leaks: the impression id a stands in both parts");
}

TEST(Split, RefusesAnImpressionUnderTwoIdsOnBothSides) {
  std::vector<test::Impression> twice;
  for (int i = 0; i < 400; ++i)
    twice.push_back({"i" + std::to_string(i), "u" + std::to_string(i / 2), 100, {}, {{i / 2, 1}, {300, 0}}});
  EXPECT_ND_ERROR(split(behavior_of(500, twice)), "are the same one under two ids");
  for (auto& i : twice) i.time += i.id.back();  // now they are different ones
  EXPECT_GT(split(behavior_of(500, twice), {.by = "impression"}).valid.size(), 0);
}

// A log whose histories grow: impression k of a user comes after the clicks on articles 0 to k - 1.
Behavior growing(bool with_times) {
  std::vector<test::Impression> out;
  for (int u = 0; u < 20; ++u) {
    std::vector<int32_t> history;
    for (int k = 0; k < 10; ++k) {
      out.push_back(
          {std::to_string(u * 10 + k), "u" + std::to_string(u), with_times ? k * kDay : -1, history, {{k, 1}}});
      history.push_back(k);
    }
  }
  return behavior_of(10, out);
}

TEST(Split, RefusesHeldOutClicksInHistoriesOfLaterTrainingImpressions) {
  EXPECT_EQ(split(growing(true)).valid.size(), 20);  // by time nothing of the last day is in an earlier history
  EXPECT_ND_ERROR(split(growing(true), {.by = "impression"}),
                  "in the histories of training impressions that are not earlier");
  EXPECT_ND_ERROR(split(growing(false)), "split by time or by user");
  EXPECT_GT(split(growing(false), {.by = "user"}).valid.size(), 0);
}

TEST(Split, TakesAnArticleThatWasInTheHistoryBeforeForNoLeak) {
  // Histories that are constant per user, as MIND's; the clicked article is sometimes among them.
  std::vector<test::Impression> log;
  for (int i = 0; i < 300; ++i)
    log.push_back({std::to_string(i), "u" + std::to_string(i % 10), 1000 + i, {1, 2, 3}, {{i % 10 ? 7 + i : 2, 1}}});
  const Split s = split(behavior_of(400, log));
  EXPECT_GT(s.clicks_in_history, 0);
}

TEST(Split, RefusesHistoriesTakenAfterTheImpressions) {
  std::vector<test::Impression> log;
  for (int i = 0; i < 40; ++i)
    log.push_back({std::to_string(i), "u" + std::to_string(i), i * kDay / 4, {i, 50}, {{i, 1}, {60, 0}}});
  EXPECT_ND_ERROR(split(behavior_of(100, log)), "the histories were taken after the impressions");
}

}  // namespace
}  // namespace nd
