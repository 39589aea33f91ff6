// A measure's value on a set of impressions, with each impression's pull on it.
//
// influence[i] is the first-order change of the value when impression i counts once more (the infinitesimal jackknife;
// Efron and Tibshirani, "An Introduction to the Bootstrap", ch. 21). For a mean of x over M impressions it is
// (x_i - mean) / M, and then value + sum of the influences of a resample is exactly that resample's mean. Everything
// about uncertainty (intervals, paired differences, averages over seeds, t-tests) works on influences alone, so it is
// written once and holds for measures that are no mean over impressions, such as pooled AUC.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nd::metrics {

struct Estimate {
  double value = 0;              // NaN when no impression could be judged
  std::vector<float> influence;  // [m], sums to 0; 0 where an impression was skipped
};

// Mean over the seeds of one system, of the same impressions. Seeds are averaged before impressions are resampled: the
// runs of one impression are not independent observations, so stacking them would make intervals too narrow.
Estimate average(std::span<const Estimate* const> runs);

// a - b, paired by impression.
Estimate difference(const Estimate& a, const Estimate& b);

}  // namespace nd::metrics
