// Hit rate: is a click among the best k?
#include "lib/metrics/measures.h"

namespace nd::metrics {

double hr(const Ranking& r, int64_t k) {
  const Run& run = r.runs.front();
  // Places of the run beyond the best k; all its clicks must fall there for a miss.
  const int64_t beyond = run.first + run.places - 1 - k;
  if (beyond < run.clicks) return 1;
  if (beyond >= run.places) return 0;
  double miss = 1;
  for (int64_t click = 0; click < run.clicks; ++click)
    miss *= static_cast<double>(beyond - click) / static_cast<double>(run.places - click);
  return 1 - miss;
}

}  // namespace nd::metrics
