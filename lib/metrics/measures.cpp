#include "lib/metrics/measures.h"

#include <charconv>

#include "lib/io/error.h"

namespace nd::metrics {
namespace {

// Display order: the measures people quote first come first.
constexpr Measure kMeasures[] = {
    {"auc", false,
     "grouped AUC, MIND's AUC: the share of pairs (clicked, not clicked) ranked rightly within an "
     "impression, ties one half; mean over impressions",
     auc, nullptr},
    {"auc_pooled", false,
     "AUC over the rows of all impressions together, as the KRED code reports it; it also asks "
     "that scores of different impressions compare",
     nullptr, auc_pooled},
    {"mrr", false, "MIND's MRR: mean of 1/rank over all clicked candidates of an impression; mean over impressions",
     mrr, nullptr},
    {"mrr_first", false, "1/rank of the best clicked candidate (the usual reciprocal rank); mean over impressions",
     mrr_first, nullptr},
    {"ndcg", true,
     "normalised discounted cumulative gain of the best k, discount log2(1 + rank); mean over "
     "impressions",
     ndcg, nullptr},
    {"hr", true, "hit rate: the share of impressions with a click among the best k", hr, nullptr},
};

}  // namespace

std::span<const Measure> measures() { return kMeasures; }

std::string Column::name() const { return std::string(measure->name) + (measure->cut ? "@" + std::to_string(k) : ""); }

std::vector<Column> columns(std::span<const int64_t> cutoffs) {
  std::vector<Column> out;
  for (const Measure& m : kMeasures) {
    if (!m.cut) out.push_back({&m, 0});
    for (const int64_t k : cutoffs)
      if (m.cut) out.push_back({&m, k});
  }
  return out;
}

Column column_named(std::string_view name) {
  const auto at = name.find('@');
  int64_t k = 0;
  if (at != std::string_view::npos) {
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + at + 1, end, k);
    if (parsed.ec != std::errc{} || parsed.ptr != end || k < 1) k = -1;
  }
  for (const Measure& m : kMeasures)
    if (m.name == name.substr(0, at) && (m.cut ? k > 0 : at == std::string_view::npos)) return {&m, k};
  throw Error("no measure is called " + std::string(name));
}

}  // namespace nd::metrics
