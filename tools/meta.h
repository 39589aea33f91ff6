// What a tool's output says about its making: the tool, the options that affect the content, the inputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/cli/command.h"
#include "lib/io/container.h"

namespace nd {

// inputs as File<T>::as(role) gives them. The kind is filled in by save().
inline Meta meta_of(const cli::Context& ctx, std::vector<Input> inputs = {}) {
  return {.tool = ctx.tool() + " " + ND_VERSION,
          .options = json::parse(ctx.options_json()),
          .inputs = std::move(inputs)};
}

}  // namespace nd
