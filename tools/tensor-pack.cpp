// tensor-pack: makes a file of its dump again, the same to the byte.
// reads:  what tensor-dump --json wrote, edited or not
// writes: a nightdesk file of the kind the dump names
#include "lib/cli/command.h"
#include "lib/io/pack.h"

namespace nd {
namespace {

struct Options {
  std::string dump, output;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("make a file of its JSON dump again");
  c.describe(
      "An unedited dump gives the same bytes as the file it was made of, digest included. An edited one gives a file "
      "with another digest, provided that it keeps the rules of its kind: change the rows, and where rows come or go "
      "the "
      "\"rows\" or \"shape\" of their column in the first line.");
  c.input(o.dump, "DUMP", "what tensor-dump --json wrote, or -");
  c.output(o.output);
  c.common(o.common, cli::compress);
  c.example("tensor-dump --json kg.nd | tensor-pack - -o same.nd");
  c.see_also("tensor-dump(1), tensor-check(1), tensor-diff(1), nightdesk-formats(5)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context&) {
  LineReader in(o.dump);
  pack(in, o.output, o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "tensor-pack", nd::declare, nd::validate, nd::run);
}
