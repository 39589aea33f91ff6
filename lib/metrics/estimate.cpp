#include "lib/metrics/estimate.h"

namespace nd::metrics {

Estimate average(std::span<const Estimate* const> runs) {
  Estimate mean{0, std::vector<float>(runs[0]->influence.size(), 0.0f)};
  const double weight = 1.0 / static_cast<double>(runs.size());
  for (const Estimate* run : runs) mean.value += weight * run->value;
  for (size_t i = 0; i < mean.influence.size(); ++i) {
    double sum = 0;
    for (const Estimate* run : runs) sum += run->influence[i];
    mean.influence[i] = static_cast<float>(weight * sum);
  }
  return mean;
}

Estimate difference(const Estimate& a, const Estimate& b) {
  Estimate d{a.value - b.value, a.influence};
  for (size_t i = 0; i < d.influence.size(); ++i) d.influence[i] -= b.influence[i];
  return d;
}

}  // namespace nd::metrics
