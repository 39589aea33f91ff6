// report: results as a page to look at, with a figure for each measure.
// reads:  what eval-rank --json wrote, one or more
// writes: HTML, one file that needs no other
#include "lib/cli/command.h"
#include "lib/io/sink.h"
#include "lib/io/source.h"
#include "tools/report_json.h"

namespace nd {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string output = "-";
};

void declare(cli::Command& c, Options& o) {
  c.summary("results as a page to look at, with a figure for each measure");
  c.describe(
      "Of each file: every system's value as a dot and its interval as a line, the differences to one system where "
      "eval-rank was asked to --compare, and the numbers as a table. The page loads nothing, so it can be sent by "
      "mail.");
  c.inputs(o.inputs, "METRICS", "what eval-rank --json wrote");
  c.text_output(o.output, "page to write, or -");
  c.example("report out/metrics.json -o out/report.html");
  c.see_also("eval-rank(1)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context&) {
  constexpr uint64_t kMost = 64 << 20;  // a report of thousands of systems is shorter
  std::vector<metrics::Chapter> chapters;
  for (const std::string& path : o.inputs) {
    const Bytes text = read_all(path, kMost);
    try {
      chapters.push_back(chapter_of(json::parse(text.text())));
    } catch (const Error& e) {
      throw Error(shown(path), e.what());
    }
  }
  Sink out(o.output);
  out.write(metrics::page(chapters));
  out.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "report", nd::declare, nd::validate, nd::run);
}
