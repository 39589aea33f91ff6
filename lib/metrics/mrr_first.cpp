// Reciprocal rank of the best click.
#include "lib/metrics/measures.h"

namespace nd::metrics {

double mrr_first(const Ranking& r, int64_t) {
  const Run& run = r.runs.front();
  double mean = 0;
  double none_before = 1;  // chance that the places of the run before this one hold no click
  for (int64_t skipped = 0; skipped <= run.places - run.clicks; ++skipped) {
    const double here = static_cast<double>(run.clicks) / static_cast<double>(run.places - skipped);
    mean += none_before * here / static_cast<double>(run.first + skipped);
    none_before *= 1 - here;
  }
  return mean;
}

}  // namespace nd::metrics
