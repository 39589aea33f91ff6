// What a tool's output says about its making: the tool, the options that affect the content, the inputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/cli/command.h"
#include "lib/io/kind_file.h"

namespace nd {

// inputs as File<T>::as(role) gives them. The kind is filled in by save().
inline Meta meta_of(const cli::Context& ctx, std::vector<Input> inputs = {}) {
  return {
      .tool = ctx.tool() + " " + ND_VERSION, .options = json::parse(ctx.options_json()), .inputs = std::move(inputs)};
}

// What this file was made from in that role, for tools that hand it on. Error when the file does not say.
template <class T>
const Input& input_of(const File<T>& file, const std::string& role) {
  for (const Input& input : file.meta.inputs)
    if (input.role == role) return input;
  throw Error(file.path, "does not say which " + role + " it was made from");
}

}  // namespace nd
