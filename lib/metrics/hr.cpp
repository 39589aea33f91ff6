// Hit rate: is a click among the best k?
#include "lib/metrics/measures.h"

namespace nd::metrics {

double hr(const Ranking& r, int64_t k) {
  const Group& group = r.groups.front();
  // Places of the group beyond the best k; all its clicks must fall there for a miss.
  const int64_t beyond = group.first + group.places - 1 - k;
  if (beyond < group.clicks) return 1;
  if (beyond >= group.places) return 0;
  double miss = 1;
  for (int64_t click = 0; click < group.clicks; ++click)
    miss *= static_cast<double>(beyond - click) / static_cast<double>(group.places - click);
  return 1 - miss;
}

}  // namespace nd::metrics
