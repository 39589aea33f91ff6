#include "lib/data/log_time.h"

#include <chrono>
#include <cstdio>

namespace nd {
namespace {

// Reads from the front of `text`; every function is false when what it expects does not stand there.
struct Reader {
  std::string_view text;

  bool literal(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool number(size_t most_digits, unsigned& value) {
    size_t digits = 0;
    for (value = 0; digits < most_digits && digits < text.size(); ++digits) {
      const char c = text[digits];
      if (c < '0' || c > '9') break;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    text.remove_prefix(digits);
    return digits > 0;
  }
  // Exactly so many digits.
  bool digits(size_t count, unsigned& value) {
    const size_t before = text.size();
    return number(count, value) && before - text.size() == count;
  }
};

// Seconds of a date and a time of day. False when there is no such date.
bool seconds_of(unsigned year, unsigned month, unsigned day, int64_t second_of_day, int64_t& seconds) {
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day));
  if (!date.ok()) return false;
  seconds = std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400} + second_of_day;
  return true;
}

// "Z", " UTC", "+02:00", "+0200", "+02" or nothing.
bool read_zone(Reader& in, int64_t& offset_seconds) {
  offset_seconds = 0;
  if (in.text.empty() || in.text == "Z" || in.text == "z" || in.text == " UTC") return true;
  const bool ahead = in.text.front() == '+';
  if (!in.literal(ahead ? '+' : '-')) return false;
  unsigned hours, minutes = 0;
  if (!in.digits(2, hours) || hours > 23) return false;
  if (!in.text.empty()) {
    in.literal(':');
    if (!in.digits(2, minutes) || minutes > 59 || !in.text.empty()) return false;
  }
  offset_seconds = (ahead ? 1 : -1) * int64_t{hours * 3600 + minutes * 60};
  return true;
}

}  // namespace

bool parse_log_time(std::string_view text, int64_t& seconds) {
  Reader in{text};
  unsigned year, month, day, hour, minute, second;
  const bool year_first = text.size() > 4 && text[4] == '-';
  if (year_first) {
    if (!(in.number(4, year) && in.literal('-') && in.number(2, month) && in.literal('-') && in.number(2, day)))
      return false;
    if (!in.literal('T') && !in.literal(' ')) return false;
  } else {
    if (!(in.number(2, month) && in.literal('/') && in.number(2, day) && in.literal('/') && in.number(4, year)))
      return false;
    if (!in.literal(' ')) return false;
  }
  if (!(in.number(2, hour) && in.literal(':') && in.number(2, minute) && in.literal(':') && in.number(2, second)))
    return false;
  if (!year_first) {
    if (in.text != " AM" && in.text != " PM") return false;
    if (hour < 1 || hour > 12) return false;
    hour = hour % 12 + (in.text == " PM" ? 12 : 0);
  } else if (!in.text.empty()) {
    return false;
  }
  if (year < 1970 || hour > 23 || minute > 59 || second > 59) return false;
  return seconds_of(year, month, day, hour * 3600 + minute * 60 + second, seconds);
}

bool parse_iso_time(std::string_view text, int64_t& micros) {
  Reader in{text};
  unsigned year, month, day, hour = 0, minute = 0, second = 0;
  if (!(in.digits(4, year) && in.literal('-') && in.digits(2, month) && in.literal('-') && in.digits(2, day)))
    return false;
  int64_t fraction = 0, offset = 0, seconds = 0;
  if (!in.text.empty()) {
    if (!in.literal('T') && !in.literal(' ')) return false;
    if (!(in.digits(2, hour) && in.literal(':') && in.digits(2, minute))) return false;
    if (in.literal(':')) {
      if (!in.digits(2, second)) return false;
      if (in.literal('.') || in.literal(',')) {
        int64_t unit = 100000;
        unsigned digit, count = 0;
        for (; in.number(1, digit); unit /= 10, ++count) fraction += digit * unit;
        if (count == 0) return false;
      }
    }
    if (!read_zone(in, offset)) return false;
  }
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return false;
  if (!seconds_of(year, month, day, hour * 3600 + minute * 60 + second, seconds)) return false;
  micros = (seconds - offset) * 1000000 + fraction;
  return true;
}

std::string iso_time(int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace nd
