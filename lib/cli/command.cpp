// Declaring and parsing. CLI11 (included here only: it costs seconds of compile time a file) splits the command line
// into options; positional arguments, required options and all messages are ours, because an unknown option has to be
// reported before anything that is merely missing.
#include "lib/cli/command.h"

#include <sched.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "lib/cli/spec.h"
#include "lib/cli/text.h"
#include "lib/cli/value.h"

namespace nd::cli {
namespace {

int allowed_processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace

Command::Command(std::string name) : name_(std::move(name)) {}
Command::~Command() = default;

void Command::summary(std::string line) { summary_ = std::move(line); }
void Command::describe(std::string text) { description_.push_back(std::move(text)); }
void Command::example(std::string line) { examples_.push_back(std::move(line)); }
void Command::see_also(std::string pages) { see_also_.push_back(std::move(pages)); }
void Command::predicate() { predicate_ = true; }

void Command::add(Spec spec) {
  spec.initial = shown_value(spec.target);
  specs_.push_back(std::move(spec));
}

void Command::input(std::string& path, std::string name, std::string help) {
  add({.name = std::move(name),
       .help = std::move(help),
       .role = Spec::Role::input,
       .target = &path,
       .rules = required});
}

void Command::input_optional(std::string& path, std::string name, std::string help) {
  add({.name = std::move(name), .help = std::move(help), .role = Spec::Role::input, .target = &path});
}

void Command::inputs(std::vector<std::string>& paths, std::string name, std::string help) {
  add({.name = std::move(name),
       .help = std::move(help),
       .role = Spec::Role::input,
       .target = &paths,
       .rules = required});
}

void Command::output(std::string& path, std::string help) {
  Rules rules = path.empty() ? short_name('o') | required : short_name('o');
  add({.name = "--output",
       .arg = "FILE",
       .help = std::move(help),
       .role = Spec::Role::binary_output,
       .target = &path,
       .rules = rules});
}

void Command::text_output(std::string& path, std::string help) {
  output(path, std::move(help));
  specs_.back().role = Spec::Role::output;
}

void Command::output_folder(std::string& path, std::string help) {
  output(path, std::move(help));
  specs_.back().role = Spec::Role::output_folder;
  specs_.back().arg = "DIR";
}

void Command::add_option(Target target, std::string name, std::string arg, std::string help, Rules rules) {
  add({.name = std::move(name), .arg = std::move(arg), .help = std::move(help), .target = target, .rules = rules});
}

void Command::input_option(std::string& path, std::string name, std::string arg, std::string help, Rules rules) {
  add_option(&path, std::move(name), std::move(arg), std::move(help), rules);
  specs_.back().role = Spec::Role::input;
}

void Command::input_option(std::vector<std::string>& paths, std::string name, std::string arg, std::string help,
                           Rules rules) {
  add_option(&paths, std::move(name), std::move(arg), std::move(help), rules);
  specs_.back().role = Spec::Role::input;
}

void Command::output_option(std::string& path, std::string name, std::string arg, std::string help, Rules rules) {
  add_option(&path, std::move(name), std::move(arg), std::move(help), rules);
  specs_.back().role = Spec::Role::output;
}

void Command::flag(bool& value, std::string name, std::string help, Rules rules) {
  add({.name = std::move(name), .help = std::move(help), .role = Spec::Role::flag, .target = &value, .rules = rules});
}

void Command::choice(std::string& value, std::string name, std::vector<std::string> words, std::string help,
                     Rules rules) {
  std::string arg;
  for (const auto& word : words) arg += (arg.empty() ? "" : "|") + word;
  add({.name = std::move(name),
       .arg = arg,
       .help = std::move(help),
       .role = Spec::Role::choice,
       .target = &value,
       .rules = rules,
       .words = std::move(words)});
}

void Command::preset(std::string& value, std::string name, std::vector<std::string> words, std::string help,
                     std::function<void(const std::string&)> apply) {
  choice(value, std::move(name), std::move(words), std::move(help));
  specs_.back().preset = std::move(apply);
}

void Command::common(Common& values, unsigned which) {
  if (which & threads) {
    common_ = &values;
    option(values.threads, "--threads", "N", "threads to use; 0 for all this process may use",
           range(0, 4096) | not_content);
  }
  if (which & seed) option(values.seed, "--seed", "N", "seed of everything random");
  if (which & device) choice(values.device, "--device", {"auto", "cpu", "cuda"}, "where to compute", not_content);
  if (which & tf32)
    flag(values.tf32, "--tf32", "products on a GPU may be rounded to TF32, for speed; no effect on a CPU");
  if (which & max_skip)
    option(values.max_skip, "--max-skip", "N", "rows that may be skipped before giving up; -1 for no cap",
           at_least(-1) | not_content);
  if (which & compress)
    option(values.compress, "--compress", "LEVEL", "zstd level of the output, 1 to 19; 0 for none",
           range(0, 19) | not_content);
}

void Command::declare_standard() {
  size_t first = specs_.size();
  flag(quiet_, "--quiet", "only warnings and errors", short_name('q') | not_content);
  flag(verbose_, "--verbose", "more of what is going on", short_name('v') | not_content);
  choice(log_format_, "--log-format", {"text", "json"}, "lines for people or for machines on stderr", not_content);
  flag(asks_help_, "--help", "print this text and exit", short_name('h') | not_content);
  flag(asks_version_, "--version", "print the version and exit", not_content);
  flag(asks_options_, "--print-options", "print the options, one a line, tab separated, and exit", not_content);
  for (size_t i = first; i < specs_.size(); ++i) specs_[i].negatable = false;
}

void Command::refuse_unknown(const std::vector<std::string>& words) const {
  std::vector<std::string> known;
  for (const Spec& spec : specs_) {
    if (spec.positional()) continue;
    known.push_back(spec.name);
    if (spec.negated()) known.push_back(spec.negated_name());
  }
  for (const auto& word : words) {
    if (word == "--") return;
    if (word.size() < 2 || word[0] != '-') continue;
    std::string option = word.substr(0, word.find('='));
    std::string near = nearest(option, known);
    throw UsageError("unknown option " + option + (near.empty() ? "" : ", did you mean " + near + "?") + see_help());
  }
}

void Command::assign(Spec& spec, const std::vector<std::string>& texts) const {
  if (texts.empty()) return;
  clear_list(spec.target);
  for (const auto& text : texts) {
    if (spec.is_path() && text.empty()) throw UsageError(spec.name + ": expected a file, found an empty name");
    if (!spec.words.empty() && std::find(spec.words.begin(), spec.words.end(), text) == spec.words.end())
      throw UsageError(spec.name + ": expected " + spec.arg + ", found '" + text + "'");
    read_value(spec.target, spec.name, text, spec.rules);
  }
  if (spec.preset) spec.preset(*std::get<std::string*>(spec.target));
  spec.given = true;
}

void Command::assign_positionals(std::vector<std::string> words) {
  auto end = std::find(words.begin(), words.end(), "--");
  if (end != words.end()) words.erase(end);
  size_t at = 0;
  for (Spec& spec : specs_) {
    if (!spec.positional() || at == words.size()) continue;
    size_t count = spec.is_list() ? words.size() - at : 1;
    assign(spec, {words.begin() + at, words.begin() + at + count});
    at += count;
  }
  if (at < words.size()) throw UsageError("unexpected argument '" + words[at] + "'" + see_help());
}

void Command::check_given() const {
  for (const Spec& spec : specs_)
    if (spec.rules.required && !spec.given)
      throw UsageError(spec.name + (spec.arg.empty() ? "" : " " + spec.arg) + " is missing" + see_help());

  int in = 0, out = 0;
  for (const Spec& spec : specs_) {
    if (!spec.is_path()) continue;
    std::vector<std::string> paths;
    if (spec.is_list()) paths = *std::get<std::vector<std::string>*>(spec.target);
    else paths.push_back(*std::get<std::string*>(spec.target));
    auto dashes = std::count(paths.begin(), paths.end(), "-");
    (spec.role == Spec::Role::input ? in : out) += dashes;
    if (dashes && spec.role == Spec::Role::binary_output) refuse_terminal("-");
    if (dashes && spec.role == Spec::Role::output_folder)
      throw UsageError(spec.name + ": expected a folder, found '-': several files do not fit one stream");
  }
  if (in > 1) throw UsageError("standard input can be read only once: give '-' for one input");
  if (out > 1) throw UsageError("standard output can be written only once: give '-' for one output");
}

bool Command::parse(const std::vector<std::string>& args) {
  declare_standard();

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<Spec*, CLI::Option*>> options;
  for (Spec& spec : specs_) {
    if (spec.positional()) continue;
    std::string names = spec.name;
    if (spec.rules.short_name) names += std::string(",-") + spec.rules.short_name;
    if (spec.negated()) names += ",!" + spec.negated_name();
    CLI::Option* option = spec.role == Spec::Role::flag ? app.add_flag(names)->disable_flag_override()
                                                        : app.add_option(names)->allow_extra_args(false);
    options.emplace_back(&spec, option->take_all());
  }

  std::string problem;
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::ParseError& e) {
    problem = e.what();
  }
  refuse_unknown(app.remaining());
  // CLI11 takes the next word as the value of "--x=", which is what a Makefile writes when a variable is empty.
  for (const auto& arg : args) {
    if (arg == "--") break;
    if (arg.starts_with("--") && arg.ends_with("=")) throw UsageError(arg + " has no value" + see_help());
  }
  if (!problem.empty()) throw UsageError(problem + see_help());

