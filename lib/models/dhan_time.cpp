#include "lib/models/dhan_time.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace nd {
namespace {

constexpr int kFields = 5;
constexpr const char* kName[kFields] = {"month", "day", "weekday", "hour", "minute"};
constexpr int64_t kRows[kFields] = {12, 31, 7, 24, 60};
constexpr int64_t kLogRows = 48;

struct Calendar {
  int64_t year;
  int64_t field[kFields];  // as kName, each from 0
};

Calendar calendar(int64_t time, int64_t utc_offset) {
  using namespace std::chrono;
  const sys_seconds moment{seconds{time + utc_offset}};
  const sys_days day = floor<days>(moment);
  const year_month_day date{day};
  const int64_t second = (moment - day).count();
  return {int{date.year()},
          {unsigned{date.month()} - 1, unsigned{date.day()} - 1, weekday{day}.iso_encoding() - 1, second / 3600,
           second / 60 % 60}};
}

// The share of each of `count` fields; the last takes what is left over.
int64_t share(int64_t width, int64_t parts, int64_t count, int64_t index) {
  const int64_t each = width / parts;
  return index + 1 < count ? each : width - (count - 1) * each;
}

}  // namespace

std::vector<DhanTimeField> absolute_fields(const DhanTimeOptions& options, int64_t width) {
  std::vector<DhanTimeField> fields;
  const bool mean = options.absolute == "mean5", year = options.absolute == "concat6";
  if (year) fields.push_back({"year", options.years + 1, share(width, 6, 6, 0)});
  for (int f = 0; f < kFields; ++f)
    fields.push_back({kName[f], kRows[f], mean ? width : year ? share(width, 6, 6, f + 1) : share(width, 5, 5, f)});
  return fields;
}

std::vector<DhanTimeField> relative_fields(const DhanTimeOptions& options, int64_t width) {
  if (options.relative == "log") return {{"log", kLogRows, width}};
  std::vector<DhanTimeField> fields;
  for (int f = 0; f < kFields; ++f) fields.push_back({kName[f], 2 * kRows[f], share(width, 5, 5, f)});
  return fields;
}

void absolute_rows(const DhanTimeOptions& options, int64_t time, int32_t* rows) {
  const Calendar c = calendar(time, options.utc_offset);
  if (options.absolute == "concat6") {
    const int64_t year = c.year - options.first_year;
    *rows++ = static_cast<int32_t>(year >= 0 && year < options.years ? year : options.years);
  }
  for (int f = 0; f < kFields; ++f) rows[f] = static_cast<int32_t>(c.field[f]);
}

void relative_rows(const DhanTimeOptions& options, int64_t time, int64_t anchor, int32_t* rows) {
  if (options.relative == "log") {
    const double minutes = static_cast<double>(std::max<int64_t>(anchor - time, 0)) / 60;
    rows[0] = static_cast<int32_t>(std::min<int64_t>(static_cast<int64_t>(2 * std::log2(1 + minutes)), kLogRows - 1));
    return;
  }
  const Calendar from = calendar(time, options.utc_offset), to = calendar(anchor, options.utc_offset);
  for (int f = 0; f < kFields; ++f) rows[f] = static_cast<int32_t>(to.field[f] - from.field[f] + kRows[f]);
}

int64_t year_of(const DhanTimeOptions& options, int64_t time) { return calendar(time, options.utc_offset).year; }

}  // namespace nd
