#include "lib/cli/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "lib/cli/text.h"

namespace nd::cli {
namespace {

std::string bounds(const Rules& rules) {
  bool low = std::isfinite(rules.low), high = std::isfinite(rules.high);
  std::string at = number_text(rules.low), to = number_text(rules.high);
  if (low && high && !rules.low_open && !rules.high_open) return " from " + at + " to " + to;
  std::string out;
  if (low) out += (rules.low_open ? " above " : " of at least ") + at;
  if (low && high) out += " and";
  if (high) out += (rules.high_open ? " below " : " of at most ") + to;
  return out;
}

template <class T>
T number(const std::string& name, const std::string& text, const Rules& rules) {
  T value{};
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool ok = problem == std::errc() && end == text.data() + text.size();
  if constexpr (std::is_floating_point_v<T>) ok = ok && std::isfinite(value);
  // A seed travels in JSON headers, where whole numbers are signed.
  if constexpr (std::is_same_v<T, uint64_t>) ok = ok && value <= uint64_t{INT64_MAX};
  double v = static_cast<double>(value);
  ok = ok && (rules.low_open ? v > rules.low : v >= rules.low) && (rules.high_open ? v < rules.high : v <= rules.high);
  if (!ok) {
    bool whole = std::is_integral_v<T>;
    throw UsageError(name + ": expected a " + (whole ? "whole " : "") + "number" + bounds(rules) + ", found '" + text +
                     "'");
  }
  return value;
}

template <class T>
std::string number_list(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) {
    if (!out.empty()) out += ',';
    if constexpr (std::is_integral_v<T>) out += std::to_string(value);
    else out += number_text(value);
  }
  return out;
}

}  // namespace

void read_value(const Target& target, const std::string& name, const std::string& text, const Rules& rules) {
  auto read = [&]<class T>(T* value) {
    if constexpr (std::is_same_v<T, std::string>) {
      *value = text;
    } else if constexpr (std::is_same_v<T, bool>) {
      *value = text == "true";
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      value->push_back(text);
    } else if constexpr (std::is_arithmetic_v<T>) {
      *value = number<T>(name, text, rules);
    } else {
      for (size_t at = 0; at <= text.size();) {
        size_t comma = std::min(text.find(',', at), text.size());
        value->push_back(number<typename T::value_type>(name, text.substr(at, comma - at), rules));
        at = comma + 1;
      }
    }
  };
  std::visit(read, target);
}

void clear_list(const Target& target) {
  std::visit(
      []<class T>(T* value) {
        if constexpr (requires { value->push_back({}); } && !std::is_same_v<T, std::string>) value->clear();
      },
      target);
}

std::string shown_value(const Target& target) {
  auto show = []<class T>(const T* value) -> std::string {
    if constexpr (std::is_same_v<T, std::string>) {
      return *value;
    } else if constexpr (std::is_same_v<T, bool>) {
      return *value ? "yes" : "no";
    } else if constexpr (std::is_floating_point_v<T>) {
      return number_text(*value);
    } else if constexpr (std::is_integral_v<T>) {
      return std::to_string(*value);
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      std::string out;
      for (const auto& word : *value) out += (out.empty() ? "" : " ") + word;
      return out;
    } else {
      return number_list(*value);
    }
  };
  return std::visit(show, target);
}

std::string json_value(const Target& target) {
  auto show = [&]<class T>(const T* value) -> std::string {
    if constexpr (std::is_same_v<T, std::string>) {
      return json_text(*value);
    } else if constexpr (std::is_same_v<T, bool>) {
      return *value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      std::string out;
      for (const auto& word : *value) out += (out.empty() ? "" : ",") + json_text(word);
      return "[" + out + "]";
    } else if constexpr (std::is_arithmetic_v<T>) {
      return shown_value(target);
    } else {
      return "[" + number_list(*value) + "]";
    }
  };
  return std::visit(show, target);
}

}  // namespace nd::cli
