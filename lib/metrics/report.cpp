#include "lib/metrics/report.h"

#include <algorithm>
#include <cmath>

#include "lib/io/error.h"

namespace nd::metrics {
namespace {

std::string named(const Run& run) {
  return "system " + run.system + (run.seed ? " with seed " + std::to_string(*run.seed) : "");
}

// Sample standard deviation of values.
double deviation(std::span<const double> values, double mean) {
  double squares = 0;
  for (const double v : values) squares += std::pow(v - mean, 2);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// The values of a column, one per run; of_run(run) is the evaluation meant.
template <class OfRun>
std::vector<double> values(std::span<const Run* const> runs, size_t column, OfRun&& of_run) {
  std::vector<double> out;
  for (const Run* run : runs) out.push_back(of_run(*run).estimates[column].value);
  return out;
}

// A system's estimates, averaged over its seeds.
std::vector<Estimate> averaged(std::span<const Run* const> runs, size_t columns) {
  std::vector<Estimate> out;
  for (size_t c = 0; c < columns; ++c) {
    std::vector<const Estimate*> of_seeds;
    for (const Run* run : runs) of_seeds.push_back(&run->evaluation.estimates[c]);
    out.push_back(average(of_seeds));
  }
  return out;
}

// The runs of each system, in the order of first appearance.
std::vector<std::vector<const Run*>> by_system(std::span<const Run> runs) {
  std::vector<std::vector<const Run*>> systems;
  for (const Run& run : runs) {
    size_t at = 0;
    while (at < systems.size() && systems[at][0]->system != run.system) ++at;
    if (at == systems.size()) systems.emplace_back();
    for (const Run* other : systems[at])
      if (other->seed == run.seed)
        throw Error(named(run) + " is given twice: score one of the files under another name");
    systems[at].push_back(&run);
  }
  return systems;
}

Result result_of(std::span<const Run* const> seeds, std::span<const Estimate> estimates) {
  Result r;
  r.system = seeds[0]->system;
  r.constant = seeds[0]->evaluation.constant;
  r.tied = seeds[0]->evaluation.tied;
  for (const Run* run : seeds) {
    if (run->seed) r.seeds.push_back(*run->seed);
    r.constant = std::min(r.constant, run->evaluation.constant);
    r.tied = std::max(r.tied, run->evaluation.tied);
  }
  for (const Estimate& e : estimates) r.value.push_back(e.value);
  if (seeds.size() > 1)
    for (size_t c = 0; c < estimates.size(); ++c)
      r.deviation.push_back(
          deviation(values(seeds, c, [](const Run& run) -> const Evaluation& { return run.evaluation; }), r.value[c]));
  return r;
}

// One part of all runs; parts(run) are those of a run.
template <class Parts>
PartResult part_result(std::span<const std::vector<const Run*>> systems, size_t part, size_t columns, Parts&& parts) {
  const PartEvaluation& first = parts(*systems[0][0])[part];
  PartResult out{first.name, first.evaluation.judged, {}};
  for (const auto& seeds : systems) {
    Result r;
    r.system = seeds[0]->system;
    for (const Run* run : seeds)
      if (run->seed) r.seeds.push_back(*run->seed);
    for (size_t c = 0; c < columns; ++c) {
      const auto of_seeds =
          values(seeds, c, [&](const Run& run) -> const Evaluation& { return parts(run)[part].evaluation; });
      double mean = 0;
      for (const double v : of_seeds) mean += v / static_cast<double>(seeds.size());
      r.value.push_back(mean);
      if (seeds.size() > 1) r.deviation.push_back(deviation(of_seeds, mean));
    }
    out.systems.push_back(std::move(r));
  }
  return out;
}

// Parts of all runs side by side.
template <class Parts>
std::vector<PartResult> part_results(std::span<const std::vector<const Run*>> systems, size_t columns, Parts&& parts) {
  std::vector<PartResult> out;
  for (size_t p = 0; p < parts(*systems[0][0]).size(); ++p) out.push_back(part_result(systems, p, columns, parts));
  return out;
}

}  // namespace

Report make_report(std::span<const Run> runs, std::span<const Column> columns, Ties ties, const Bootstrap* options,
                   const std::string& base, int threads) {
  Report report;
  report.ties = ties;
  report.columns.assign(columns.begin(), columns.end());
  report.judged = runs[0].evaluation.judged;
  report.skipped = runs[0].evaluation.skipped;
  report.confidence = options ? options->confidence : 0;
  report.base = base;
  if (report.judged == 0) throw Error("no impression can be judged; " + counts(report));
  auto interval = [&](std::span<const Estimate> estimates) {
    return options ? bootstrap(estimates, *options, threads) : std::vector<Interval>{};
  };

  const auto systems = by_system(runs);
  for (const Run& run : runs) {
    const Run* alone = &run;
    report.runs.push_back(result_of({&alone, 1}, run.evaluation.estimates));
    report.runs.back().interval = interval(run.evaluation.estimates);
  }
  std::vector<std::vector<Estimate>> means;
  for (const auto& seeds : systems) {
    means.push_back(averaged(seeds, columns.size()));
    report.systems.push_back(result_of(seeds, means.back()));
    // One seed's mean is itself; its interval is already there.
    report.systems.back().interval =
        seeds.size() == 1 ? report.runs[static_cast<size_t>(seeds[0] - runs.data())].interval : interval(means.back());
  }
  using Parts = const std::vector<PartEvaluation>&;
  report.days = part_results(systems, columns.size(), [](const Run& run) -> Parts { return run.days; });
  report.parts = part_results(systems, columns.size(), [](const Run& run) -> Parts { return run.parts; });
  if (base.empty()) return report;

  size_t at = 0;
  while (at < systems.size() && systems[at][0]->system != base) ++at;
  if (at == systems.size()) throw Error("no system is called " + base + ", so nothing can be compared with it");
  for (size_t s = 0; s < systems.size(); ++s) {
    if (s == at) continue;
    std::vector<Estimate> differences;
    for (size_t c = 0; c < columns.size(); ++c) differences.push_back(difference(means[s][c], means[at][c]));
    Result r;
    r.system = systems[s][0]->system;
    for (const Estimate& d : differences) {
      r.value.push_back(d.value);
      r.p.push_back(t_test(d, report.judged));
    }
    r.interval = interval(differences);
    report.differences.push_back(std::move(r));
  }
  return report;
}

}  // namespace nd::metrics
