// Normalised discounted cumulative gain of the best k, for labels 0 and 1 (gain 2^label - 1 = label).
#include <algorithm>
#include <array>
#include <cmath>

#include "lib/metrics/measures.h"

namespace nd::metrics {
namespace {

double exact_discount(int64_t rank) { return 1 / std::log2(static_cast<double>(rank) + 1); }

// Almost every rank asked for is small, and a logarithm costs more than the rest of the measure.
double discount(int64_t rank) {
  static const auto table = [] {
    std::array<double, 256> t{};
    for (size_t rank = 1; rank < t.size(); ++rank) t[rank] = exact_discount(static_cast<int64_t>(rank));
    return t;
  }();
  return rank < static_cast<int64_t>(table.size()) ? table[static_cast<size_t>(rank)] : exact_discount(rank);
}

double discounts(int64_t first, int64_t last) {
  double sum = 0;
  for (int64_t rank = first; rank <= last; ++rank) sum += discount(rank);
  return sum;
}

}  // namespace

double ndcg(const Ranking& r, int64_t k) {
  double gain = 0;
  for (const Group& group : r.groups) {
    const double of_places = discounts(group.first, std::min(k, group.first + group.places - 1));
    gain += of_places * static_cast<double>(group.clicks) / static_cast<double>(group.places);
  }
  return gain / discounts(1, std::min(k, r.clicks));
}

}  // namespace nd::metrics
