// Small rules that several kinds share. Each returns "" when it holds, else what is wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "formats/array.h"

namespace nd {

// What a candidate's label may be.
constexpr uint8_t kNotClicked = 0, kClicked = 1, kUnlabelled = 255;

// Columns of one table have one length.
inline std::string same_length(std::initializer_list<std::pair<const char*, int64_t>> columns) {
  const auto& first = *columns.begin();
  for (const auto& [name, rows] : columns)
    if (rows != first.second)
      return std::string(name) + " has " + std::to_string(rows) + " rows, but " + first.first + " has " +
             std::to_string(first.second);
  return "";
}

// The first value that is bad, or -1. Looks at whole blocks first, which compilers turn into vector instructions: every
// file is checked on every opening.
template <class T, class Bad>
int64_t first_bad(const Array<T>& values, Bad&& bad) {
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < values.size(); begin += kBlock) {
    const int64_t end = std::min(values.size(), begin + kBlock);
    int any = 0;
    for (int64_t i = begin; i < end; ++i) any |= bad(values[i]);
    for (int64_t i = begin; any && i < end; ++i)
      if (bad(values[i])) return i;
  }
  return -1;
}

// Every value of an index column lies in [low, high).
template <class T>
std::string within(const char* name, const Array<T>& values, int64_t low, int64_t high) {
  const int64_t i = first_bad(values, [=](T v) { return (v < low) | (v >= high); });
  if (i < 0) return "";
  return std::string(name) + " row " + std::to_string(i + 1) + " is " + std::to_string(values[i]) + ", expected " +
         std::to_string(low) + " to " + std::to_string(high - 1);
}

// No name comes twice in a column of names.
inline std::string unique(const char* name, const Strings& names) {
  std::unordered_map<std::string_view, int64_t> rows;
  rows.reserve(static_cast<size_t>(names.size()));
  for (int64_t i = 0; i < names.size(); ++i)
    if (const auto [first, is_new] = rows.emplace(names[i], i); !is_new)
      return std::string(name) + " row " + std::to_string(i + 1) + " is \"" + std::string(names[i]) + "\", as row " +
             std::to_string(first->second + 1) + " is already";
  return "";
}

inline std::string finite(const char* name, const Array<float>& values, int64_t cols = 1) {
  const int64_t i = first_bad(values, [](float v) { return !std::isfinite(v); });
  if (i < 0) return "";
  return std::string(name) + " row " + std::to_string(i / cols + 1) + " holds a value that is not finite";
}

inline std::string labels(const Array<uint8_t>& label) {
  const int64_t i = first_bad(label, [](uint8_t v) { return (v > kClicked) & (v != kUnlabelled); });
  if (i < 0) return "";
  return "label row " + std::to_string(i + 1) + " is " + std::to_string(label[i]) + ", expected 0, 1 or 255";
}

// The first rule that fails.
inline std::string first_problem(std::initializer_list<std::string> problems) {
  for (const auto& p : problems)
    if (!p.empty()) return p;
  return "";
}

}  // namespace nd
