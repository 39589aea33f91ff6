// The texts a tool prints about itself: --help for people, --print-options for completions and for the test that
// compares the man page with the program.
#include <algorithm>

#include "lib/cli/spec.h"
#include "lib/cli/text.h"

namespace nd::cli {
namespace {

std::string row(const std::string& left, size_t width, const std::string& right) {
  std::string gap(left.size() < width ? width - left.size() : 2, ' ');
  if (left.size() >= width) gap = "\n  " + std::string(width, ' ');
  return "  " + left + gap + wrapped(right, width + 2) + "\n";
}

}  // namespace

// What the option is when it is not given; nothing for one that must be, and for --help and its like.
std::string Command::default_of(const Spec& spec) {
  bool has_none = spec.rules.required || (spec.role == Spec::Role::flag && !spec.negatable);
  return has_none ? "" : spec.initial;
}

std::string Command::help() const {
  std::string usage = name_ + " [options]";
  for (const Spec& spec : specs_) {
    if (spec.positional()) {
      std::string word = spec.name + (spec.is_list() ? "..." : "");
      usage += " " + (spec.rules.required ? word : "[" + word + "]");
    } else if (spec.rules.required) {
      usage += " " + (spec.rules.short_name ? std::string("-") + spec.rules.short_name : spec.name) + " " + spec.arg;
    }
  }
  std::string out = name_ + " - " + wrapped(summary_, 2) + "\n\nUsage: " + wrapped(usage, 9) + "\n";
  for (const auto& text : description_) out += "\n" + wrapped(text, 0) + "\n";
  out += examples_.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const auto& line : examples_) out += "  " + line + "\n";

  // One column for both lists, wide enough for all but the longest names.
  size_t width = 0;
  std::vector<std::pair<std::string, std::string>> arguments, options;
  for (const Spec& spec : specs_) {
    if (spec.positional()) {
      arguments.emplace_back(spec.name, spec.help);
      continue;
    }
    std::string left = spec.rules.short_name ? std::string("-") + spec.rules.short_name + ", " : "    ";
    left += spec.shown() + (spec.arg.empty() ? "" : " " + spec.arg);
    if (left.size() <= 32) width = std::max(width, left.size() + 2);
    std::string initial = default_of(spec);
    std::string note = spec.rules.required ? " (required)" : initial.empty() ? "" : " [" + initial + "]";
    options.emplace_back(left, spec.help + note);
  }
  if (!arguments.empty()) out += "\nArguments:\n";
  for (const auto& [left, right] : arguments) out += row(left, width, right);
  out += "\nOptions (default in brackets):\n";
  for (const auto& [left, right] : options) out += row(left, width, right);

  out += "\nSee also: ";
  for (const auto& pages : see_also_) out += pages + ", ";
  return out + "nightdesk(7)\n";
}

std::string Command::print_options() const {
  std::string out;
  for (const Spec& spec : specs_) {
    if (spec.positional()) continue;
    out += spec.shown() + "\t" + (spec.rules.short_name ? std::string("-") + spec.rules.short_name : "") + "\t" +
           spec.arg + "\t" + default_of(spec) + "\t" + spec.help + "\n";
  }
  return out;
}

}  // namespace nd::cli
