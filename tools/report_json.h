// What eval-rank writes as metrics.json, and how report reads it again. Members that come beside the ones every reader
// may count on ("dataset", and for each of "systems": name, seed, metrics, interval, impressions, skipped) are
// documented in man/eval-rank.1.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "lib/io/json.h"
#include "lib/metrics/page.h"
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

// --- And back ---

inline const json::Value& needed(const json::Value& value, const char* key) {
  const json::Value* member = value.find(key);
  if (!member) throw Error(std::string("has no \"") + key + "\": expected what eval-rank --json writes");
  return *member;
}
inline const json::Array& needed_list(const json::Value& value, const char* key) {
  const json::Array* list = needed(value, key).array();
  if (!list) throw Error(std::string("\"") + key + "\" is no list: expected what eval-rank --json writes");
  return *list;
}
inline const std::string& needed_text(const json::Value& value, const char* key) {
  const std::string* text = needed(value, key).string();
  if (!text) throw Error(std::string("\"") + key + "\" is no text: expected what eval-rank --json writes");
  return *text;
}

// The names of measures in the order of eval-rank's table, where JSON has them by the alphabet.
inline void sort_measures(std::vector<std::string>& names) {
  const auto place = [](const std::string& name) {
    const size_t at = name.find('@');
    int64_t k = 0;
    if (at != std::string::npos) std::from_chars(name.data() + at + 1, name.data() + name.size(), k);
    size_t measure = 0;
    while (measure < metrics::measures().size() && metrics::measures()[measure].name != name.substr(0, at)) ++measure;
    return std::pair(measure, k);
  };
  std::ranges::stable_sort(names, {}, place);
}

inline metrics::PageRow page_row(const json::Value& result, const std::vector<std::string>& measures) {
  metrics::PageRow row{needed_text(result, "name"), {}};
  const json::Value &values = needed(result, "metrics"), *intervals = result.find("interval");
  for (const std::string& measure : measures) {
    const json::Value* value = values.find(measure);
    auto& mark = row.marks.emplace_back();
    if (!value || !std::isfinite(value->number())) continue;
    mark = metrics::Mark{value->number(), {}};
    const json::Value* interval = intervals ? intervals->find(measure) : nullptr;
    if (!interval || !interval->array() || interval->array()->size() != 2) continue;
    const double low = (*interval->array())[0].number(), high = (*interval->array())[1].number();
    if (std::isfinite(low) && std::isfinite(high)) mark->interval = {low, high};
  }
  return row;
}

inline metrics::Chapter chapter_of(const json::Value& report) {
  metrics::Chapter chapter;
  chapter.title = needed_text(report, "dataset");
  const json::Array &runs = needed_list(report, "systems"), &means = needed_list(report, "means");
  if (runs.empty() || means.empty()) throw Error("names no system: expected what eval-rank --json writes");
  const json::Object* values = needed(means[0], "metrics").object();
  if (!values) throw Error("\"metrics\" is no object: expected what eval-rank --json writes");
  for (const auto& [name, value] : *values) chapter.measures.push_back(name);
  sort_measures(chapter.measures);

  const int64_t *judged = needed(runs[0], "impressions").integer(), *skipped = needed(runs[0], "skipped").integer();
  if (!judged || !skipped)
    throw Error("\"impressions\" or \"skipped\" is no whole number: expected what eval-rank --json writes");
  chapter.counts = std::to_string(*judged) + " impressions judged, " + std::to_string(*skipped) + " skipped";
  if (const json::Value* confidence = report.find("confidence"); confidence && std::isfinite(confidence->number()))
    chapter.counts +=
        "; a line is where " + std::to_string(std::lround(100 * confidence->number())) + " % of resamples of them lie";
  for (const json::Value& mean : means) chapter.systems.push_back(page_row(mean, chapter.measures));
  if (report.find("differences"))
    for (const json::Value& difference : needed_list(report, "differences")) {
      chapter.base = needed_text(difference, "base");
      chapter.differences.push_back(page_row(difference, chapter.measures));
    }
  return chapter;
}

}  // namespace nd