  // Presets first, so that the options given beside them win.
  for (auto [spec, option] : options)
    if (spec->preset) assign(*spec, option->results());
  for (auto [spec, option] : options)
    if (!spec->preset) assign(*spec, option->results());

  if (asks_help_) answer_ = help();
  else if (asks_version_) answer_ = name_ + " (nightdesk) " ND_VERSION "\n";
  else if (asks_options_) answer_ = print_options();
  if (!answer_.empty()) return false;

  assign_positionals(app.remaining());
  check_given();
  if (common_ && common_->threads == 0) common_->threads = allowed_processors();
  return true;
}

std::vector<std::pair<std::string, std::string>> Command::content_options() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Spec& spec : specs_)
    if (!spec.positional() && !spec.is_path() && spec.rules.content)
      out.emplace_back(spec.name.substr(2), json_value(spec.target));
  std::sort(out.begin(), out.end());
  return out;
}

Log Command::log() const {
  Log log;
  log.tool = name_;
  log.json = log_format_ == "json";
  if (const char* wanted = std::getenv("ND_LOG"); wanted && *wanted) {
    std::string word = wanted;
    if (word == "error") log.level = Level::error;
    else if (word == "warn") log.level = Level::warn;
    else if (word == "info") log.level = Level::info;
    else if (word == "debug") log.level = Level::debug;
    else throw UsageError("ND_LOG in the environment: expected error, warn, info or debug, found '" + word + "'");
  }
  if (quiet_) log.level = Level::warn;
  if (verbose_) log.level = Level::debug;
  return log;
}

std::string Command::see_help() const { return " (see " + name_ + " --help)"; }

std::string Context::options_json() const {
  std::string out;
  for (const auto& [name, value] : content_options()) out += (out.empty() ? "" : ",") + json_text(name) + ":" + value;
  return "{" + out + "}";
}

void refuse_terminal(const std::string& path) {
  if (path == "-" && isatty(STDOUT_FILENO))
    throw UsageError(
        "binary output is not written to a terminal: give -o FILE, or pipe it on (tensor-dump shows files)");
}

}  // namespace nd::cli
