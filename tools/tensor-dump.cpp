// tensor-dump: shows what a file holds, whatever its kind.
// reads:  any nightdesk file
// writes: text, or JSON lines from which tensor-pack makes the same file again
#include "lib/cli/command.h"
#include "lib/io/dump.h"

namespace nd {
namespace {

struct Options {
  std::string file, output = "-";
  DumpOptions dump;
};

void declare(cli::Command& c, Options& o) {
  c.summary("show what a file holds, whatever its kind");
  c.describe(
      "Prints a header (kind, digest, tool, options, inputs, columns) and then one line for each row of each column: "
      "the column's name, the row counted from 0, the value. With --column only values are printed, several columns "
      "side "
      "by side.");
  c.input(o.file, "FILE", "any nightdesk file, or -");
  c.text_output(o.output);
  c.flag(o.dump.schema, "--schema", "print the header only");
  c.flag(o.dump.json, "--json", "print JSON lines; of a whole file tensor-pack makes the same file again");
  c.option(o.dump.columns, "--column", "NAME", "print this column only; may be repeated");
  c.option(o.dump.head, "--head", "N", "print at most N rows of each column; -1 for all", cli::at_least(-1));
  c.example("tensor-dump --column id --column title --head 3 corpus.nd");
  c.example("tensor-dump --json vectors.nd | tensor-pack - -o same.nd");
  c.see_also("tensor-pack(1), tensor-check(1), tensor-diff(1), nightdesk-formats(5)");
}

void validate(const Options& o) {
  if (o.dump.schema && !o.dump.columns.empty()) throw UsageError("--schema and --column exclude each other");
}

int run(const Options& o, cli::Context&) {
  const Container file = Container::open(o.file);
  Sink out(o.output);
  dump(file, o.dump, out);
  out.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "tensor-dump", nd::declare, nd::validate, nd::run);
}
