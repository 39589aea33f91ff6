// Times as D-HAN reads them (dhan.md 1.5): which rows of small tables stand for a moment, or for the time between two.
//
// Every field of the calendar has a table of its own, and the vector of a moment is theirs joined. Which zone the
// calendar is of has to be said: the machine's own would make results depend on where they were computed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nd {

struct DhanTimeOptions {
  // Absolute time: "concat5" joins month, day, weekday, hour and minute; "concat6" has the year before them; "mean5" is
  // the mean of five vectors.
  std::string absolute = "concat5";
  // Time between: "calendar" joins the differences of the five fields, "log" has one table by the logarithm.
  std::string relative = "calendar";
  int64_t utc_offset = 0;                // seconds to add to UTC
  int64_t first_year = 1970, years = 1;  // years the year table knows; one more row stands for all others
};

// One table: a name, rows, numbers a row.
struct DhanTimeField {
  std::string name;
  int64_t rows, width;
};

// The tables of a moment and of a difference, together `width` numbers a moment (each, where their mean is taken).
std::vector<DhanTimeField> absolute_fields(const DhanTimeOptions& options, int64_t width);
std::vector<DhanTimeField> relative_fields(const DhanTimeOptions& options, int64_t width);

// The row of each of those tables. Times are seconds since 1970-01-01T00:00:00Z.
void absolute_rows(const DhanTimeOptions& options, int64_t time, int32_t* rows);
// For the time from `time` to `anchor`. By calendar: the differences of the fields, so that a year apart looks like
// nothing and a minute over midnight at a month's end looks far; that is what the official code does. By logarithm:
// floor(2 log2(1 + minutes)), 0 to 47, of max(0, anchor - time).
void relative_rows(const DhanTimeOptions& options, int64_t time, int64_t anchor, int32_t* rows);

// The year a time lies in.
int64_t year_of(const DhanTimeOptions& options, int64_t time);

}  // namespace nd
