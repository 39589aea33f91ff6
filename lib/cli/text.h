// Text for people and machines that does not depend on the locale: numbers, JSON strings, safe error lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nd::cli {

// Shortest text that reads back as the same value: 0.1, 1e-05, 10. A value that is not finite becomes null.
std::string number_text(double value);
std::string number_text(float value);

// A quoted JSON string. Bytes that are not UTF-8 become U+FFFD, control characters \u00xx.
std::string json_text(std::string_view text);

// One printable line: control characters and bytes that are not UTF-8 become \n, \t or \xHH, so that a hostile file
// cannot move the cursor of the terminal its error is shown on. Cut after 2,000 bytes.
std::string printable(std::string_view text);

// The candidate closest to `word` by edit distance, "" when none is near enough to be a likely slip.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// Lines of at most `width` columns, each but the first preceded by `indent` blanks. Newlines in the text are kept.
std::string wrapped(std::string_view text, size_t indent, size_t width = 96);

}  // namespace nd::cli
