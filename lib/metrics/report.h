// What eval-rank tells: runs judged on the same impressions, put together by system, compared, and set as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/metrics/bootstrap.h"
#include "lib/metrics/evaluate.h"

namespace nd::metrics {

// One system trained with one seed, judged.
struct Run {
  std::string system;
  std::optional<int64_t> seed;
  Evaluation evaluation;
  std::vector<PartEvaluation> days, parts;  // or none
};

// A line of results; every vector has one entry per column, or none where it does not apply.
struct Result {
  std::string system;
  std::vector<int64_t> seeds;
  std::vector<double> value;       // mean over the seeds
  std::vector<double> deviation;   // between seeds (of a sample); with two seeds or more
  std::vector<Interval> interval;  // over impressions, the seeds as they are; with a bootstrap
  std::vector<double> p;           // of "no difference", by the paired t-test; for differences
  int64_t constant = 0;            // impressions whose candidates all got one score; the fewest of its runs
  int64_t tied = 0;                // impressions with a click that ties with one not clicked; the most of its runs
};

struct PartResult {
  std::string name;
  int64_t judged = 0;
  std::vector<Result> systems;  // value and deviation only
};

struct Report {
  std::vector<Column> columns;
  int64_t judged = 0;
  Skipped skipped;
  double confidence = 0;            // of the intervals; 0 without any
  std::vector<Result> runs;         // one per run, in the order given
  std::vector<Result> systems;      // one per system, in the order of first appearance
  std::string base;                 // the system the differences are to; "" without any
  std::vector<Result> differences;  // each other system minus the base, paired by impression
  std::vector<PartResult> days, parts;
  Ties ties = Ties::last;
};

// All runs are of the same impressions and columns. `options` null: no intervals. `base` "": no differences. Error when
// two runs have the same system and seed, when no system is called `base`, or when no impression could be judged.
// `ties` is the rule they were judged by.
Report make_report(std::span<const Run> runs, std::span<const Column> columns, Ties ties, const Bootstrap* options,
                   const std::string& base, int threads);

// The report for people, values to four decimals: `title` and counts, a line per system with its deviation and interval
// below, then differences, parts and days. Systems that score at least half of the impressions constantly are marked;
// where ties count against a system, it is said how many it has.
std::string table(const Report& report, const std::string& title);

// The same as Markdown tables, an interval and the deviation in the cell of its value; without p, marks and ties.
std::string markdown(const Report& report, const std::string& title);

// "impressions: 363 judged, 12 skipped (10 single class, 2 unlabelled)".
std::string counts(const Report& report);

}  // namespace nd::metrics
