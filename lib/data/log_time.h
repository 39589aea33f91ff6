// Times as click logs write them, to seconds since 1970-01-01T00:00:00 in the log's own zone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nd {

// MIND's month/day/year with a 12-hour clock ("11/9/2019 6:42:51 PM", digits padded or not; 12 AM is hour 0), or
// year-month-day with a 24-hour clock ("2019-11-09 18:42:51", a T is as good as the blank). False when the text is
// neither, or names a time that does not exist (February 30, 13 PM) or lies before 1970.
bool parse_log_time(std::string_view text, int64_t& seconds);

// ISO 8601 to microseconds since 1970-01-01T00:00:00Z: "2016-06-08T19:10:32.123Z", with a blank for the T, with fewer
// or more digits of a second or none, without seconds or without a time of day, with Z, " UTC" or an offset such as
// +02:00, +0200 or +02; without any of these it is taken for UTC. False when the text is none of this or names a time
// that does not exist; years are 1 to 9999, so the result may be negative.
bool parse_iso_time(std::string_view text, int64_t& micros);

// Seconds as "2016-06-08T19:10:32Z", for messages. From the year 1 to 9999.
std::string iso_time(int64_t seconds);

}  // namespace nd
