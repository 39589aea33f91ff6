// Reciprocal rank as MIND defines it: averaged over all clicks of the impression, not only the best.
#include "lib/metrics/measures.h"

namespace nd::metrics {

double mrr(const Ranking& r, int64_t) {
  double sum = 0;
  for (const Run& run : r.runs) {
    double of_places = 0;
    for (int64_t rank = run.first; rank < run.first + run.places; ++rank) of_places += 1.0 / static_cast<double>(rank);
    // Each click of a run is equally likely at each of its places.
    sum += of_places * static_cast<double>(run.clicks) / static_cast<double>(run.places);
  }
  return sum / static_cast<double>(r.clicks);
}

}  // namespace nd::metrics
