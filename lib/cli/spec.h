// One declared option or positional argument, as parsing (command.cpp) and help (help.cpp) see it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/cli/command.h"

namespace nd::cli {

struct Command::Spec {
  enum class Role { value, flag, choice, input, output, binary_output, output_folder };  // paths last

  std::string name;  // "--min-conf", or "CORPUS" for a positional
  std::string arg;   // "P"; empty for flags and positionals
  std::string help;
  Role role = Role::value;
  Target target;
  Rules rules;
  std::vector<std::string> words;                  // of a choice
  std::function<void(const std::string&)> preset;  // what a word sets besides
  bool negatable = true;                           // false for --help and its like
  std::string initial;                             // the default as shown, "" for none
  bool given = false;

  bool positional() const { return name[0] != '-'; }
  bool is_path() const { return role >= Role::input; }
  bool is_list() const {
    return std::holds_alternative<std::vector<std::string>*>(target) ||
           std::holds_alternative<std::vector<int64_t>*>(target) ||
           std::holds_alternative<std::vector<double>*>(target);
  }
  bool negated() const { return role == Role::flag && negatable; }
  std::string negated_name() const { return "--no-" + name.substr(2); }
  std::string shown() const { return negated() ? "--[no-]" + name.substr(2) : name; }
};

}  // namespace nd::cli
