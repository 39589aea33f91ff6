#include "lib/metrics/page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace nd::metrics {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nightdesk: who ranks best</title>
<style>
:root { color-scheme: light dark; --ink: #1d2733; --soft: #66727f; --line: #d5dbe1; --mark: #5b7ea6; --first: #c2571a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ee; --soft: #97a3ae; --line: #3a444e; --mark: #86acd6; --first: #f0935a; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
p, figcaption, th { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem 2rem; }
figure { margin: 0; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .tick { fill: var(--soft); text-anchor: middle; }
svg .grid { stroke: var(--line); }
svg .zero { stroke: var(--soft); }
svg .mark { stroke: var(--mark); fill: var(--mark); stroke-width: 2; }
svg .first { stroke: var(--first); fill: var(--first); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: .15rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: normal; }
th:first-child, td:first-child { text-align: left; }
small { color: var(--soft); }
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

// What fits beside a figure: the whole text is in its table.
std::string shortened(const std::string& text) {
  constexpr int kMost = 26;  // characters
  int characters = 0;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xC0) != 0x80 && ++characters > kMost) return escaped(text.substr(0, i)) + "…";
  return escaped(text);
}

template <class... A>
std::string format(const char* how, A... a) {
  char text[160];
  const int n = std::snprintf(text, sizeof text, how, a...);
  return {text, static_cast<size_t>(std::clamp<int>(n, 0, sizeof text - 1))};
}

std::string told(const Mark& m, bool difference) {
  std::string out = format(difference ? "%+.4f" : "%.4f", m.value);
  if (m.interval)
    out += format(difference ? " [%+.4f, %+.4f]" : " [%.4f, %.4f]", m.interval->first, m.interval->second);
  return out;
}

// Round numbers that enclose [low, high], about five of them apart by `step`.
struct Axis {
  double low, high, step;

  Axis(double least, double most) {
    const double spread = std::max(most - least, 1e-6), raw = spread / 5,
                 power = std::pow(10, std::floor(std::log10(raw)));
    step = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
    low = std::floor(least / step) * step;
    high = std::ceil(most / step) * step;
    if (high <= low) high = low + step;
  }
  double at(double x) const { return (x - low) / (high - low); }
};

// The dots of one measure, a row for each system that has it; the first one stands out. "" where none has it.
std::string figure(const std::string& measure, const std::vector<PageRow>& rows, size_t m, bool difference) {
  constexpr double kRow = 22, kLeft = 180, kWidth = 300, kTop = 6;
  double least = difference ? 0 : INFINITY, most = difference ? 0 : -INFINITY;
  size_t count = 0;
  for (const PageRow& row : rows)
    if (const auto& mark = row.marks[m]) {
      const auto [low, high] = mark->interval.value_or(std::pair(mark->value, mark->value));
      least = std::min({least, low, mark->value});
      most = std::max({most, high, mark->value});
      ++count;
    }
  if (count == 0) return "";
  const Axis axis(least, most);
  const auto x = [&](double value) { return kLeft + kWidth * axis.at(value); };
  const double bottom = kTop + kRow * static_cast<double>(count);
  std::string out = "<figure><figcaption>" + escaped(measure) + "</figcaption>\n";
  out += format("<svg viewBox=\"0 0 %g %g\" role=\"img\">\n", kLeft + kWidth + 20, bottom + 20);
  for (int64_t i = 0; axis.low + static_cast<double>(i) * axis.step <= axis.high + axis.step / 2; ++i) {
    const double value = axis.low + static_cast<double>(i) * axis.step;
    const bool zero = difference && std::abs(value) < axis.step / 2;
    out += format("<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"/>", zero ? "zero" : "grid", x(value),
                  x(value), kTop, bottom);
    out += format("<text class=\"tick\" x=\"%.1f\" y=\"%g\">%.6g</text>\n", x(value), bottom + 14, zero ? 0.0 : value);
  }
  double y = kTop + kRow / 2;
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto& mark = rows[r].marks[m];
    if (!mark) continue;
    out += format("<text x=\"0\" y=\"%g\">", y + 4) + shortened(rows[r].system) + "</text>";
    out += std::string("<g class=\"mark") + (r == 0 && !difference ? " first" : "") + "\"><title>" +
           escaped(rows[r].system) + ": " + told(*mark, difference) + "</title>";
    if (mark->interval)
      out += format("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"/>", x(mark->interval->first),
                    x(mark->interval->second), y, y);
    out += format("<circle cx=\"%.1f\" cy=\"%g\" r=\"3.5\"/></g>\n", x(mark->value), y);
    y += kRow;
  }
  return out + "</svg></figure>\n";
}

std::string table(const std::vector<std::string>& measures, const std::vector<PageRow>& rows, bool difference) {
  std::string out = "<table><tr><th></th>";
  for (const std::string& measure : measures) out += "<th>" + escaped(measure) + "</th>";
  out += "</tr>\n";
  for (const PageRow& row : rows) {
    out += "<tr><td>" + escaped(row.system) + "</td>";
    for (const auto& mark : row.marks) {
      if (!mark) out += "<td></td>";
      else {
        out += format(difference ? "<td>%+.4f" : "<td>%.4f", mark->value);
        if (mark->interval)
          out += format(difference ? "<br><small>%+.4f to %+.4f</small>" : "<br><small>%.4f to %.4f</small>",
                        mark->interval->first, mark->interval->second);
        out += "</td>";
      }
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

void add(std::string& out, const std::vector<std::string>& measures, const std::vector<PageRow>& rows,
         bool difference) {
  out += "<div class=\"figures\">\n";
  for (size_t m = 0; m < measures.size(); ++m) out += figure(measures[m], rows, m, difference);
  out += "</div>\n" + table(measures, rows, difference);
}

}  // namespace

std::string page(const std::vector<Chapter>& chapters) {
  std::string out = kHead;
  for (const Chapter& c : chapters) {
    out += "<h1>" + escaped(c.title) + "</h1>\n<p>" + escaped(c.counts) + ".</p>\n";
    add(out, c.measures, c.systems, false);
    if (c.differences.empty()) continue;
    out += "<h2>Differences to " + escaped(c.base) +
           "</h2>\n<p>Impression by impression. Where the line does not meet zero, the "
           "difference is more than the luck of these clicks.</p>\n";
    add(out, c.measures, c.differences, true);
  }
  return out + "</html>\n";
}

}  // namespace nd::metrics
