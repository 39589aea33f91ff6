// The one way things go wrong: an exception that carries a single line for the user.
//
// The line says where (file and row, when there is one), what was expected and what was found, and where
// possible what to do next. lib/cli puts the tool's name in front, prints it on stderr and exits.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace nd {

// Exit 1: the work could not be done.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string line) : std::runtime_error(without_zeros(std::move(line))) {}
  Error(const std::string& path, const std::string& what) : Error(path + ": " + what) {}
  // row counts from 1.
  Error(const std::string& path, int64_t row, const std::string& what)
      : Error(path + ":" + std::to_string(row) + ": " + what) {}

 private:
  // what() ends at the first byte 0, and a hostile name in the middle would hide what comes behind it.
  static std::string without_zeros(std::string line) {
    for (size_t at = 0; (at = line.find('\0', at)) != std::string::npos;) line.replace(at, 1, "\\0");
    return line;
  }
};

// The system would not let us read or write (a missing file, a full disk), as opposed to what is in a file.
class SystemError : public Error {
 public:
  using Error::Error;
};

// Exit 2: the options make no sense together.
class UsageError : public Error {
 public:
  using Error::Error;
};

// Exit 128 + signal: asked to stop, and everything worth keeping has been written.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal) : std::runtime_error("interrupted"), signal(signal) {}
  int signal;
};

}  // namespace nd
