#include "lib/tensor/index.h"

#include <algorithm>

#include "lib/tensor/ops.h"

namespace nd {
namespace {

int64_t longest_of(std::span<const int64_t> offsets) {
  int64_t longest = 0;
  for (size_t r = 1; r < offsets.size(); ++r) longest = std::max(longest, offsets[r] - offsets[r - 1]);
  return longest;
}

}  // namespace

Index make_index(Arena& arena, std::span<const int32_t> row, int64_t rows) {
  const auto items = static_cast<int64_t>(row.size());
  auto offsets = arena.array<int64_t>(rows + 1);
  auto item = arena.array<int32_t>(items);
  cpu::sort_items(Device::cpu, row, rows, offsets.data(), item.data());
  return {items, rows, row.data(), offsets.data(), item.data(), longest_of(offsets)};
}

Index make_segments(Arena& arena, std::span<const int64_t> offsets) {
  const auto rows = static_cast<int64_t>(offsets.size()) - 1;
  auto row = arena.array<int32_t>(offsets[rows]);
  for (int64_t r = 0; r < rows; ++r)
    std::fill(row.begin() + offsets[r], row.begin() + offsets[r + 1], static_cast<int32_t>(r));
  return {offsets[rows], rows, row.data(), offsets.data(), nullptr, longest_of(offsets)};
}

}  // namespace nd
