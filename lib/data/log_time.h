// Times as click logs write them, to seconds since 1970-01-01T00:00:00 in the log's own zone.
#pragma once

#include <cstdint>
#include <string_view>

namespace nd {

// MIND's month/day/year with a 12-hour clock ("11/9/2019 6:42:51 PM", digits padded or not; 12 AM is hour 0), or
// year-month-day with a 24-hour clock ("2019-11-09 18:42:51", a T is as good as the blank). False when the text is
// neither, or names a time that does not exist (February 30, 13 PM) or lies before 1970.
bool parse_log_time(std::string_view text, int64_t& seconds);

}  // namespace nd
