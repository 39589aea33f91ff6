// How sure a value is: bootstrap intervals over impressions and a paired t-test.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/metrics/estimate.h"

namespace nd::metrics {

struct Bootstrap {
  int64_t resamples = 1000;  // at least 1
  double confidence = 0.95;  // share of resamples inside the interval, in (0, 1)
  uint64_t seed = 0;
};

struct Interval {
  double low = 0, high = 0;
};

// Percentile intervals (Efron and Tibshirani, ch. 13): impressions are drawn with replacement, as many as there are,
// and the interval leaves out the same share of resampled values at either end (quantiles interpolated linearly). All
// estimates are of the same impressions and see the same draws. The draws are a pure function of seed, resample and
// position, so the result does not depend on the number of threads, nor on which estimates are asked for together.
// An estimate that is NaN has NaN limits.
std::vector<Interval> bootstrap(std::span<const Estimate> estimates, const Bootstrap& options, int threads);

// Two-sided p of "the value is 0" by Student's t on the influences, over the `judged` impressions. For the difference
// of two means this is the paired t-test. 1 when value and spread are both 0; NaN with fewer than 2 impressions.
double t_test(const Estimate& difference, int64_t judged);

}  // namespace nd::metrics
