// The report as Markdown tables, for a page of results.
#include "lib/metrics/number.h"
#include "lib/metrics/report.h"

namespace nd::metrics {
namespace {

// A name with nothing in it that would end its cell.
std::string plain(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '|' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string header(const std::string& first, const std::vector<Column>& columns) {
  std::string names = "| " + plain(first) + " |", rule = "|---|";
  for (const Column& c : columns) {
    names += " " + c.name() + " |";
    rule += "---|";
  }
  return names + "\n" + rule + "\n";
}

// "value ± deviation [low, high]", as much of it as there is.
std::string line(const Result& r, const char* format) {
  std::string out = "| " + plain(r.system) + " |";
  for (size_t c = 0; c < r.value.size(); ++c) {
    out += " " + number(format, r.value[c]);
    if (!r.deviation.empty()) out += " ± " + number("%.4f", r.deviation[c]);
    if (!r.interval.empty())
      out += " [" + number(format, r.interval[c].low) + ", " + number(format, r.interval[c].high) + "]";
    out += " |";
  }
  return out + "\n";
}

}  // namespace

std::string markdown(const Report& report, const std::string& title) {
  std::string out = plain(title) + "; " + counts(report) + ".";
  bool several = false;
  for (const Result& r : report.systems) several = several || !r.deviation.empty();
  if (several) out += " ± is the deviation between seeds.";
  if (report.confidence > 0) out += " In brackets " + percent(report.confidence) + " intervals.";
  out += "\n\n" + header("system", report.columns);
  for (const Result& r : report.systems) out += line(r, "%.4f");
  if (!report.differences.empty()) {
    out += "\n" + header("minus " + report.base, report.columns);
    for (const Result& r : report.differences) out += line(r, "%+.4f");
  }
  for (const std::vector<PartResult>* parts : {&report.parts, &report.days})
    for (const PartResult& part : *parts) {
      out += "\n" + header(part.name + ", " + std::to_string(part.judged) + " impressions", report.columns);
      for (const Result& r : part.systems) out += line(r, "%.4f");
    }
  return out;
}

}  // namespace nd::metrics
