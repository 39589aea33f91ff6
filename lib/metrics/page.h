// What eval-rank found as a page to look at: HTML with its figures inside, which loads nothing and runs nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nd::metrics {

// What a system reached in one measure, or by how much it differs from another.
struct Mark {
  double value = 0;
  std::optional<std::pair<double, double>> interval;
};

struct PageRow {
  std::string system;
  std::vector<std::optional<Mark>> marks;  // one per measure of the page; none where it was not measured
};

// One file of results.
struct Chapter {
  std::string title;   // of the data
  std::string counts;  // what was judged, a sentence without its stop
  std::vector<std::string> measures;
  std::vector<PageRow> systems;
  std::string base;                  // the system the differences are to; "" without any
  std::vector<PageRow> differences;  // each other system minus the base
};

// One figure for each measure: a dot for every system, its interval as a line; then the numbers as a table. Any text in
// it may hold anything.
std::string page(const std::vector<Chapter>& chapters);

}  // namespace nd::metrics
