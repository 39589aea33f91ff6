// Sums on the tile unit against float64, at every edge of its blocks and of its digits.
#include "lib/tensor/cpu/fixed_sums.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "lib/tensor/random.h"

namespace nd::cpu {
namespace {

#ifdef ND_TILE_UNIT

constexpr int64_t kRows = 40;

struct Items {
  int64_t units, cols, count;
  std::vector<float> x, scale;
  std::vector<int32_t> tail;
  std::vector<uint16_t> mask;

  Items(int64_t units, int64_t cols, int64_t count) : units(units), cols(cols), count(count) {
    const Random random(units, "fixed sums");
    uint64_t draw = 0;
    const auto number = [&] { return static_cast<float>(random.uniform(cols, draw++) - 0.5); };
    for (int64_t i = 0; i < kRows * cols; ++i) x.push_back(number());
    for (int64_t i = 0; i < count; ++i) {
      scale.push_back(number());
      tail.push_back(static_cast<int32_t>(random.below(kRows, count, draw++)));
      for (int64_t word = 0; word < units / 16; ++word)
        mask.push_back(static_cast<uint16_t>(random.below(1 << 16, count, draw++)));
    }
  }
  Mat table() { return {x.data(), kRows, cols}; }
  bool has(int64_t item, int64_t unit) const { return mask[item * (units / 16) + unit / 16] >> unit % 16 & 1; }

  // All sums, unit by unit, of which each was `before`.
  std::vector<float> sums(float before = 0) {
    const fixed::Tiles tiles;
    const UnitSums shape(units, cols);
    std::vector<float> memory(static_cast<size_t>(shape.size()), before), reach, out;
    const UnitSums place = shape.at(memory.data());
    for (int32_t t : tail) reach.push_back(fixed::largest(table().row(t), cols));
    fixed::add_where_positive(table(), tail.data(), reach.data(), mask.data(), scale.data(), 0, count, place);
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t c = 0; c < cols; ++c) out.push_back(place.row(c / kColumns, unit)[c % kColumns]);
    return out;
  }
  // Half a unit an item, where a unit is the largest number over 0x7f0000; then the sum's own rounding.
  void expect_sums(float before = 0) {
    double largest = 0;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t c = 0; c < cols; ++c)
        largest = std::max(largest, std::abs(double{scale[i]} * x[tail[i] * cols + c]));
    const std::vector<float> got = sums(before);
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t c = 0; c < cols; ++c) {
        double sum = before;
        for (int64_t i = 0; i < count; ++i)
          if (has(i, unit)) sum += double{scale[i]} * x[tail[i] * cols + c];
        ASSERT_NEAR(got[unit * cols + c], sum,
                    0.51 * static_cast<double>(count) * largest / 0x7f0000 + 4 * FLT_EPSILON * std::abs(sum))
            << count << " items, unit " << unit << " of " << units << ", column " << c << " of " << cols;
      }
  }
};

class FixedSums : public testing::Test {
  void SetUp() override {
    if (!fixed::available()) GTEST_SKIP() << "this process may not use the tile unit";
  }
};

TEST_F(FixedSums, AreTheSumsForAnyNumberOfItems) {
  for (int64_t count : {1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 255, 256}) Items(128, 90, count).expect_sums();
}

TEST_F(FixedSums, AreTheSumsForAnyShape) {
  for (int64_t units : {16, 32, 48, 128, 144})
    for (int64_t cols : {1, 15, 16, 17, 47, 48, 49, 90, 96, 97, 300}) Items(units, cols, 70).expect_sums();
}

TEST_F(FixedSums, AreAddedToWhatIsThere) { Items(32, 20, 100).expect_sums(0.25f); }

TEST_F(FixedSums, TakeTheLargestNumbersWithEitherSign) {
  Items items(16, 16, 2);
  items.scale = {1, 1};
  items.tail = {0, 1};
  items.mask = {0xffff, 0xffff};
  for (float most : {1.0f, 2e38f, 1e-20f}) {
    for (int64_t c = 0; c < 16; ++c) items.x[c] = c % 2 ? most : -most, items.x[16 + c] = c % 3 ? 0 : most / 3;
    items.expect_sums();
  }
}

TEST_F(FixedSums, OfZerosAreZeros) {
  Items items(16, 18, 5);
  items.scale.assign(5, 0.0f);
  for (float sum : items.sums()) ASSERT_EQ(sum, 0);
}

TEST_F(FixedSums, DoNotDependOnTheOrderOfTheItems) {
  Items items(48, 90, 200), reversed = items;
  std::reverse(reversed.scale.begin(), reversed.scale.end());
  std::reverse(reversed.tail.begin(), reversed.tail.end());
  for (int64_t i = 0; i < 200; ++i)
    for (int64_t word = 0; word < 3; ++word) reversed.mask[i * 3 + word] = items.mask[(199 - i) * 3 + word];
  EXPECT_EQ(items.sums(), reversed.sums());
}

// A diverged training must show in its loss.
TEST_F(FixedSums, OfWhatIsNoNumberAreNone) {
  for (float odd : {NAN, INFINITY, -INFINITY}) {
    Items by_scale(16, 18, 70), by_row = by_scale;
    by_scale.scale[69] = odd;
    by_row.x[by_row.tail[69] * 18 + 17] = odd;
    by_scale.mask[69] = by_row.mask[69] = 0xffff;
    for (Items* items : {&by_scale, &by_row})
      for (int64_t unit = 0; const float sum : items->sums())
        ASSERT_FALSE(std::isfinite(sum)) << odd << " at " << unit++;
  }
}

#endif

}  // namespace
}  // namespace nd::cpu
