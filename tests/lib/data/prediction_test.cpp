#include "lib/data/prediction.h"

#include <gtest/gtest.h>

#include "tests/lib/data/small_clicks.h"
#include "tests/lib/data/small_log.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using test::behavior_of;

TEST(Scores, CarryIdsUsersAndTimesOfTheirImpressions) {
  const Behavior log = behavior_of(9, {{"1", "a", 30, {}, {{3, 1}}}, {"2", "b", -1, {}, {{3, 0}, {4, 1}}}});
  const Scores s = scores_of(log, std::vector<int32_t>{1, 0, 1}, {}, {});
  ASSERT_EQ(s.size(), 3);
  EXPECT_EQ(s.impression_id[0], "2");
  EXPECT_EQ(s.user_id[1], "a");
  EXPECT_EQ(s.time[1], 30);
  EXPECT_EQ(s.time[2], -1);
}

Scores scores(const std::string& id, const std::vector<std::vector<float>>& rows) {
  RaggedBuilder<float> score;
  StringsBuilder ids, users;
  for (const auto& r : rows) {
    score.append(r);
    score.end_row();
    ids.push(id);
    users.push("u");
  }
  return {ids.take(), users.take(), std::vector<int64_t>(rows.size(), -1), score.take(), {}};
}

TEST(Prediction, RanksInCandidateOrderWithTheLaterOfEqualsAhead) {
  const TemporaryFolder folder;
  write_prediction(folder / "p.txt", scores("7", {{0.5f, 0.9f, -1}, {}, {1, 1, 2, 1}, {3}}));
  EXPECT_EQ(get(folder / "p.txt"), "7 [2,1,3]\n7 []\n7 [4,3,1,2]\n7 [1]\n");
}

TEST(Prediction, RefusesAnIdThatItsReadersCannotSplitOff) {
  const TemporaryFolder folder;
  for (const char* id : {"", "a b", "a\tb"})
    EXPECT_ND_ERROR(write_prediction(folder / "p.txt", scores(id, {{1}})), "p.txt:1: ");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Scores, OfClicksAreNamedByTheirNumbers) {
  const Clicks clicks = test::clicks_of(9, {{{0, 5}, {1, 6}, {2, 7}}, {{3, 8}, {4, 9}}});
  const Scores scores =
      scores_of(clicks, std::vector<int32_t>{2, 4}, {std::vector<float>{1, 2, 3}, std::vector<int64_t>{0, 1, 3}},
                std::vector<uint8_t>{1, 0, 1});
  EXPECT_EQ(scores.problem(), "");
  EXPECT_EQ(scores.impression_id[0], "2");
  EXPECT_EQ(scores.impression_id[1], "4");
  EXPECT_EQ(scores.user_id[0], "u0");
  EXPECT_EQ(scores.user_id[1], "u1");
  EXPECT_EQ(scores.time[1], 9);
  EXPECT_EQ(clicks_of(scores, clicks, "s.nd"), (std::vector<int32_t>{2, 4}));
  EXPECT_ND_ERROR(clicks_of(scores, test::clicks_of(9, {{{0}, {1}, {2}, {3}}}), "s.nd"),
                  "s.nd: impression 4 is none of 4 clicks");
  for (const char* id : {"", "-1", "2x", " 2", "99999999999"}) {
    Scores other = scores;
    StringsBuilder ids;
    ids.push(id);
    ids.push("4");
    other.impression_id = ids.take();
    EXPECT_ND_ERROR(clicks_of(other, clicks, "s.nd"), "is none of 5 clicks");
  }
}

}  // namespace
}  // namespace nd
