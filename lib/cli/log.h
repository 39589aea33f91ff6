// What a tool tells about its work, on stderr: one line an event, for people ("kred-train: epoch epoch=3 loss=0.51") or
// for machines ({"t":..,"level":"info","tool":"kred-train","event":"epoch","epoch":3,"loss":0.51}). Results never go
// here; they go to stdout or -o.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/cli/text.h"

namespace nd::cli {

enum class Level { error, warn, info, debug };

// One named value of an event: as JSON with all its digits, and as people want to read it.
struct Field {
  std::string name, json, plain;

  Field(std::string name, std::string_view value);
  Field(std::string name, const char* value) : Field(std::move(name), std::string_view(value)) {}
  Field(std::string name, const std::string& value) : Field(std::move(name), std::string_view(value)) {}
  Field(std::string name, bool value) : name(std::move(name)), json(value ? "true" : "false"), plain(json) {}
  Field(std::string name, float value);
  Field(std::string name, double value);
  template <std::integral T>
  Field(std::string name, T value) : name(std::move(name)), json(std::to_string(value)), plain(json) {}
};
using Fields = std::initializer_list<Field>;

class Log {
 public:
  std::string tool;
  Level level = Level::info;
  bool json = false;

  // `event` is a word ("epoch") with fields, or a whole sentence ("12 rows skipped: unknown article").
  void warn(std::string_view event, Fields fields = {}) { line(Level::warn, event, fields); }
  void info(std::string_view event, Fields fields = {}) { line(Level::info, event, fields); }
  void debug(std::string_view event, Fields fields = {}) { line(Level::debug, event, fields); }
  // The one line that says why a run failed; always printed.
  void error(std::string_view message);

 private:
  void line(Level level, std::string_view event, Fields fields);
};

// How far a long loop has got: a bar that redraws itself when stderr is a terminal, else a log line every five
// seconds. Silent with -q. Goes away when it leaves scope.
class Progress {
 public:
  // total 0 or less when it is not known.
  Progress(Log& log, std::string what, int64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of `total` are done. Cheap enough for every batch; not for every row.
  void at(int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  Log& log_;
  std::string what_;
  int64_t total_;
  bool bar_;
  Clock::time_point start_, shown_;
};

}  // namespace nd::cli
