#include "lib/cli/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nd::cli {
namespace {

template <class T>
std::string shortest(T value) {
  if (!std::isfinite(value)) return "null";
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

// Length of the well-formed UTF-8 sequence that starts at i, 0 when there is none (RFC 3629: no overlong forms, no
// surrogates, nothing past U+10FFFF).
size_t utf8_length(std::string_view s, size_t i) {
  auto byte = [&](size_t k) { return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u; };
  auto tail = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
  unsigned a = byte(0), b = byte(1);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    bool second = a == 0xE0 ? b >= 0xA0 && b <= 0xBF : a == 0xED ? b >= 0x80 && b <= 0x9F : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    bool second = a == 0xF0 ? b >= 0x90 && b <= 0xBF : a == 0xF4 ? b >= 0x80 && b <= 0x8F : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::string hex_byte(unsigned char c) {
  const char* digits = "0123456789abcdef";
  return {digits[c >> 4], digits[c & 15]};
}

}  // namespace

std::string number_text(double value) { return shortest(value); }
std::string number_text(float value) { return shortest(value); }

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    size_t n = utf8_length(text, i);
    unsigned char c = text[i];
    if (n == 0) out += "\xEF\xBF\xBD";
    else if (c == '"' || c == '\\') out += {'\\', static_cast<char>(c)};
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c < 0x20) out += "\\u00" + hex_byte(c);
    else out += text.substr(i, n);
    i += n ? n : 1;
  }
  return out + '"';
}

std::string printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (out.size() > 2000) return out + " ...";
    size_t n = utf8_length(text, i);
    unsigned char c = text[i];
    bool c1 = n == 2 && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;  // 8-bit control characters
    if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (n == 0 || c < 0x20 || c == 0x7F) out += "\\x" + hex_byte(c);
    else if (c1) out += "\\x" + hex_byte(c) + "\\x" + hex_byte(text[i + 1]);
    else out += text.substr(i, n);
    i += n ? n : 1;
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  size_t best = word.size() / 3 + 1;
  std::string found;
  for (const auto& candidate : candidates) {
    // Levenshtein's distance, one row at a time.
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j < row.size(); ++j) {
        size_t cost = diagonal + (word[i - 1] != candidate[j - 1]);
        diagonal = row[j];
        row[j] = std::min({cost, row[j] + 1, row[j - 1] + 1});
      }
    }
    bool beginning = word.size() > 3 && candidate.starts_with(word);  // --thread for --threads
    size_t distance = beginning ? 0 : row.back();
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out, pad(indent, ' ');
  size_t column = indent;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\n') {
      out += '\n';
      if (i + 1 < text.size() && text[i + 1] != '\n') out += pad;
      column = indent;
      ++i;
      continue;
    }
    size_t end = std::min(text.find_first_of(" \n", i), text.size());
    size_t word = end - i;
    bool first = column == indent;
    if (!first && column + 1 + word > width) {
      out += '\n' + pad;
      column = indent;
      first = true;
    }
    if (!first) {
      out += ' ';
      ++column;
    }
    out += text.substr(i, word);
    column += word;
    i = end;
    while (i < text.size() && text[i] == ' ') ++i;
  }
  return out;
}

}  // namespace nd::cli
