// How the lanes of a warp or a block share out a product so that its sums stay in registers.
//
// A warp's tile is a few rows (kTileRows at most, half of them for each half of the warp) times kTileUnits columns,
// eight side by side for each of the 16 lanes of a half. For every number of a row a lane reads its eight of the
// matrix, as two vectors of four, and adds to the sums of all of its rows: with 20 rows 80 multiply-adds for 2 reads of
// the matrix and 5 of the rows. So arithmetic is the limit, not the caches. Of a block's tile see below.
#pragma once

#include <cstdint>

#include "lib/tensor/cuda/fours.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

constexpr int kTileRows = 20;  // a multiple of four
constexpr int kHalfWarp = kLanes / 2;
constexpr int kUnitsOfLane = 8;
constexpr int64_t kTileUnits = kHalfWarp * kUnitsOfLane;

// Blocks that are to share a multiprocessor: 168 registers a lane, of which 80 are sums.
constexpr int kBlocksOfTiles = 3;

// Row j of a lane, of the tile's.
constexpr int64_t tile_row(int64_t lane, int64_t j) { return 2 * j + lane / kHalfWarp; }
// The first of its units in a pass over the columns from `first` on.
constexpr int64_t tile_unit(int64_t lane, int64_t first) { return first + lane % kHalfWarp * kUnitsOfLane; }

// Rows in shared memory lie in pairs of numbers, the same pair of all rows side by side, so that a lane reads its rows
// at fixed distances. From pair to pair it is an odd multiple of two floats: lanes that each have another number of one
// row meet in no bank.
constexpr int64_t kPairStride = 2 * (kTileRows + 1);
constexpr int64_t pair_floats(int64_t cols) { return (cols + 1) / 2 * kPairStride; }
constexpr int64_t pair_place(int64_t row, int64_t c) { return c / 2 * kPairStride + 2 * row + c % 2; }
struct alignas(8) Pair {
  float at[2];
};

// Sums of a row by 16 lanes lie so far apart, so that lanes that add up rows meet in no bank.
constexpr int64_t kPartStride = kHalfWarp + 1;

// Numbers c .. c + 8 of a row of `cols`: in fours where the row starts at one and cols is a multiple of eight. What
// lies beyond the row is some number of it.
template <bool kFours>
ND_KERNEL inline void load_units(const float* row, int64_t c, int64_t cols, float (&to)[kUnitsOfLane]) {
  if constexpr (kFours) {
    const auto* const fours = reinterpret_cast<const Four*>(row + (c < cols ? c : 0));
    const Four one = fours[0], other = fours[1];
    ND_UNROLL
    for (int u = 0; u < kUnitsOfLane; ++u) to[u] = u < 4 ? one.at[u % 4] : other.at[u % 4];
  } else {
    ND_UNROLL
    for (int u = 0; u < kUnitsOfLane; ++u) to[u] = row[c + u < cols ? c + u : 0];
  }
}

// sum[j][u] += x(j) row[c + u], with one number of each of a lane's rows and that row of a matrix of `cols` columns.
template <bool kFours, int kRows, class Number>
ND_KERNEL inline void add_to_tile(const float* row, int64_t c, int64_t cols, const Number& x,
                                  float (&sum)[kRows][kUnitsOfLane]) {
  float units[kUnitsOfLane];
  load_units<kFours>(row, c, cols, units);
  ND_UNROLL
  for (int j = 0; j < kRows; ++j) {
    const float number = x(j);
    ND_UNROLL
    for (int u = 0; u < kUnitsOfLane; ++u) sum[j][u] = fmaf(number, units[u], sum[j][u]);
  }
}
// sum[j][u] += Σ_k x_j[k] m(k, c + u) with a lane's rows x_j in pairs, from the first one's on.
template <bool kFours, int kRows>
ND_KERNEL inline void multiply_pairs(const float* pairs, int64_t inner, const float* m, int64_t c, int64_t cols,
                                     float (&sum)[kRows][kUnitsOfLane]) {
  const float* const end = pairs + inner / 2 * kPairStride;
  for (; pairs != end; pairs += kPairStride, m += 2 * cols) {
    Pair x[kRows];
    ND_UNROLL
    for (int j = 0; j < kRows; ++j) x[j] = *reinterpret_cast<const Pair*>(pairs + pair_place(2 * j, 0));
    add_to_tile<kFours>(
        m, c, cols, [&](int j) { return x[j].at[0]; }, sum);
    add_to_tile<kFours>(
        m + cols, c, cols, [&](int j) { return x[j].at[1]; }, sum);
  }
  if (inner % 2 != 0)
    add_to_tile<kFours>(
        m, c, cols, [&](int j) { return pairs[pair_place(2 * j, 0)]; }, sum);
}
// The same with rows wherever they lie.
template <bool kFours, int kRows>
ND_KERNEL inline void multiply_rows(const float* const (&row)[kRows], int64_t inner, const float* m, int64_t c,
                                    int64_t cols, float (&sum)[kRows][kUnitsOfLane]) {
  for (int64_t k = 0; k < inner; ++k)
    add_to_tile<kFours>(
        m + k * cols, c, cols, [&](int j) { return row[j][k]; }, sum);
}

// A block's tile of a product of many items' rows, each times a row of its own: 96 by 128 sums, twelve by eight a lane.
// So the items go by once for all of a layer of that size, and a lane makes 96 multiply-adds of five vectors of four.
constexpr int kSumRows = 96, kSumCols = 128, kSumItems = 32;  // items that are brought over at once
constexpr int kLaneRows = 12, kLaneCols = 8;
struct LaneSums {
  float at[kLaneRows][kLaneCols] = {};
};
// Which of the tile's rows and columns these are. Columns are two fours, so that lanes read in different banks.
constexpr int64_t sum_row(int64_t lane, int64_t j) { return lane / kHalfWarp * kLaneRows + j; }
constexpr int64_t sum_col(int64_t lane, int64_t u) { return u / 4 * (kSumCols / 2) + lane % kHalfWarp * 4 + u % 4; }

// The items are cut into so many parts, each with a sum of its own; their number alone decides how many: two for each
// of an H100's multiprocessors at most.
constexpr int64_t sum_parts_of(int64_t items) {
  constexpr int64_t kLeast = 128, kMost = 264;
  const int64_t parts = items / kLeast;
  return parts < 1 ? 1 : parts < kMost ? parts : kMost;
}

// f.template operator()<kRows>() with the fewest rows, in fours, that n rows fit in.
template <int kRows = kTileRows, class F>
ND_KERNEL inline void with_rows_for(int64_t n, const F& f) {
  if constexpr (kRows > 4)
    if (n <= kRows - 4) return with_rows_for<kRows - 4>(n, f);
  f.template operator()<kRows>();
}

}  // namespace nd::cuda
