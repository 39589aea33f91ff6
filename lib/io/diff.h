// Where two files differ, whatever their kind, in words.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/io/container.h"

namespace nd {

struct DiffOptions {
  // Floats a and b are equal when |a - b| <= atol + rtol |b|, or both are NaN; with both 0 only the same bits are.
  double rtol = 0, atol = 0;
  int64_t show = 3;              // differing rows named for each column
  std::set<std::string> ignore;  // what not to compare: "tool", "options", "inputs"
};

// One line per difference, empty when the files are equal: first what the headers say, then for each column its type
// or size, or the first differing rows and how many differ in all.
std::vector<std::string> differences(const Container& a, const Container& b, const DiffOptions& options);

}  // namespace nd
