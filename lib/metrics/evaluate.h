// Applies measures to impressions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/metrics/estimate.h"
#include "lib/metrics/impressions.h"
#include "lib/metrics/measures.h"
#include "lib/metrics/ranking.h"

namespace nd::metrics {

// Impressions that cannot be judged, by cause. Only auc_pooled still uses the rows of single-class ones.
struct Skipped {
  int64_t empty = 0;         // no candidate
  int64_t unlabelled = 0;    // a candidate without a label
  int64_t single_class = 0;  // all clicked, or none
  int64_t total() const { return empty + unlabelled + single_class; }
};

struct Evaluation {
  int64_t judged = 0;  // impressions the means are over
  Skipped skipped;
  int64_t constant = 0;             // judged impressions whose candidates all have one score
  std::vector<Estimate> estimates;  // one per column
};

// Throws Error naming the impression (from 1) when a score is NaN or a label is none of 0, 1, 255. The result does not
// depend on the number of threads.
Evaluation evaluate(const Impressions& impressions, std::span<const Column> columns, Ties ties, int threads);
// The same; all blocks are held at once only when a column looks at all impressions together.
Evaluation evaluate(const ImpressionBlocks& blocks, std::span<const Column> columns, Ties ties, int threads);

// The impressions of one day.
struct Day {
  std::string date;  // YYYY-MM-DD, "unknown" for times below 0
  ImpressionTable impressions;
};

// Days in order, unknown last; impressions keep their order. No days when no time is known at all.
std::vector<Day> split_by_day(const Impressions& impressions);

struct DayEvaluation {
  std::string date;
  Evaluation evaluation;
};
// evaluate() of each day.
std::vector<DayEvaluation> evaluate_days(const Impressions& impressions, std::span<const Column> columns, Ties ties,
                                         int threads);

}  // namespace nd::metrics
