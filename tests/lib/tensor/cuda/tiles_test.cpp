// The tiles of lib/tensor/cuda/tiles.h: every row and column of a product is some lane's and no other's, whatever the
// sizes, and where a row's numbers lie in shared memory they do not overlap.
#include "lib/tensor/cuda/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace nd {
namespace {

using namespace cuda;

constexpr int64_t kSizes[] = {1, 2, 7, 8, 9, 31, 32, 33, 127, 128, 129, 255, 256, 257};

TEST(TilesOnCuda, EveryUnitOfEveryRowIsOneLanes) {
  for (const int64_t cols : kSizes)
    for (int64_t rows = 4; rows <= kTileRows; rows += 4) {
      std::map<std::pair<int64_t, int64_t>, int> times;
      for (int64_t lane = 0; lane < kLanes; ++lane)
        for (int64_t first = 0; first < cols; first += kTileUnits)
          for (int64_t j = 0; j < rows / 2; ++j)
            for (int64_t u = 0; u < kUnitsOfLane; ++u)
              if (const int64_t c = tile_unit(lane, first) + u; c < cols) ++times[{tile_row(lane, j), c}];
      ASSERT_EQ(static_cast<int64_t>(times.size()), rows * cols);
      for (const auto& [place, count] : times) {
        ASSERT_LT(place.first, rows);
        ASSERT_EQ(count, 1) << place.first << ", " << place.second;
      }
    }
}

TEST(TilesOnCuda, EveryNumberOfARowHasAPlaceOfItsOwn) {
  for (const int64_t cols : kSizes) {
    std::set<int64_t> taken;
    for (int64_t row = 0; row < kTileRows; ++row)
      for (int64_t c = 0; c < cols; ++c) {
        const int64_t place = pair_place(row, c);
        ASSERT_TRUE(taken.insert(place).second) << row << ", " << c;
        ASSERT_LT(place, pair_floats(cols));
      }
  }
}

// A warp that each has another number of a row meets in no bank, nor do its halves, which read two rows' pairs.
TEST(TilesOnCuda, LanesMeetInNoBank) {
  for (int64_t row = 0; row < kTileRows; ++row) {
    std::set<int64_t> banks, parts;
    for (int64_t lane = 0; lane < kLanes; ++lane) banks.insert(pair_place(row, lane) % 32);
    EXPECT_EQ(banks.size(), 32u) << row;
  }
  std::set<int64_t> parts;
  for (int64_t row = 0; row < kTileRows; ++row) parts.insert(row * kPartStride % 32);
  EXPECT_EQ(parts.size(), static_cast<size_t>(kTileRows));
}

struct RowsFor {
  int64_t& rows;
  template <int kRows>
  void operator()() const {
    rows = kRows;
  }
};
TEST(TilesOnCuda, TheSmallestThatFitsIsTaken) {
  for (int64_t n = 1; n <= kTileRows; ++n) {
    int64_t rows = 0;
    with_rows_for(n, RowsFor{rows});
    EXPECT_EQ(rows, (n + 3) / 4 * 4) << n;
  }
}

// One warp's product by all three ways to read, against a plain one; whole numbers have no rounding.
TEST(TilesOnCuda, MultiplyAsAPlainLoopDoes) {
  constexpr int kMine = 3, kRows = 2 * kMine;
  for (const int64_t cols : {8, 24, 120, 128, 136, 264})
    for (const int64_t inner : {1, 2, 3, 90, 101}) {
      struct alignas(16) Chunk {
        float at[8];
      };
      std::vector<Chunk> memory(static_cast<size_t>(inner * cols / 8));
      float* const m = memory[0].at;
      for (int64_t i = 0; i < inner * cols; ++i) m[i] = static_cast<float>(i % 13 - 6);
      std::vector<float> x(static_cast<size_t>(kRows * inner));
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
      std::vector<Pair> pairs(static_cast<size_t>(pair_floats(inner) / 2 + kTileRows));
      float* const shared = pairs[0].at;
      for (int64_t row = 0; row < kRows; ++row)
        for (int64_t k = 0; k < inner; ++k) shared[pair_place(row, k)] = x[row * inner + k];
      for (int64_t lane = 0; lane < kLanes; ++lane)
        for (int64_t first = 0; first < cols; first += kTileUnits) {
          const int64_t c = tile_unit(lane, first);
          const float* rows[kMine];
          for (int j = 0; j < kMine; ++j) rows[j] = &x[tile_row(lane, j) * inner];
          float a[kMine][kUnitsOfLane] = {}, b[kMine][kUnitsOfLane] = {}, d[kMine][kUnitsOfLane] = {};
          multiply_pairs<true>(shared + pair_place(tile_row(lane, 0), 0), inner, m, c, cols, a);
          multiply_rows<true>(rows, inner, m, c, cols, b);
          multiply_rows<false>(rows, inner, m, c, cols, d);
          for (int j = 0; j < kMine; ++j)
            for (int64_t u = 0; u < kUnitsOfLane && c + u < cols; ++u) {
              float expected = 0;
              for (int64_t k = 0; k < inner; ++k) expected += rows[j][k] * m[k * cols + c + u];
              ASSERT_EQ(a[j][u], expected);
              ASSERT_EQ(b[j][u], expected);
              ASSERT_EQ(d[j][u], expected);
            }
        }
    }
}

TEST(TilesOnCuda, EverySumOfABlocksTileIsOneLanes) {
  std::set<std::pair<int64_t, int64_t>> taken;
  for (int64_t lane = 0; lane < kThreads; ++lane)
    for (int64_t j = 0; j < kLaneRows; ++j)
      for (int64_t u = 0; u < kLaneCols; ++u) {
        const int64_t row = sum_row(lane, j), col = sum_col(lane, u);
        ASSERT_LT(row, kSumRows);
        ASSERT_LT(col, kSumCols);
        ASSERT_TRUE(taken.insert({row, col}).second) << row << ", " << col;
        ASSERT_EQ(row, sum_row(lane, j / 4 * 4) + j % 4) << "fours are read as one";
        ASSERT_EQ(col, sum_col(lane, u / 4 * 4) + u % 4) << "fours are read as one";
      }
  EXPECT_EQ(taken.size(), static_cast<size_t>(kSumRows * kSumCols));
  EXPECT_TRUE(fits<kBlock>(kSumItems * (kSumRows + kSumCols)));
}

TEST(TilesOnCuda, PartsAreNeitherEmptyNorTooMany) {
  for (const int64_t items : {0, 1, 31, 127, 128, 129, 255, 256, 257, 10000, 33791, 33792, 33793, 1 << 20}) {
    const int64_t parts = sum_parts_of(items);
    ASSERT_GE(parts, 1);
    ASSERT_LE(parts, 264);
    ASSERT_GE(items / parts, std::min<int64_t>(items, 128)) << items;
  }
}

}  // namespace
}  // namespace nd
