// The report as text in aligned columns.
#include <algorithm>

#include "lib/metrics/number.h"
#include "lib/metrics/report.h"

namespace nd::metrics {
namespace {

std::string p_value(double p) { return p < 0.0001 ? "<0.0001" : number("%.4f", p); }

// Bytes that begin a character; good enough for the width of names.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class Grid {
 public:
  void add(std::string label, std::vector<std::string> cells) { rows_.push_back({std::move(label), std::move(cells)}); }
  // Labels on the left, cells flush right, two blanks between.
  std::string text() const {
    std::vector<size_t> width;
    size_t label_width = 0;
    for (const Row& row : rows_) {
      label_width = std::max(label_width, width_of(row.label));
      width.resize(std::max(width.size(), row.cells.size()));
      for (size_t c = 0; c < row.cells.size(); ++c) width[c] = std::max(width[c], row.cells[c].size());
    }
    std::string out;
    for (const Row& row : rows_) {
      out += row.label + std::string(label_width - width_of(row.label), ' ');
      for (size_t c = 0; c < row.cells.size(); ++c)
        out += std::string(2 + width[c] - row.cells[c].size(), ' ') + row.cells[c];
      out += "\n";
    }
    return out;
  }

 private:
  struct Row {
    std::string label;
    std::vector<std::string> cells;
  };
  std::vector<Row> rows_;
};

template <class Values, class Cell>
std::vector<std::string> cells(const Values& values, Cell&& cell) {
  std::vector<std::string> out;
  for (const auto& v : values) out.push_back(cell(v));
  return out;
}

void add_result(Grid& grid, const Result& r, const std::string& mark, double confidence, const char* format) {
  grid.add(r.system + mark, cells(r.value, [&](double v) { return number(format, v); }));
  if (!r.deviation.empty())
    grid.add("  deviation, " + std::to_string(r.seeds.size()) + " seeds",
             cells(r.deviation, [](double v) { return number("%.4f", v); }));
  if (!r.interval.empty()) {
    grid.add("  " + percent(confidence) + " from",
             cells(r.interval, [&](const Interval& i) { return number(format, i.low); }));
    grid.add("  " + percent(confidence) + " to",
             cells(r.interval, [&](const Interval& i) { return number(format, i.high); }));
  }
  if (!r.p.empty()) grid.add("  p, paired t-test", cells(r.p, p_value));
}

}  // namespace

std::string counts(const Report& report) {
  const Skipped& s = report.skipped;
  std::string causes;
  for (const auto& [count, cause] : {std::pair{s.single_class, " single class"}, std::pair{s.unlabelled, " unlabelled"},
                                     std::pair{s.empty, " empty"}})
    if (count > 0) causes += (causes.empty() ? ": " : ", ") + std::to_string(count) + cause;
  return "impressions: " + std::to_string(report.judged) + " judged, " + std::to_string(s.total()) + " skipped" +
         (causes.empty() ? "" : " (" + causes.substr(2) + ")");
}

std::string table(const Report& report, const std::string& title) {
  const auto names = cells(report.columns, [](const Column& c) { return c.name(); });
  std::string out = "data: " + title + "\n" + counts(report) + "\n\n";
  std::string notes;
  Grid systems;
  systems.add("system", names);
  for (const Result& r : report.systems) {
    const bool marked = 2 * r.constant >= report.judged;
    add_result(systems, r, marked ? " *" : "", report.confidence, "%.4f");
    if (marked)
      notes += "* " + r.system + " scores all candidates alike in " + std::to_string(r.constant) + " of " +
               std::to_string(report.judged) + " impressions: there its ranks are the tie rule's\n";
    if (report.ties == Ties::against && r.tied > 0)
      notes += r.system + " gives a click and another candidate one score in " + std::to_string(r.tied) + " of " +
               std::to_string(report.judged) + " impressions: counted against it\n";
  }
  out += systems.text();
  if (!report.differences.empty()) {
    Grid differences;
    differences.add("minus " + report.base, names);
    for (const Result& r : report.differences) add_result(differences, r, "", report.confidence, "%+.4f");
    out += "\n" + differences.text();
  }
  for (const std::vector<PartResult>* parts : {&report.parts, &report.days}) {
    if (parts->empty()) continue;
    Grid grid;
    for (const PartResult& part : *parts) {
      grid.add(part.name + ", " + std::to_string(part.judged) + " impressions", names);
      for (const Result& r : part.systems) add_result(grid, r, "", 0, "%.4f");
    }
    out += "\n" + grid.text();
  }
  return out + (notes.empty() ? "" : "\n" + notes);
}

}  // namespace nd::metrics
