// What eval-rank writes as metrics.json. Members that come beside the ones every reader may count on ("dataset", and
// for each of "systems": name, seed, metrics, interval, impressions, skipped) are documented in man/eval-rank.1.
#pragma once

#include <string>

#include "lib/io/json.h"
#include "lib/metrics/report.h"

namespace nd {

// {"auc": f(0), "mrr": f(1), ...}
template <class F>
json::Object by_measure(const metrics::Report& report, F&& f) {
  json::Object out;
  for (size_t c = 0; c < report.columns.size(); ++c) out[report.columns[c].name()] = f(c);
  return out;
}

inline json::Object to_json(const metrics::Report& report, const metrics::Result& r) {
  json::Object out{{"name", r.system}, {"metrics", by_measure(report, [&](size_t c) { return r.value[c]; })}};
  if (!r.interval.empty())
    out["interval"] = by_measure(report, [&](size_t c) { return json::Array{r.interval[c].low, r.interval[c].high}; });
  if (!r.deviation.empty()) out["deviation"] = by_measure(report, [&](size_t c) { return r.deviation[c]; });
  if (!r.p.empty()) out["p"] = by_measure(report, [&](size_t c) { return r.p[c]; });
  return out;
}

// [{`title`: the part's name, "impressions": n, "systems": [...]}, ...]
inline json::Array to_json(const metrics::Report& report, const std::vector<metrics::PartResult>& parts,
                           const char* title) {
  json::Array out;
  for (const metrics::PartResult& part : parts) {
    json::Array systems;
    for (const metrics::Result& r : part.systems) systems.emplace_back(to_json(report, r));
    out.emplace_back(json::Object{{title, part.name}, {"impressions", part.judged}, {"systems", std::move(systems)}});
  }
  return out;
}

inline json::Value to_json(const metrics::Report& report, const std::string& dataset) {
  json::Array runs, means, differences;
  for (const metrics::Result& r : report.runs) {
    json::Object run = to_json(report, r);
    run["seed"] = r.seeds.empty() ? json::Value() : json::Value(r.seeds[0]);
    run["impressions"] = report.judged;
    run["skipped"] = report.skipped.total();
    run["constant"] = r.constant;
    run["tied"] = r.tied;
    runs.emplace_back(std::move(run));
  }
  for (const metrics::Result& r : report.systems) {
    json::Object mean = to_json(report, r);
    mean["seeds"] = json::Array(r.seeds.begin(), r.seeds.end());
    means.emplace_back(std::move(mean));
  }
  for (const metrics::Result& r : report.differences) {
    json::Object difference = to_json(report, r);
    difference["base"] = report.base;
    differences.emplace_back(std::move(difference));
  }
  json::Object out{{"dataset", dataset}, {"systems", std::move(runs)}, {"means", std::move(means)}};
  out["skipped"] = json::Object{{"empty", report.skipped.empty},
                                {"single_class", report.skipped.single_class},
                                {"unlabelled", report.skipped.unlabelled}};
  if (report.confidence > 0) out["confidence"] = report.confidence;
  if (!report.base.empty()) out["differences"] = std::move(differences);
  if (!report.days.empty()) out["days"] = to_json(report, report.days, "date");
  if (!report.parts.empty()) out["parts"] = to_json(report, report.parts, "name");
  return out;
}

}  // namespace nd
