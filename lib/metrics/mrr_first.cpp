// Reciprocal rank of the best click.
#include "lib/metrics/measures.h"

namespace nd::metrics {

double mrr_first(const Ranking& r, int64_t) {
  const Group& group = r.groups.front();
  double mean = 0;
  double none_before = 1;  // chance that the places of the group before this one hold no click
  for (int64_t skipped = 0; skipped <= group.places - group.clicks; ++skipped) {
    const double here = static_cast<double>(group.clicks) / static_cast<double>(group.places - skipped);
    mean += none_before * here / static_cast<double>(group.first + skipped);
    none_before *= 1 - here;
  }
  return mean;
}

}  // namespace nd::metrics
