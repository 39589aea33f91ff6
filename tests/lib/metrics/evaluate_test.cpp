// Measures applied to many impressions: what is skipped, what is averaged, days, threads.
#include "lib/metrics/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "lib/io/error.h"
#include "tests/lib/metrics/random_impressions.h"

namespace nd::metrics {
namespace {

const std::vector<int64_t> kCutoffs = {5, 10};

TEST(Evaluate, AveragesOverImpressionsNotOverRows) {
  ImpressionTable t;
  t.scores = {2, 1, 1, 2, 3, 4};
  t.labels = {1, 0, 1, 0, 0, 0};
  t.offsets = {0, 2, 6};
  const std::vector<Column> columns = {column_named("auc"), column_named("mrr"), column_named("auc_pooled")};
  const Evaluation e = evaluate(t.view(), columns, Ties::last, 1);
  EXPECT_EQ(e.judged, 2);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, 0.5);
  EXPECT_DOUBLE_EQ(e.estimates[1].value, (1 + 0.25) / 2);
  // 8 pairs; the click at 2 wins one and ties one, the click at 1 ties one.
  EXPECT_DOUBLE_EQ(e.estimates[2].value, 2.0 / 8);
}

TEST(Evaluate, CountsWhatItSkipsByCause) {
  ImpressionTable t;
  t.scores = {2, 1, 1, 1, 5, 5, 6, 3, 4};
  t.labels = {1, 0, 1, 1, 0, 0, 1, 255, 0};
  t.offsets = {0, 2, 4, 6, 6, 9};
  const std::vector<Column> columns = {column_named("auc")};
  const Evaluation e = evaluate(t.view(), columns, Ties::last, 1);
  EXPECT_EQ(e.judged, 1);
  EXPECT_EQ(e.skipped.single_class, 2);
  EXPECT_EQ(e.skipped.empty, 1);
  EXPECT_EQ(e.skipped.unlabelled, 1);
  EXPECT_EQ(e.skipped.total(), 4);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, 1);
}

TEST(Evaluate, HasNoValueWithoutAnythingToJudge) {
  ImpressionTable t;
  for (const int64_t rows : {0, 1}) {
    t.scores.assign(static_cast<size_t>(rows), 1);
    t.labels.assign(static_cast<size_t>(rows), 255);
    if (rows) t.offsets.push_back(rows);
    const Evaluation e = evaluate(t.view(), columns(kCutoffs), Ties::last, 2);
    EXPECT_EQ(e.judged, 0);
    for (const Estimate& estimate : e.estimates) EXPECT_TRUE(std::isnan(estimate.value));
  }
}

TEST(Evaluate, CountsConstantImpressions) {
  ImpressionTable t;
  t.scores = {1, 1, 2, 2, 2, 3};
  t.labels = {1, 0, 1, 0, 1, 0};
  t.offsets = {0, 2, 4, 6};
  const std::vector<Column> columns = {column_named("auc")};
  EXPECT_EQ(evaluate(t.view(), columns, Ties::last, 1).constant, 2);
}

TEST(Evaluate, RefusesNaNAndStrangeLabelsByImpression) {
  ImpressionTable t = random_impressions(1, 3000, 5, 4);
  const std::vector<Column> columns = {column_named("auc")};
  const auto at = static_cast<size_t>(t.offsets[2000]);
  t.scores[at] = std::nanf("");
  try {
    evaluate(t.view(), columns, Ties::last, 2);
    FAIL() << "NaN was accepted";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "impression 2001: expected numbers as scores, found NaN");
  }
  t.scores[at] = 0;
  t.labels[at] = 7;
  EXPECT_THROW(evaluate(t.view(), columns, Ties::last, 2), Error);
}

TEST(Evaluate, GivesTheSameBitsForAnyNumberOfThreads) {
  const ImpressionTable t = random_impressions(5, 5000, 30, 20);
  const Evaluation one = evaluate(t.view(), columns(kCutoffs), Ties::expected, 1);
  for (const int threads : {2, 7}) {
    const Evaluation more = evaluate(t.view(), columns(kCutoffs), Ties::expected, threads);
    for (size_t c = 0; c < one.estimates.size(); ++c) {
      EXPECT_EQ(one.estimates[c].value, more.estimates[c].value);
      EXPECT_EQ(one.estimates[c].influence, more.estimates[c].influence);
    }
  }
}

