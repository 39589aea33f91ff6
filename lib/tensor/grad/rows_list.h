// The tables of one operation, as its closure holds them.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

#include "lib/tensor/grad.h"

namespace nd::grad {

// Up to five tables, in a form a closure can hold.
struct RowsList {
  static constexpr size_t kMost = 5;
  Rows rows[kMost];
  Table tables[kMost];
  size_t count;
  bool wanted = false;

  explicit RowsList(std::span<const Rows> list) : count(list.size()) {
    if (count == 0 || count > kMost) throw std::logic_error("one to five tables, not " + std::to_string(count));
    std::copy_n(list.begin(), count, rows);
    for (size_t j = 0; j < count; ++j) {
      tables[j] = {rows[j].table->value, rows[j].index};
      wanted |= rows[j].table->wanted;
    }
  }
  std::span<const Table> span() const { return {tables, count}; }
};

}  // namespace nd::grad
