// How a model's settings are read back from the options that its parameters carry. Errors name the option.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "lib/io/error.h"
#include "lib/io/json.h"

namespace nd {

inline const json::Value& setting(const json::Value& options, const char* key, const char* model) {
  const json::Value* v = options.find(key);
  if (!v) throw Error(std::string("option ") + key + " is missing: these are not " + model + "'s parameters");
  return *v;
}

// One of `words`.
inline std::string word_setting(const json::Value& options, const char* key, const char* model,
                                std::initializer_list<const char*> words) {
  const std::string* word = setting(options, key, model).string();
  if (!word) throw Error(std::string("option ") + key + " is no word: these are not " + model + "'s parameters");
  if (std::find(words.begin(), words.end(), *word) == words.end())
    throw Error(std::string("option ") + key + " is " + *word + ", which this version does not know");
  return *word;
}

// A whole number in [least, most].
inline int64_t count_setting(const json::Value& options, const char* key, int64_t least, int64_t most = INT64_MAX) {
  const json::Value* v = options.find(key);
  if (!v || !v->integer() || *v->integer() < least || *v->integer() > most)
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
