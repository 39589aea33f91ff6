#include "lib/data/log_time.h"

#include <chrono>

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
};

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
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day));
  if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59) return false;
  seconds =
      std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86400} + hour * 3600 + minute * 60 + second;
  return true;
}

}  // namespace nd
