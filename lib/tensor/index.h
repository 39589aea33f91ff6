// Which row of a table each of many items uses, both ways round.
//
// Forward reads by item; backward sums by row. Holding the items of each row as one sorted run makes that sum a plain
// loop in a fixed order: no atomics, the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/arena.h"

namespace nd {

struct Index {
  int64_t items = 0;
  int64_t rows = 0;
  const int32_t* row = nullptr;      // [items] the row of each item; null when item i uses row i
  const int64_t* offsets = nullptr;  // [rows + 1] the run of items of each row; null with row (or where no gradient is
                                     // asked for: by item is then the only way to read)
  const int32_t* item = nullptr;     // [items] items in order of (row, item); null when items already are in row order
  int64_t longest = INT64_MAX;       // no row has more items than so many

  constexpr bool by_row() const { return offsets || !row; }
  constexpr int32_t row_of(int64_t i) const { return row ? row[i] : static_cast<int32_t>(i); }
  constexpr int64_t begin(int64_t r) const { return offsets ? offsets[r] : r; }
  constexpr int64_t end(int64_t r) const { return offsets ? offsets[r + 1] : r + 1; }
  constexpr int32_t item_at(int64_t p) const { return item ? item[p] : static_cast<int32_t>(p); }
};

// Item i uses row i of a table of n rows.
inline Index identity(int64_t n) { return {n, n, nullptr, nullptr, nullptr, 1}; }

// Item i uses row[i], any order, each in [0, rows) or std::logic_error. `row` must live as long as the index.
// O(items + rows).
Index make_index(Arena& arena, std::span<const int32_t> row, int64_t rows);

// Items of row r are offsets[r] .. offsets[r + 1): a ragged set. `offsets` (rows + 1 of them, from 0) must live on.
Index make_segments(Arena& arena, std::span<const int64_t> offsets);

}  // namespace nd
