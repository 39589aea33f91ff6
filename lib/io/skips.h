// Rows that could not be used: counted by cause, capped, printed; nothing is dropped silently.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/io/error.h"

namespace nd {

class Skips {
 public:
  // More than `cap` such rows in all is an Error that names the row that went over it; -1 for no cap.
  explicit Skips(int64_t cap) : cap_(cap) {}
  // The row is not used.
  void skip(const std::string& path, int64_t row, const std::string& cause) { count(path, row, "skipped", cause); }
  // The row is used, without a part of it that cannot be.
  void cut(const std::string& path, int64_t row, const std::string& cause) { count(path, row, "used in part", cause); }
  int64_t total() const { return total_; }
  // One line per cause, most frequent first: "12 rows skipped: unknown article (first: x.tsv:7)".
  std::vector<std::string> report() const;

 private:
  struct Cause {
    int64_t count = 0;
    std::string first;
  };
  void count(const std::string& path, int64_t row, const char* fate, const std::string& cause);

  int64_t cap_;
  int64_t total_ = 0;
  std::map<std::string, Cause> causes_;
};

}  // namespace nd
