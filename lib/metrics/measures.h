// The measures of a ranking. One measure is one small file; measures.cpp lists them in display order with the words
// that help and manual show. To add one: write its file, declare it here, give it a line in the list.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/metrics/estimate.h"
#include "lib/metrics/impressions.h"
#include "lib/metrics/ranking.h"

namespace nd::metrics {

struct Measure {
  std::string_view name;
  bool cut;  // looks at the best k only and is written name@k
  std::string_view meaning;
  // Exactly one of the two is set. A measure of one impression is averaged over impressions.
  double (*of_impression)(const Ranking&, int64_t k);
  Estimate (*of_all)(const Impressions&);
};

std::span<const Measure> measures();

// A measure with its k, as a table shows it.
struct Column {
  const Measure* measure;
  int64_t k;  // 0 unless the measure is cut
  std::string name() const;
};

// Every measure, the cut ones once per k.
std::vector<Column> columns(std::span<const int64_t> cutoffs);
// The measure of a name such as "auc" or "ndcg@10". Error when there is none.
Column column_named(std::string_view name);

// Of one impression with at least one click and one candidate that was not clicked; all in [0, 1].
double auc(const Ranking&, int64_t);
double mrr(const Ranking&, int64_t);
double mrr_first(const Ranking&, int64_t);
double ndcg(const Ranking&, int64_t k);
double hr(const Ranking&, int64_t k);

// Over the rows of all impressions together; those with an unlabelled candidate are left out.
Estimate auc_pooled(const Impressions&);

}  // namespace nd::metrics
