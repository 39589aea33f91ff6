// tensor-check: says whether files are sound.
// reads:  any nightdesk files
// writes: a line for each sound file on standard output, a line for each other one on standard error
#include <algorithm>
#include <iostream>

#include "lib/cli/command.h"
#include "lib/io/digest.h"
#include "lib/io/kind_file.h"

namespace nd {
namespace {

struct Options {
  std::vector<std::string> files;
  bool quick = false;
};

void declare(cli::Command& c, Options& o) {
  c.summary("say whether files are sound");
  c.describe(
      "Checks everything by default: length, header, digest, and every rule of the file's kind. Prints the kind and "
      "the "
      "digest of each sound file.");
  c.predicate();
  c.flag(o.quick, "--quick", "look at the header, and of plain files at the length, only");
  c.inputs(o.files, "FILE", "any nightdesk file, or -");
  c.example("tensor-check corpus.nd behavior.nd");
  c.example("tensor-check --quick vectors.nd || echo damaged");
  c.see_also("tensor-dump(1), tensor-diff(1), nightdesk-formats(5)");
}

void validate(const Options&) {}

Meta check(const std::string& path, bool quick) {
  if (quick) return Container::peek(path);
  const Container file = Container::open(path);
  check_kind(file);
  return file.meta();
}

int run(const Options& o, cli::Context& ctx) {
  int code = 0;
  for (const std::string& path : o.files) {
    try {
      const Meta meta = check(path, o.quick);
      std::cout << path << ": " << (o.quick ? "header sound" : "sound") << ", " << meta.kind << " " << hex(meta.digest)
                << "\n";
    } catch (const SystemError& e) {
      ctx.log.error(e.what());
      code = 2;
    } catch (const Error& e) {
      ctx.log.error(e.what());
      code = std::max(code, 1);
    }
  }
  return code;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "tensor-check", nd::declare, nd::validate, nd::run);
}
