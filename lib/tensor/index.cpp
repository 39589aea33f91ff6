#include "lib/tensor/index.h"

#include <algorithm>
#include <stdexcept>

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
  std::fill(offsets.begin(), offsets.end(), 0);
  for (int32_t r : row) {
    if (r < 0 || r >= rows) throw std::logic_error("make_index: a row lies outside the table");
    ++offsets[r + 1];
  }
  for (int64_t r = 0; r < rows; ++r) offsets[r + 1] += offsets[r];
  // Placing moves each row's start to its end, which is the next row's start: shift back afterwards.
  for (int64_t i = 0; i < items; ++i) item[offsets[row[i]]++] = static_cast<int32_t>(i);
  for (int64_t r = rows; r > 0; --r) offsets[r] = offsets[r - 1];
  offsets[0] = 0;
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
