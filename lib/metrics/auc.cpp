// Area under the ROC curve of one impression (Mann-Whitney with mid-ranks).
#include "lib/metrics/measures.h"

namespace nd::metrics {

double auc(const Ranking& r, int64_t) {
  const auto clicked = static_cast<double>(r.clicks), others = static_cast<double>(r.candidates - r.clicks);
  return r.pairs_won / (clicked * others);
}

}  // namespace nd::metrics
