// How reports print their numbers.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace nd::metrics {

// By printf's format; "-" where there is none.
inline std::string number(const char* format, double value) {
  if (std::isnan(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// "95 %", "99.9 %".
inline std::string percent(double share) { return number("%.4g", 100 * share) + " %"; }

}  // namespace nd::metrics
