// Splits impressions by calendar day, for tables such as KRED's Table 2, which reports each day of the test week.
#include <chrono>
#include <cstdio>
#include <limits>
#include <map>

#include "lib/metrics/evaluate.h"

namespace nd::metrics {
namespace {

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();  // sorts behind every day
constexpr int64_t kSecondsPerDay = 86400;

std::string date_of(int64_t day) {
  if (day == kUnknown) return "unknown";
  // Years beyond what the calendar of the standard library can hold are shown as a day number.
  if (day > 3'000'000) return "day " + std::to_string(day);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

}  // namespace

std::vector<Day> split_by_day(const Impressions& impressions) {
  std::map<int64_t, ImpressionTable> days;
  for (int64_t i = 0; i < static_cast<int64_t>(impressions.times.size()); ++i) {
    const int64_t time = impressions.times[static_cast<size_t>(i)];
    ImpressionTable& day = days[time < 0 ? kUnknown : time / kSecondsPerDay];
    const auto scores = impressions.scores_of(i);
    const auto labels = impressions.labels_of(i);
    day.scores.insert(day.scores.end(), scores.begin(), scores.end());
    day.labels.insert(day.labels.end(), labels.begin(), labels.end());
    day.offsets.push_back(static_cast<int64_t>(day.scores.size()));
    day.times.push_back(time);
  }
  if (days.size() == 1 && days.begin()->first == kUnknown) return {};
  std::vector<Day> out;
  for (auto& [day, table] : days) out.push_back({date_of(day), std::move(table)});
  return out;
}

std::vector<DayEvaluation> evaluate_days(const Impressions& impressions, std::span<const Column> columns, Ties ties,
                                         int threads) {
  std::vector<DayEvaluation> out;
  for (const Day& day : split_by_day(impressions))
    out.push_back({day.date, evaluate(day.impressions.view(), columns, ties, threads)});
  return out;
}

}  // namespace nd::metrics
