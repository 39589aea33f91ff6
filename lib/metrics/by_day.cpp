// Splits impressions by calendar day, for tables such as KRED's Table 2, which reports each day of the test week.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>

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

std::vector<Part> split_by_day(const Impressions& impressions) {
  std::vector<int64_t> days;
  for (const int64_t time : impressions.times) days.push_back(time < 0 ? kUnknown : time / kSecondsPerDay);
  std::vector<int64_t> distinct = days;
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.empty() || distinct.front() == kUnknown) return {};
  std::vector<std::string> names;
  for (const int64_t day : distinct) names.push_back(date_of(day));
  std::vector<int32_t> part_of;
  for (const int64_t day : days)
    part_of.push_back(static_cast<int32_t>(std::ranges::lower_bound(distinct, day) - distinct.begin()));
  return split(impressions, part_of, names);
}

}  // namespace nd::metrics
