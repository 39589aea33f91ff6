// Rows of a step, each once.
#pragma once

#include <cstdint>
#include <vector>

namespace nd {

// Numbers rows 0, 1, 2, ... in the order they are first asked for.
class Distinct {
 public:
  explicit Distinct(int64_t rows) : place_(static_cast<size_t>(rows), -1) {}
  int32_t operator()(int32_t row) {
    int32_t& p = place_[row];
    if (p < 0) {
      p = static_cast<int32_t>(rows_.size());
      rows_.push_back(row);
    }
    return p;
  }
  const std::vector<int32_t>& rows() const { return rows_; }
  void clear() {
    for (int32_t row : rows_) place_[row] = -1;
    rows_.clear();
  }

 private:
  std::vector<int32_t> place_, rows_;
};

}  // namespace nd
