// Runs put together by system, compared, and printed.
#include "lib/metrics/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lib/io/error.h"

namespace nd::metrics {
namespace {

const std::vector<Column> kColumns = {column_named("auc"), column_named("hr@5")};

// A run whose estimates are the means of the given values, one per impression.
Run run_of(const std::string& system, std::optional<int64_t> seed, const std::vector<double>& values) {
  Run run{system, seed, {}, {}};
  run.evaluation.judged = static_cast<int64_t>(values.size());
  Estimate e;
  for (const double v : values) e.value += v / static_cast<double>(values.size());
  for (const double v : values)
    e.influence.push_back(static_cast<float>((v - e.value) / static_cast<double>(values.size())));
  run.evaluation.estimates = {e, e};
  return run;
}

Report report_of(const std::vector<Run>& runs, const std::string& base = "", bool intervals = false) {
  const Bootstrap bootstrap{.resamples = 200, .confidence = 0.9, .seed = 1};
  return make_report(runs, kColumns, Ties::last, intervals ? &bootstrap : nullptr, base, 1);
}

TEST(Report, GivesSeedsOfOneSystemOneRowWithMeanAndDeviation) {
  const Report r =
      report_of({run_of("kred", 2, {0.2, 0.4}), run_of("dv", 1, {0.1, 0.1}), run_of("kred", 1, {0.4, 0.6})});
  ASSERT_EQ(r.runs.size(), 3u);
  ASSERT_EQ(r.systems.size(), 2u);
  EXPECT_EQ(r.systems[0].system, "kred");
  EXPECT_EQ(r.systems[0].seeds, (std::vector<int64_t>{2, 1}));
  EXPECT_NEAR(r.systems[0].value[0], 0.4, 1e-12);
  EXPECT_NEAR(r.systems[0].deviation[0], std::sqrt(0.02), 1e-12);  // 0.3 and 0.5
  EXPECT_TRUE(r.systems[1].deviation.empty());
  EXPECT_TRUE(r.systems[0].interval.empty());
}

// Seeds that disagree on each impression but not on the whole leave no doubt about the mean of that system.
TEST(Report, AveragesSeedsBeforeItResamplesImpressions) {
  const Report r = report_of({run_of("a", 1, {0, 1, 0, 1}), run_of("a", 2, {1, 0, 1, 0})}, "", true);
  EXPECT_LT(r.runs[0].interval[0].low, 0.5);
  EXPECT_NEAR(r.systems[0].interval[0].low, 0.5, 1e-6);
  EXPECT_NEAR(r.systems[0].interval[0].high, 0.5, 1e-6);
}

TEST(Report, ComparesEverySystemWithTheBaseButNotTheBaseWithItself) {
  const std::vector<metrics::Run> runs = {run_of("kred", 1, {0.7, 0.9, 0.6}), run_of("dv", 1, {0.5, 0.7, 0.5}),
                                          run_of("popularity", {}, {0.5, 0.5, 0.5})};
  const Report r = report_of(runs, "dv", true);
  ASSERT_EQ(r.differences.size(), 2u);
  EXPECT_EQ(r.differences[0].system, "kred");
  EXPECT_NEAR(r.differences[0].value[0], 0.5 / 3, 1e-12);
  EXPECT_GT(r.differences[0].interval[0].low, 0.09);
  // Differences 0.2, 0.2, 0.1: t = (1/6) / (sqrt(1/300) / sqrt(3)) = 5 with 2 degrees of freedom.
  EXPECT_NEAR(r.differences[0].p[0], 0.0377, 1e-4);
  EXPECT_EQ(r.differences[1].system, "popularity");
  EXPECT_LT(r.differences[1].value[0], 0);
}

TEST(Report, RefusesTwinsUnknownBasesAndNothingToJudge) {
  const metrics::Run a = run_of("a", 1, {0.5}), nothing = run_of("a", 1, {});
  EXPECT_THROW(report_of({a, a}), Error);
  EXPECT_THROW(report_of({run_of("a", {}, {0.5}), run_of("a", {}, {0.5})}), Error);
  EXPECT_THROW(report_of({a}, "b"), Error);
  EXPECT_THROW(report_of({nothing}), Error);
}

TEST(Table, PrintsPartsWithTheirDeviationsAndTiesThatCounted) {
  std::vector<metrics::Run> runs = {run_of("dhan", 1, {0.5, 0.7}), run_of("dhan", 2, {0.3, 0.5}),
                                    run_of("recent", {}, {0.5, 0.5})};
  for (metrics::Run& run : runs) run.parts = {{"warm", run.evaluation}, {"cold", run_of("", {}, {}).evaluation}};
  for (metrics::Run& run : runs) run.parts[1].evaluation.estimates[1].value = std::nan("");
  runs[1].evaluation.tied = 1;
  runs[2].evaluation.tied = 2;
  const Report r = make_report(runs, kColumns, Ties::against, nullptr, "", 1);
  EXPECT_EQ(r.systems[0].tied, 1);
  EXPECT_EQ(table(r, "clicks"), R"(data: clicks
impressions: 2 judged, 0 skipped

system                   auc    hr@5
dhan                  0.5000  0.5000
  deviation, 2 seeds  0.1414  0.1414
recent                0.5000  0.5000

warm, 2 impressions      auc    hr@5
dhan                  0.5000  0.5000
  deviation, 2 seeds  0.1414  0.1414
recent                0.5000  0.5000
cold, 0 impressions      auc    hr@5
dhan                  0.0000       -
  deviation, 2 seeds  0.0000       -
recent                0.0000       -

dhan gives a click and another candidate one score in 1 of 2 impressions: counted against it
recent gives a click and another candidate one score in 2 of 2 impressions: counted against it
)");
  // Under other rules ties are no news.
  EXPECT_EQ(table(make_report(runs, kColumns, Ties::last, nullptr, "", 1), "x").find("one score"), std::string::npos);
}

TEST(Table, PrintsValuesDeviationsIntervalsDifferencesDaysAndMarks) {
  std::vector<metrics::Run> runs = {run_of("kred", 1, {0.5, 0.7}), run_of("kred", 2, {0.5, 0.7}),
                                    run_of("blåbær", {}, {0.5, 0.5})};
  for (metrics::Run& run : runs) run.days = {{"2019-11-15", run.evaluation}};
  runs[2].evaluation.constant = 1;
  Report r = report_of(runs, "blåbær");
  r.skipped = {.empty = 0, .unlabelled = 2, .single_class = 1};
  r.confidence = 0.99;
  r.systems[1].interval = {{0.45, 0.55}, {0.1, 0.9}};
  r.differences[0].p = {0.00001, 0.25};
  EXPECT_EQ(table(r, "mind"), R"(data: mind
impressions: 2 judged, 3 skipped (1 single class, 2 unlabelled)

system                   auc    hr@5
kred                  0.6000  0.6000
  deviation, 2 seeds  0.0000  0.0000
blåbær *              0.5000  0.5000
  99 % from           0.4500  0.1000
  99 % to             0.5500  0.9000

minus blåbær            auc     hr@5
kred                +0.1000  +0.1000
  p, paired t-test  <0.0001   0.2500

2019-11-15, 2 impressions     auc    hr@5
kred                       0.6000  0.6000
  deviation, 2 seeds       0.0000  0.0000
blåbær                     0.5000  0.5000

* blåbær scores all candidates alike in 1 of 2 impressions: there its ranks are the tie rule's
)");
}

}  // namespace
}  // namespace nd::metrics
