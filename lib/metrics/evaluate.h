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
  int64_t tied = 0;                 // judged impressions with a click that has the score of one not clicked
  std::vector<Estimate> estimates;  // one per column
};

// Throws Error naming the impression (from 1) when a score is NaN or a label is none of 0, 1, 255. The result does not
// depend on the number of threads.
Evaluation evaluate(const Impressions& impressions, std::span<const Column> columns, Ties ties, int threads);
// The same; all blocks are held at once only when a column looks at all impressions together.
Evaluation evaluate(const ImpressionBlocks& blocks, std::span<const Column> columns, Ties ties, int threads);

// Impressions that are looked at apart from the others: those of a day, or on articles of a kind.
struct Part {
  std::string name;
  ImpressionTable impressions;
};

// Impression i goes into part part_of[i] of those with these names; impressions keep their order.
std::vector<Part> split(const Impressions& impressions, std::span<const int32_t> part_of,
                        std::span<const std::string> names);
// Days by their dates, YYYY-MM-DD, in order, "unknown" for times below 0 last. None when no time is known at all.
std::vector<Part> split_by_day(const Impressions& impressions);

struct PartEvaluation {
  std::string name;
  Evaluation evaluation;
};
// evaluate() of each part.
std::vector<PartEvaluation> evaluate_parts(std::span<const Part> parts, std::span<const Column> columns, Ties ties,
                                           int threads);

}  // namespace nd::metrics