TEST(Evaluate, InfluencesOfAMeanAreItsDeviations) {
  const ImpressionTable t = random_impressions(6, 50, 6, 5);
  const std::vector<Column> columns = {column_named("mrr")};
  const Evaluation e = evaluate(t.view(), columns, Ties::last, 1);
  const auto& influence = e.estimates[0].influence;
  ASSERT_EQ(influence.size(), 50u);
  EXPECT_NEAR(std::accumulate(influence.begin(), influence.end(), 0.0), 0, 1e-6);
  // Judging impression 0 alone gives its own value: mean + influence * impressions.
  ImpressionTable first;
  const auto scores = t.view().scores_of(0);
  const auto labels = t.view().labels_of(0);
  first.scores.assign(scores.begin(), scores.end());
  first.labels.assign(labels.begin(), labels.end());
  first.offsets.push_back(static_cast<int64_t>(scores.size()));
  const double alone = evaluate(first.view(), columns, Ties::last, 1).estimates[0].value;
  EXPECT_NEAR(e.estimates[0].value + influence[0] * static_cast<double>(e.judged), alone, 1e-5);
}

TEST(Parts, KeepTheirImpressionsApartAndInOrder) {
  const ImpressionTable t = random_impressions(11, 60, 8, 3);
  std::vector<int32_t> part_of;
  for (int i = 0; i < 60; ++i) part_of.push_back(i % 3 == 0 ? 1 : 0);
  const std::vector<std::string> names = {"warm", "cold", "nothing"};
  const auto parts = split(t.view(), part_of, names);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].name, "cold");
  EXPECT_EQ(parts[1].impressions.view().size(), 20);
  EXPECT_TRUE(std::ranges::equal(parts[1].impressions.view().scores_of(2), t.view().scores_of(6)));
  EXPECT_TRUE(std::ranges::equal(parts[0].impressions.view().labels_of(2), t.view().labels_of(4)));
  const std::vector<Column> hr = {column_named("hr@2")};
  const auto judged = evaluate_parts(parts, hr, Ties::against, 2);
  const Evaluation all = evaluate(t.view(), hr, Ties::against, 2);
  EXPECT_EQ(judged[0].evaluation.judged + judged[1].evaluation.judged, all.judged);
  EXPECT_EQ(judged[0].evaluation.tied + judged[1].evaluation.tied, all.tied);
  EXPECT_GT(all.tied, 0);
  const double sum = judged[0].evaluation.estimates[0].value * static_cast<double>(judged[0].evaluation.judged) +
                     judged[1].evaluation.estimates[0].value * static_cast<double>(judged[1].evaluation.judged);
  EXPECT_NEAR(sum, all.estimates[0].value * static_cast<double>(all.judged), 1e-9);
  EXPECT_TRUE(std::isnan(judged[2].evaluation.estimates[0].value));
}

TEST(Days, SplitByDateInOrderWithUnknownLast) {
  ImpressionTable t;
  t.scores = {1, 2, 3, 4, 5};
  t.labels = {0, 1, 0, 1, 1};
  t.offsets = {0, 1, 3, 4, 5};
  t.times = {86400 * 18000 + 5, -1, 86400 * 17999, 86400 * 18000 + 86399};
  const auto days = split_by_day(t.view());
  ASSERT_EQ(days.size(), 3u);
  EXPECT_EQ(days[0].name, "2019-04-13");
  EXPECT_EQ(days[0].impressions.scores, (std::vector<float>{4}));
  EXPECT_EQ(days[1].name, "2019-04-14");
  EXPECT_EQ(days[1].impressions.scores, (std::vector<float>{1, 5}));
  EXPECT_EQ(days[1].impressions.offsets, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(days[2].name, "unknown");
  EXPECT_EQ(days[2].impressions.labels, (std::vector<uint8_t>{1, 0}));
}

TEST(Days, AreNoneWhenNoTimeIsKnown) {
  ImpressionTable t = random_impressions(7, 10, 4, 4);
  t.times.assign(10, -1);
  EXPECT_TRUE(split_by_day(t.view()).empty());
  t.times.clear();
  EXPECT_TRUE(split_by_day(t.view()).empty());
}

}  // namespace
}  // namespace nd::metrics
