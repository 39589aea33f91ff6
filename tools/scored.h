// What scores are called: tables take a system's name and seed from their file.
#pragma once

#include <string>

#include "lib/io/json.h"

namespace nd {

// `system` where one is given; else the trained model's own name, with its seed, from its options; else the counter's.
inline void name_scores(json::Value& options, const std::string& system, const std::string& by,
                        const json::Value* trained) {
  const auto copy = [&](const char* key) {
    if (const json::Value* v = trained ? trained->find(key) : nullptr) options[key] = *v;
  };
  copy("seed");
  if (!system.empty()) options["system"] = system;
  else if (trained) copy("system");
  else options["system"] = by;
}

}  // namespace nd
