#include "lib/io/skips.h"

#include <algorithm>

#include "lib/io/source.h"

namespace nd {

void Skips::count(const std::string& path, int64_t row, const char* fate, const std::string& cause) {
  Cause& c = causes_[std::string(fate) + ": " + cause];
  if (c.count++ == 0) c.first = shown(path) + ":" + std::to_string(row);
  if (++total_ > cap_ && cap_ >= 0)
    throw Error(shown(path), row,
                cause + "; more than " + std::to_string(cap_) + " rows cannot be used (--max-skip allows more)");
}

std::vector<std::string> Skips::report() const {
  std::vector<std::pair<std::string, Cause>> causes(causes_.begin(), causes_.end());
  std::stable_sort(causes.begin(), causes.end(),
                   [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
  std::vector<std::string> lines;
  for (const auto& [what, c] : causes)
    lines.push_back(std::to_string(c.count) + (c.count == 1 ? " row " : " rows ") + what + " (first: " + c.first + ")");
  return lines;
}

}  // namespace nd
