// Reciprocal rank as MIND defines it: averaged over all clicks of the impression, not only the best.
#include "lib/metrics/measures.h"

namespace nd::metrics {

double mrr(const Ranking& r, int64_t) {
  double sum = 0;
  for (const Group& group : r.groups) {
    double of_places = 0;
    for (int64_t rank = group.first; rank < group.first + group.places; ++rank)
      of_places += 1.0 / static_cast<double>(rank);
    // Each click of a group is equally likely at each of its places.
    sum += of_places * static_cast<double>(group.clicks) / static_cast<double>(group.places);
  }
  return sum / static_cast<double>(r.clicks);
}

}  // namespace nd::metrics
