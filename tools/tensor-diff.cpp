// tensor-diff: says whether two files hold the same, and where they do not.
// reads:  two nightdesk files of any kind
// writes: a line for each difference on standard output
#include <iostream>

#include "lib/cli/command.h"
#include "lib/io/diff.h"

namespace nd {
namespace {

struct Options {
  std::string a, b;
  std::vector<std::string> ignore;
  DiffOptions diff;
};

void declare(cli::Command& c, Options& o) {
  c.summary("say whether two files hold the same, and where they do not");
  c.describe(
      "Compares kind, tool, options, inputs and every column. Prints \"what: first | second\" for each difference in "
      "the "
      "headers and for the first differing rows of each column, then how many rows of it differ. Rows and elements "
      "count "
      "from 0.");
  c.predicate();
  c.input(o.a, "FIRST", "any nightdesk file, or -");
  c.input(o.b, "SECOND", "another one, or -");
  c.option(o.diff.rtol, "--rtol", "R", "floats are equal within R times the second's size, besides --atol",
           cli::at_least(0));
  c.option(o.diff.atol, "--atol", "A", "floats are equal within A", cli::at_least(0));
  c.option(o.diff.show, "--show", "N", "differing rows to print of each column", cli::at_least(0));
  c.option(o.ignore, "--ignore", "WHAT", "do not compare tool, options or inputs; may be repeated");
  c.example("tensor-diff --rtol 1e-5 --ignore tool old.nd new.nd");
  c.see_also("tensor-dump(1), tensor-check(1), nightdesk-formats(5)");
}

void validate(const Options& o) {
  for (const std::string& what : o.ignore)
    if (what != "tool" && what != "options" && what != "inputs")
      throw UsageError("--ignore: expected tool, options or inputs, found '" + what + "'");
}

int run(const Options& o, cli::Context&) {
  DiffOptions diff = o.diff;
  diff.ignore = {o.ignore.begin(), o.ignore.end()};
  const auto lines = differences(Container::open(o.a), Container::open(o.b), diff);
  for (const std::string& line : lines) std::cout << line << "\n";
  return lines.empty() ? 0 : 1;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "tensor-diff", nd::declare, nd::validate, nd::run);
}
