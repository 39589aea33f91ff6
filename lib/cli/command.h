// How a tool says what it takes, and how every tool then behaves: parsing, help, exit codes, log, progress.
//
//   struct Options {
//     std::string corpus, output;
//     double min_confidence = 0.9;
//     cli::Common common;
//   };
//   void declare(cli::Command& c, Options& o) {   // in the order of the help
//     c.summary("keep the entity links worth keeping");
//     c.input(o.corpus, "CORPUS", "corpus file, or -");
//     c.output(o.output);
//     c.option(o.min_confidence, "--min-conf", "P", "smallest link confidence kept, 0 to 1", cli::range(0, 1));
//     c.common(o.common, cli::threads | cli::seed);
//     c.example("entity-link-filter corpus.nd -o links.nd");
//     c.see_also("kred-train(1)");
//   }
//   void validate(const Options& o);                      // rules between options: throws UsageError
//   int run(const Options& o, cli::Context& ctx);         // the work; returns the exit code
//   int main(int argc, char** argv) { return cli::main<Options>(argc, argv, "entity-link-filter", declare, validate,
//   run); }
//
// The default of an option is the value its variable has when it is declared. A library object's options are bound the
// same way by a function of the tool. Exit codes: 0 done, 1 failed, 2 bad usage, 128 + n stopped by signal n; for
// predicates 0 yes, 1 no, 2 trouble of any kind.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/cli/log.h"
#include "lib/cli/signals.h"
#include "lib/io/error.h"

namespace nd::cli {

// Options several tools share, with one name and one meaning. Declared by Command::common, for those asked for.
struct Common {
  int threads = 0;              // after parsing never 0: all processors this process may use
  uint64_t seed = 1;            // at most 2^63 - 1
  std::string device = "auto";  // auto, cpu, cuda
  bool tf32 = false;            // a permission: it changes nothing but products on a GPU
  int64_t max_skip = 1000;      // input rows that may be skipped; -1 for no cap (lib/io/skips.h)
  int compress = 0;             // zstd level of the output, 0 for none (lib/io/sink.h)
};
enum CommonOption : unsigned { threads = 1, seed = 2, device = 4, max_skip = 8, compress = 16, tf32 = 32 };

// What a value has to obey and how it is treated; joined by |.
struct Rules {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;  // the bound itself is not allowed
  bool required = false;
  bool content = true;  // part of nd.options: another value may give other bytes
  char short_name = 0;
};
constexpr Rules range(double low, double high) { return {.low = low, .high = high}; }
constexpr Rules at_least(double low) { return {.low = low}; }
constexpr Rules above(double low) { return {.low = low, .low_open = true}; }
constexpr Rules below(double high) { return {.high = high, .high_open = true}; }
constexpr Rules short_name(char name) { return {.short_name = name}; }
inline constexpr Rules required = {.required = true};
inline constexpr Rules not_content = {.content = false};
constexpr Rules operator|(const Rules& a, const Rules& b) {
  bool low_a = a.low > b.low || (a.low == b.low && a.low_open),
       high_a = a.high < b.high || (a.high == b.high && a.high_open);
  return {.low = low_a ? a.low : b.low,
          .high = high_a ? a.high : b.high,
          .low_open = low_a ? a.low_open : b.low_open,
          .high_open = high_a ? a.high_open : b.high_open,
          .required = a.required || b.required,
          .content = a.content && b.content,
          .short_name = a.short_name ? a.short_name : b.short_name};
}

// Where a value goes. Lists of numbers are given as "5,10" or by repeating the option, lists of strings by repeating.
using Target = std::variant<std::string*, int*, int64_t*, uint64_t*, float*, double*, bool*, std::vector<std::string>*,
                            std::vector<int64_t>*, std::vector<double>*>;

class Command {
 public:
  explicit Command(std::string name);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  void summary(std::string line);   // what the tool does, one line, no full stop
  void describe(std::string text);  // more, as a paragraph; call it again for another
  void example(std::string line);   // a command that runs; the first is shown first
  void see_also(std::string pages);
  void predicate();  // exit 0 yes, 1 no, 2 trouble

  // Positional arguments: files to read, "-" for standard input (at most once a command line).
  void input(std::string& path, std::string name, std::string help);
  void input_optional(std::string& path, std::string name, std::string help);
  void inputs(std::vector<std::string>& paths, std::string name, std::string help);  // one or more, last

