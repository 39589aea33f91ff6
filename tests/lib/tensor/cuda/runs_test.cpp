// Sums and maxima over runs of which some are so long that they are made in pieces (lib/tensor/cuda/runs.h): where the
// pieces are kept, that each item counts once, and that a run does not depend on its place.
#include "lib/tensor/cuda/runs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/tensor/ops.h"
#include "tests/lib/tensor/cuda/parity.h"

namespace nd {
namespace {

using namespace parity;
using Sizes = std::vector<int64_t>;
constexpr int64_t kPiece = cuda::kPiece;

std::vector<Sizes> layouts() {
  Sizes hot(300, 2);
  hot[77] = 100000;
  std::vector<Sizes> all = {
      {},
      {0},
      {1},
      {0, 1, 31, 32, 33, 10000},
      {10000, 33, 0, 32, 31, 1, 10000},
      {127, 128, 129, 1023, 1024, 1025},
      {kPiece, kPiece + 1, 0, 0, kPiece - 1, kPiece + 1, 3 * kPiece, 1},  // long runs that end at a block's border
      {kPiece + 1, kPiece + 1, kPiece + 1, kPiece + 1},                   // two in most blocks
      {kPiece + 1, 1, 1, kPiece + 1, kPiece - 4, kPiece + 1},
      hot,
  };
  for (const int64_t first : {1, 2, 64, 127, 128, 129})  // a long run that begins anywhere
    for (const int64_t length : {127, 128, 129, 255, 256, 257, 10000}) all.push_back({first, length, 5, length});
  return all;
}
std::vector<int64_t> offsets_of(const Sizes& sizes) {
  std::vector<int64_t> offsets{0};
  for (const int64_t size : sizes) offsets.push_back(offsets.back() + size);
  return offsets;
}

TEST(RunsOnCuda, EveryPieceOfALongRunHasAPlaceOfItsOwn) {
  for (const Sizes& sizes : layouts()) {
    const std::vector<int64_t> offsets = offsets_of(sizes);
    Arena arena(Device::cpu);
    const Index runs = make_segments(arena, offsets);
    std::set<int64_t> taken;
    for (int64_t r = 0; r < runs.rows; ++r) {
      if (!cuda::is_long(sizes[r])) continue;
      for (int64_t at = runs.begin(r); at < runs.end(r); at += kPiece) {
        const int64_t place = cuda::place_of(runs.begin(r), at);
        ASSERT_LT(place, cuda::places_for(runs.items));
        ASSERT_TRUE(taken.insert(place).second) << "two pieces at " << place << testing::PrintToString(sizes);
        const cuda::Piece piece = cuda::piece_at(runs, place);
        ASSERT_EQ(piece.run, r);
        ASSERT_EQ(piece.begin, at);
        ASSERT_EQ(piece.end, std::min(at + kPiece, runs.end(r)));
      }
    }
    for (int64_t place = 0; place < cuda::places_for(runs.items); ++place)
      ASSERT_EQ(cuda::piece_at(runs, place).run >= 0, taken.count(place) == 1) << testing::PrintToString(sizes);
  }
}

TEST(RunsOnCuda, EveryItemIsFoundInItsRun) {
  for (const Sizes& sizes : layouts()) {
    const std::vector<int64_t> offsets = offsets_of(sizes);
    Arena arena(Device::cpu);
    const Index runs = make_segments(arena, offsets);
    for (int64_t p = 0; p < runs.items; ++p) ASSERT_EQ(cuda::run_with(runs, p), runs.row[p]);
  }
}

class LongRunsOnCuda : public OnBoth {};

constexpr float kBefore = 99;  // what Place's results hold

// Whole numbers, so that every order of adding gives the same.
Floats whole_numbers(int64_t count) {
  Floats x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 7919) % 101);
  return x;
}
Mat placed(Place& place, const Floats& x, int64_t rows, int64_t cols) {
  return rows > 0 ? place.mat(x, rows) : place.result(0, cols);
}
Floats sums(Place& place, const Sizes& sizes, const Floats& weights, const Floats& values, int64_t cols, bool add) {
  const std::vector<int64_t> offsets = offsets_of(sizes);
  Arena arena;
  const Index sets = make_segments(arena, offsets);
  const Mat y = place.result(sets.rows, cols);
  ops::segment_sum(sets, placed(place, weights, sets.items, 1), placed(place, values, sets.items, cols),
                   identity(sets.items), add, y);
  return values_of(y);
}

