// Intervals and tests: against exact resampling, against known coverage, and against tabled values of Student's t.
#include "lib/metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lib/io/error.h"
#include "lib/metrics/evaluate.h"
#include "tests/lib/metrics/random_impressions.h"

namespace nd::metrics {
namespace {

Estimate mean_of(const std::vector<double>& values) {
  Estimate e;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) e.value += v / n;
  for (const double v : values) e.influence.push_back(static_cast<float>((v - e.value) / n));
  return e;
}

std::vector<double> random_values(uint64_t seed, int64_t n) {
  Dice dice(seed);
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(static_cast<double>(dice.below(1000)) / 1000);
  return values;
}

// For a mean of n values of deviation s, the interval is about mean +- 1.96 s / sqrt(n).
TEST(Bootstrap, IntervalOfAMeanIsTheNormalOne) {
  const auto values = random_values(1, 2000);
  const Estimate e = mean_of(values);
  double variance = 0;
  for (const double v : values) variance += (v - e.value) * (v - e.value) / 2000;
  const double half = 1.96 * std::sqrt(variance / 2000);
  const Interval i = bootstrap({&e, 1}, {.resamples = 20000, .confidence = 0.95, .seed = 3}, 2)[0];
  EXPECT_NEAR(i.low, e.value - half, half * 0.05);
  EXPECT_NEAR(i.high, e.value + half, half * 0.05);
  const Interval wider = bootstrap({&e, 1}, {.resamples = 20000, .confidence = 0.99, .seed = 3}, 2)[0];
  EXPECT_NEAR((wider.high - wider.low) / (i.high - i.low), 2.576 / 1.96, 0.07);
}

// Of 0/1 values a resample's mean is a binomial count, whose quantiles are known.
TEST(Bootstrap, DrawsAsManyAsThereAreWithReplacement) {
  std::vector<double> values(10, 0.0);
  values[3] = 1;
  const Estimate e = mean_of(values);
  // P(never drawn) = 0.9^10 = 0.349, P(drawn once) = 0.387, twice 0.194, thrice 0.057: the middle 40 % is 0 to 1 draw.
  const Interval i = bootstrap({&e, 1}, {.resamples = 20000, .confidence = 0.40, .seed = 1}, 1)[0];
  EXPECT_NEAR(i.low, 0.0, 1e-6);
  EXPECT_NEAR(i.high, 0.1, 1e-6);
  const Interval upper = bootstrap({&e, 1}, {.resamples = 20000, .confidence = 0.80, .seed = 1}, 1)[0];
  EXPECT_NEAR(upper.high, 0.2, 1e-6);
}

// Three draws make means of 0, 1/3, 2/3 or 1; fewer draws would leave other values.
TEST(Bootstrap, DrawsAnOddNumberTooAndEveryResampleAnew) {
  const Estimate e = mean_of({0, 0, 1});
  const Interval i = bootstrap({&e, 1}, {.resamples = 2000, .confidence = 0.8, .seed = 1}, 1)[0];
  EXPECT_NEAR(i.low, 0, 1e-6);
  EXPECT_NEAR(i.high, 2.0 / 3, 1e-6);
  // The first few resamples already differ.
  const Estimate many = mean_of(random_values(1, 100));
  const Interval few = bootstrap({&many, 1}, {.resamples = 3}, 1)[0];
  EXPECT_GT(few.high - few.low, 0.001);
}

TEST(Bootstrap, IsTheSameForAnyThreadsAndCompanyAndDiffersBySeed) {
  std::vector<Estimate> estimates;
  for (uint64_t s = 0; s < 11; ++s) estimates.push_back(mean_of(random_values(s, 777)));
  const Bootstrap options{.resamples = 100, .confidence = 0.9, .seed = 5};
  const auto together = bootstrap(estimates, options, 1);
  const auto threaded = bootstrap(estimates, options, 7);
  ASSERT_EQ(together.size(), 11u);
  for (size_t i = 0; i < estimates.size(); ++i) {
    EXPECT_EQ(together[i].low, threaded[i].low);
    EXPECT_EQ(together[i].high, threaded[i].high);
    const Interval alone = bootstrap({&estimates[i], 1}, options, 2)[0];
    EXPECT_EQ(together[i].low, alone.low);
    EXPECT_EQ(together[i].high, alone.high);
  }
  EXPECT_NE(bootstrap({&estimates[0], 1}, {.resamples = 100, .confidence = 0.9, .seed = 6}, 1)[0].low, together[0].low);
}

TEST(Bootstrap, RefusesNoResamplesAndKeepsNaN) {
  const Estimate e{std::nan(""), {0, 0}};
  EXPECT_THROW(bootstrap({&e, 1}, {.resamples = 0}, 1), Error);
  const Interval i = bootstrap({&e, 1}, {.resamples = 10}, 1)[0];
  EXPECT_TRUE(std::isnan(i.low) && std::isnan(i.high));
}

// The linearised interval of pooled AUC against one that weighs every row anew in each resample.
TEST(Bootstrap, PooledAucIntervalIsCloseToExactResampling) {
  const int64_t m = 300, resamples = 2000;
  const ImpressionTable table = random_impressions(8, m, 8, 12);
  const Impressions all = table.view();
  Dice dice(99);
  std::vector<double> exact;
  for (int64_t b = 0; b < resamples; ++b) {
    ImpressionTable again;
    for (int64_t i = 0; i < m; ++i) {
      const int64_t drawn = dice.below(m);
      const auto scores = all.scores_of(drawn);
      const auto labels = all.labels_of(drawn);
      again.scores.insert(again.scores.end(), scores.begin(), scores.end());
      again.labels.insert(again.labels.end(), labels.begin(), labels.end());
      again.offsets.push_back(static_cast<int64_t>(again.scores.size()));
    }
    exact.push_back(auc_pooled(again.view()).value);
  }
  std::sort(exact.begin(), exact.end());
  const double low = exact[resamples / 40], high = exact[resamples - resamples / 40];
  const Estimate pooled = auc_pooled(all);
  const Interval i = bootstrap({&pooled, 1}, {.resamples = 5000}, 2)[0];
  EXPECT_NEAR(i.low, low, 0.07 * (high - low));
  EXPECT_NEAR(i.high, high, 0.07 * (high - low));
}

TEST(Difference, IsPairedByImpression) {
  const auto base = random_values(1, 500);
  auto better = base;
  for (size_t i = 0; i < better.size(); ++i) better[i] += i % 2 == 0 ? 0.011 : 0.009;
  const Estimate d = difference(mean_of(better), mean_of(base));
  EXPECT_NEAR(d.value, 0.010, 1e-9);
  // Either mean alone is uncertain by about 0.025; paired, only the alternation is left.
  const Interval i = bootstrap({&d, 1}, {.resamples = 1000, .confidence = 0.99}, 1)[0];
  EXPECT_GT(i.low, 0.0098);
  EXPECT_LT(i.high, 0.0102);
  EXPECT_LT(t_test(d, 500), 1e-10);
}

TEST(Difference, OfASystemWithItselfIsNothing) {
  const Estimate e = mean_of(random_values(1, 100));
  const Estimate d = difference(e, e);
  const Interval i = bootstrap({&d, 1}, {}, 1)[0];
  EXPECT_EQ(i.low, 0);
  EXPECT_EQ(i.high, 0);
  EXPECT_EQ(t_test(d, 100), 1);
}

TEST(Average, OfSeedsIsTheEstimateOfTheMeanPerImpression) {
  const auto a = random_values(1, 50), b = random_values(2, 50);
  std::vector<double> mean;
  for (size_t i = 0; i < a.size(); ++i) mean.push_back((a[i] + b[i]) / 2);
  const Estimate ea = mean_of(a), eb = mean_of(b), expected = mean_of(mean);
  const Estimate* both[] = {&ea, &eb};
  const Estimate averaged = average(both);
  EXPECT_NEAR(averaged.value, expected.value, 1e-12);
  for (size_t i = 0; i < 50; ++i) EXPECT_NEAR(averaged.influence[i], expected.influence[i], 1e-8);
}

// An estimate over n impressions whose t is the one asked for: influences +-f, and a value of t standard errors.
double p_of(double t, int64_t n) {
  Estimate e;
  for (int64_t i = 0; i < n; ++i) e.influence.push_back(i % 2 == 0 ? 0.5f : -0.5f);
  e.value = t * std::sqrt(0.25 * static_cast<double>(n) * static_cast<double>(n) / static_cast<double>(n - 1));
  return t_test(e, n);
}

// Two-sided critical values from the usual table of Student's t.
TEST(TTest, AgreesWithTheTable) {
  EXPECT_NEAR(p_of(12.7062, 2), 0.05, 1e-6);
  EXPECT_NEAR(p_of(4.30265, 3), 0.05, 1e-6);
  EXPECT_NEAR(p_of(2.228139, 11), 0.05, 1e-6);
  EXPECT_NEAR(p_of(3.169273, 11), 0.01, 1e-6);
  EXPECT_NEAR(p_of(1.983972, 101), 0.05, 1e-6);
  EXPECT_NEAR(p_of(1.959964 + 0.0000237, 100001), 0.05, 1e-5);
  EXPECT_NEAR(p_of(0, 11), 1, 1e-12);
  EXPECT_NEAR(p_of(-2.228139, 11), 0.05, 1e-6);
  EXPECT_LT(p_of(40, 73000), 1e-300);
}

TEST(TTest, NeedsTwoImpressions) { EXPECT_TRUE(std::isnan(t_test({0.5, {0.0f}}, 1))); }

}  // namespace
}  // namespace nd::metrics
