// Lines of tab-separated text for people and awk.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace nd {

// Appends a cell; tabs and line ends inside become spaces.
inline void cell(std::string& line, std::string_view text) {
  if (!line.empty()) line += '\t';
  for (const char c : text) line += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
}
// In the fewest digits that give the same number back.
inline void cell(std::string& line, float number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  cell(line, std::string_view(text, static_cast<size_t>(end - text)));
}

}  // namespace nd