  // -o, --output FILE or "-". Required where the variable is empty. The first is for our own binary files, refused on a
  // terminal; the second for text; the third for a folder of files, which cannot be "-".
  void output(std::string& path, std::string help = "file to write, or -");
  void text_output(std::string& path, std::string help = "file to write, or -");
  void output_folder(std::string& path, std::string help = "folder to write");

  // A value. T is one of Target's types.
  template <class T>
  void option(T& value, std::string name, std::string arg, std::string help, Rules rules = {}) {
    add_option(Target(&value), std::move(name), std::move(arg), std::move(help), rules);
  }
  // A file to read or to write that has its own option. Paths never count as content.
  void input_option(std::string& path, std::string name, std::string arg, std::string help, Rules rules = {});
  void input_option(std::vector<std::string>& paths, std::string name, std::string arg, std::string help,
                    Rules rules = {});
  void output_option(std::string& path, std::string name, std::string arg, std::string help, Rules rules = {});
  // --x and --no-x.
  void flag(bool& value, std::string name, std::string help, Rules rules = {});
  // One of a few words.
  void choice(std::string& value, std::string name, std::vector<std::string> words, std::string help, Rules rules = {});
  // The same, and the word sets other options at once: `apply` runs before the options that were given are set, so that
  // each of them still counts.
  void preset(std::string& value, std::string name, std::vector<std::string> words, std::string help,
              std::function<void(const std::string& word)> apply);
  // which: threads | seed | device | tf32 | max_skip | compress
  void common(Common& values, unsigned which);

  // Sets the variables. UsageError when the command line is wrong: an unknown option first, whatever else is wrong.
  // Returns false when it asked for help, version or options instead of work.
  bool parse(const std::vector<std::string>& args);
  // What to print when parse() returned false.
  const std::string& answer() const { return answer_; }

  std::string help() const;
  std::string print_options() const;  // long<TAB>short<TAB>arg<TAB>default<TAB>help
  // Name and value (JSON text) of every option that affects content, sorted by name.
  std::vector<std::pair<std::string, std::string>> content_options() const;

  const std::string& name() const { return name_; }
  bool is_predicate() const { return predicate_; }
  // As -q, -v and --log-format (and the environment variable ND_LOG=error|warn|info|debug) ask.
  Log log() const;

 private:
  struct Spec;
  void add(Spec spec);
  void add_option(Target target, std::string name, std::string arg, std::string help, Rules rules);
  void declare_standard();
  void refuse_unknown(const std::vector<std::string>& words) const;
  void assign(Spec& spec, const std::vector<std::string>& texts) const;
  void assign_positionals(std::vector<std::string> words);
  void check_given() const;
  std::string see_help() const;
  static std::string default_of(const Spec& spec);

  std::string name_, summary_, answer_, log_format_ = "text";
  std::vector<std::string> description_, examples_, see_also_;
  std::vector<Spec> specs_;
  Common* common_ = nullptr;
  bool predicate_ = false, quiet_ = false, verbose_ = false;
  bool asks_help_ = false, asks_version_ = false, asks_options_ = false;
};

// What a tool's run() gets beside its options.
class Context {
 public:
  explicit Context(const Command& command) : log(command.log()), command_(command) {}

  Log log;

  const std::string& tool() const { return command_.name(); }
  std::vector<std::pair<std::string, std::string>> content_options() const { return command_.content_options(); }
  // The same as one canonical JSON object, for nd.options: keys sorted, no spaces, shortest numbers.
  std::string options_json() const;

 private:
  const Command& command_;
};

// Throws UsageError when binary output to `path` would go to a terminal.
void refuse_terminal(const std::string& path);

// Everything around run(): see the top. Only the template below calls it.
int run_tool(int argc, char** argv, const char* name, const std::function<void(Command&)>& declare,
             const std::function<void()>& validate, const std::function<int(Context&)>& run);

template <class Options>
int main(int argc, char** argv, const char* name, void (*declare)(Command&, Options&), void (*validate)(const Options&),
         int (*run)(const Options&, Context&)) {
  Options options;
  return run_tool(
      argc, argv, name, [&](Command& c) { declare(c, options); }, [&] { validate(options); },
      [&](Context& ctx) { return run(options, ctx); });
}

}  // namespace nd::cli
