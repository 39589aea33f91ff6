// The text of an option's value: read from the command line, shown in the help, written as JSON.
#pragma once

#include <string>

#include "lib/cli/command.h"

namespace nd::cli {

// Sets the target; UsageError "NAME: expected a number from 0 to 1, found 'x'". Lists are appended to.
void read_value(const Target& target, const std::string& name, const std::string& text, const Rules& rules);
// Empties a list; other targets keep their value.
void clear_list(const Target& target);

std::string shown_value(const Target& target);  // "0.9", "5,10", ""
std::string json_value(const Target& target);   // 0.9, [5,10], ""

}  // namespace nd::cli