TEST_F(LongRunsOnCuda, EveryItemOfASetCountsOnce) {
  for (const Sizes& sizes : layouts())
    for (const auto& [cols, add] : {std::pair<int64_t, bool>{1, false}, {33, false}, {33, true}}) {
      const int64_t items = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
      const Floats values = whole_numbers(items * cols);
      Floats expected;
      for (auto at = values.begin(); const int64_t size : sizes) {
        Floats sum(static_cast<size_t>(cols), add ? kBefore : 0.0f);
        for (int64_t i = 0; i < size * cols; ++i) sum[i % cols] += *at++;
        expected.insert(expected.end(), sum.begin(), sum.end());
      }
      Place place(Device::cuda);
      EXPECT_EQ(sums(place, sizes, Floats(static_cast<size_t>(items), 1.0f), values, cols, add), expected)
          << testing::PrintToString(sizes);
    }
}

// Items of the runs in any order: what gradients of tables are.
TEST_F(LongRunsOnCuda, EveryItemOfARowCountsOnce) {
  constexpr int64_t kCols = 5;
  for (const Sizes& sizes : layouts()) {
    std::vector<int32_t> row;
    for (size_t r = 0; r < sizes.size(); ++r) row.insert(row.end(), sizes[r], static_cast<int32_t>(r));
    RandomSequence random(1, "order");
    shuffle(row, random);
    const auto rows = static_cast<int64_t>(sizes.size()), items = static_cast<int64_t>(row.size());
    const Floats values = whole_numbers(items * kCols);
    Floats expected(static_cast<size_t>(rows * kCols));
    for (int64_t i = 0; i < items * kCols; ++i) expected[row[i / kCols] * kCols + i % kCols] += values[i];
    Place place(Device::cuda);
    Arena arena;
    const Mat table = place.result(rows, kCols);
    ops::scatter_sum(placed(place, values, items, kCols), make_index(arena, row, rows), false, table);
    EXPECT_EQ(values_of(table), expected) << testing::PrintToString(sizes);
  }
}

TEST_F(LongRunsOnCuda, SumsAreTheCpus) {
  for (const Sizes& sizes : layouts()) {
    const int64_t items = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
    expect_parity(testing::PrintToString(sizes), [&](Place& place) {
      return sums(place, sizes, noise(items, 1, "p"), noise(items, 9, "x"), 9, false);
    });
  }
}

TEST_F(LongRunsOnCuda, ASumDependsOnItsItemsAlone) {
  for (const int64_t length : {100, 129, 1025, 10000}) {
    const Floats weights = noise(length, 1, "p"), values = noise(length, 3, "x");
    Place place(Device::cuda);
    const Floats alone = sums(place, {length}, weights, values, 3, false);
    for (const int64_t before : {1, 57, 128, 300}) {
      Floats w = noise(before, 1, "pb"), x = noise(before, 3, "xb");
      w.insert(w.end(), weights.begin(), weights.end());
      x.insert(x.end(), values.begin(), values.end());
      const Floats both = sums(place, {before, length}, w, x, 3, false);
      EXPECT_EQ(Floats(both.begin() + 3, both.end()), alone) << length << " items behind " << before;
    }
  }
}

// Of equal numbers the first is the largest, and what is no number counts only where it comes first.
TEST_F(LongRunsOnCuda, TheLargestIsTheCpus) {
  for (const Sizes& sizes : layouts()) {
    const std::vector<int64_t> offsets = offsets_of(sizes);
    const int64_t items = offsets.back();
    Floats x = whole_numbers(items * 3);
    for (int64_t i = 0; i < items; ++i) {
      if (i % 97 == 5) x[i * 3 + 1] = NAN;
      x[i * 3 + 2] = std::floor(x[i * 3 + 2] / 50);
    }
    const auto largest = [&](Device device) {
      Place place(device);
      Arena arena(device);
      const Index sets = make_segments(arena, offsets);
      const auto from = arena.array<int32_t>(sets.rows * 3);
      const Mat y = place.result(sets.rows, 3), dx = place.result(items, 3);
      ops::segment_max(sets, placed(place, x, items, 3), from.data(), y);
      ops::segment_max_backward(sets, from.data(), placed(place, whole_numbers(sets.rows * 3), sets.rows, 3), false,
                                dx);
      Floats all = values_of(y);
      append(all, dx);
      for (float& v : all)
        if (std::isnan(v)) v = -1;
      return all;
    };
    EXPECT_EQ(largest(Device::cuda), largest(Device::cpu)) << testing::PrintToString(sizes);
  }
}

}  // namespace
}  // namespace nd
