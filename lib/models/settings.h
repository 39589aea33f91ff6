// How a model's settings are read back from the options that its parameters carry. Errors name the option.
#pragma once

#include <string>

#include "lib/io/error.h"
#include "lib/io/json.h"

namespace nd {

inline const json::Value& setting(const json::Value& options, const char* key, const char* model) {
  const json::Value* v = options.find(key);
  if (!v) throw Error(std::string("option ") + key + " is missing: these are not " + model + "'s parameters");
  return *v;
}

// A whole number of `least` or more.
inline int64_t count_setting(const json::Value& options, const char* key, int64_t least) {
  const json::Value* v = options.find(key);
  if (!v || !v->integer() || *v->integer() < least)
    throw Error(std::string("option ") + key + " is missing or out of range");
  return *v->integer();
}

// Runs f, putting the path in front of what it has to say.
template <class F>
auto told_of(const std::string& path, F&& f) {
  try {
    return f();
  } catch (const Error& e) {
    throw Error(path, e.what());
  }
}

}  // namespace nd
