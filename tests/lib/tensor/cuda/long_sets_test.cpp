// Sums over sets of which some are so long that they are made in parts (lib/tensor/cuda/attention.h): each item counts
// once. Items are whole numbers with a weight of one, so that every order of adding gives the same.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lib/tensor/cuda/attention.h"
#include "lib/tensor/ops.h"
#include "tests/lib/tensor/cuda/parity.h"

namespace nd {
namespace {

using namespace parity;
using Sizes = std::vector<int64_t>;

class LongSetsOnCuda : public OnBoth {};

constexpr int64_t kPart = cuda::kPartItems;

std::vector<Sizes> layouts() {
  std::vector<Sizes> all = {
      {},
      {0},
      {1},
      {0, 1, 31, 32, 33, 10000},
      {10000, 33, 0, 32, 31, 1, 10000},
      {kPart - 1, kPart, kPart + 1, 2 * kPart, 2 * kPart + 1},
      {kPart, kPart + 1, 0, 0, kPart - 1, kPart + 1, 3 * kPart, 1},  // long sets that begin and end at a block's border
      {kPart + 1, kPart + 1, kPart + 1, kPart + 1},                  // two in most blocks
      {kPart + 1, 1, 1, kPart + 1, kPart - 4, kPart + 1},
  };
  for (const int64_t first : {1, 2, 128, 255, 256, 257})  // a long set beginning anywhere
    for (const int64_t length : {255, 256, 257, 511, 512, 513, 10000}) all.push_back({first, length, 5, length});
  return all;
}

constexpr float kBefore = 99;  // what Place's results hold

Floats sums(Place& place, const Sizes& sizes, const Floats& weights, const Floats& values, int64_t cols, bool add) {
  std::vector<int64_t> offsets{0};
  for (const int64_t size : sizes) offsets.push_back(offsets.back() + size);
  Arena arena;
  const Index sets = make_segments(arena, offsets);
  const Mat y = place.result(sets.rows, cols);
  const auto mat = [&](const Floats& x, int64_t n) {
    return sets.items > 0 ? place.mat(x, sets.items) : place.result(0, n);
  };
  ops::segment_sum(sets, mat(weights, 1), mat(values, cols), identity(sets.items), add, y);
  return values_of(y);
}

TEST_F(LongSetsOnCuda, EveryItemCountsOnce) {
  for (const Sizes& sizes : layouts())
    for (const auto& [cols, add] : {std::pair<int64_t, bool>{1, false}, {33, false}, {33, true}}) {
      Floats values, expected;
      for (const int64_t size : sizes) {
        Floats sum(static_cast<size_t>(cols), add ? kBefore : 0.0f);
        for (int64_t i = 0; i < size * cols; ++i) {
          values.push_back(static_cast<float>((values.size() * 7919) % 101));
          sum[i % cols] += values.back();
        }
        expected.insert(expected.end(), sum.begin(), sum.end());
      }
      const Floats ones(values.size() / cols, 1.0f);
      Place place(Device::cuda);
      EXPECT_EQ(sums(place, sizes, ones, values, cols, add), expected) << testing::PrintToString(sizes);
    }
}

TEST_F(LongSetsOnCuda, SumsAreTheCpus) {
  for (const Sizes& sizes : layouts()) {
    int64_t items = 0;
    for (const int64_t size : sizes) items += size;
    expect_parity(testing::PrintToString(sizes), [&](Place& place) {
      return sums(place, sizes, noise(items, 1, "p"), noise(items, 9, "x"), 9, false);
    });
  }
}

}  // namespace
}  // namespace nd
