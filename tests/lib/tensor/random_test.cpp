#include "lib/tensor/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace nd {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers published with the paper (Random123, kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(Random::philox({0, 0, 0, 0}, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Random::philox({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Random::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// A change here changes every trained model: never by accident.
TEST(Random, StreamsStayWhatTheyAre) {
  EXPECT_EQ(Random(1, "init").bits(0), 0xa5cb643b2c45840bu);
  EXPECT_EQ(RandomSequence(1, "shuffle", 2).bits(), 0x75b2da2f3ca7ed6eu);
  EXPECT_NEAR(Random(1, "init").normal(0), 0.19044708456272791, 1e-14);
}

TEST(Random, IsAPureFunctionOfSeedStreamAndCounter) {
  const Random random(9, "negatives");
  EXPECT_EQ(random.bits(5, 7), Random(9, "negatives").bits(5, 7));
  std::set<uint64_t> seen;
  for (uint64_t a : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, uint64_t{1} << 63})
    for (uint64_t b : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, uint64_t{1} << 63}) {
      seen.insert(random.bits(a, b));
      seen.insert(Random(8, "negatives").bits(a, b));
      seen.insert(Random(9, "dropout").bits(a, b));
    }
  EXPECT_EQ(seen.size(), 48u);
}

TEST(Random, UniformFillsItsIntervalEvenly) {
  const Random random(1, "uniform");
  constexpr int n = 200000, bins = 100;
  std::vector<int> count(bins);
  double mean = 0, neighbours = 0, last = 0.5;
  for (int i = 0; i < n; ++i) {
    const double x = random.uniform(i);
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    ++count[static_cast<size_t>(x * bins)];
    mean += x / n;
    neighbours += (x - 0.5) * (last - 0.5) / n;
    last = x;
  }
  EXPECT_NEAR(mean, 0.5, 4 * 0.2887 / std::sqrt(n));
  EXPECT_NEAR(neighbours, 0, 4.0 / 12 / std::sqrt(n));
  double chi = 0;
  for (int c : count) chi += (c - n / bins) * (c - n / bins) / static_cast<double>(n / bins);
  EXPECT_LT(chi, 160);  // 99 degrees of freedom: exceeded once in 10,000
  EXPECT_GT(chi, 50);
}

TEST(Random, NormalHasItsMomentsAndTails) {
  const Random random(1, "normal");
  constexpr int n = 200000;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  int beyond2 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal(i, 3);
    m1 += x / n;
    m2 += x * x / n;
    m3 += x * x * x / n;
    m4 += x * x * x * x / n;
    beyond2 += std::fabs(x) > 2;
  }
  EXPECT_NEAR(m1, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(m2, 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(m3, 0, 4 * std::sqrt(15.0 / n));
  EXPECT_NEAR(m4, 3, 4 * std::sqrt(96.0 / n));
  EXPECT_NEAR(beyond2 / static_cast<double>(n), 0.0455, 0.002);
}

TEST(Random, BelowHitsEveryValueAndNothingElse) {
  const Random random(1, "below");
  for (uint64_t n : {1, 2, 3, 7, 1000}) {
    std::vector<int> count(n);
    for (uint64_t i = 0; i < 300 * n; ++i) {
      const uint64_t x = random.below(n, i);
      ASSERT_LT(x, n);
      ++count[x];
    }
    for (int c : count) EXPECT_NEAR(c, 300, 90);
  }
  const uint64_t large = uint64_t{3} << 62;
  int upper = 0;
  for (int i = 0; i < 3000; ++i) {
    const uint64_t x = random.below(large, i);
    ASSERT_LT(x, large);
    upper += x >= large / 3 * 2;
  }
  EXPECT_NEAR(upper, 1000, 110);
}

TEST(RandomSequence, CountsUpOneStream) {
  RandomSequence sequence(4, "shuffle", 11);
  const Random random(4, "shuffle");
  EXPECT_EQ(sequence.bits(), random.bits(0, 11));
  EXPECT_EQ(sequence.uniform(), random.uniform(1, 11));
  EXPECT_EQ(sequence.below(10), random.below(10, 2, 11));
  EXPECT_EQ(sequence.normal(), random.normal(3, 11));
}

TEST(Shuffle, GivesEveryOrderEquallyOften) {
  std::vector<int> count(24);
  constexpr int n = 24000;
  for (int i = 0; i < n; ++i) {
    std::vector<int> items = {0, 1, 2, 3};
    RandomSequence random(1, "shuffle", i);
    shuffle(items, random);
    int rank = 0;  // of the order among all 24
    for (int a = 0; a < 4; ++a) {
      int smaller = 0;
      for (int b = a + 1; b < 4; ++b) smaller += items[b] < items[a];
      rank = rank * (4 - a) + smaller;
    }
    ++count[rank];
  }
  double chi = 0;
  for (int c : count) chi += (c - n / 24) * (c - n / 24) / (n / 24.0);
  EXPECT_LT(chi, 58);  // 23 degrees of freedom: exceeded once in 10,000
}

TEST(Shuffle, KeepsEveryItem) {
  for (size_t n : {0, 1, 2, 1000}) {
    std::vector<size_t> items(n);
    for (size_t i = 0; i < n; ++i) items[i] = i;
    RandomSequence random(1, "shuffle");
    shuffle(items, random);
    EXPECT_TRUE(n < 1000 || !std::is_sorted(items.begin(), items.end()));
    std::sort(items.begin(), items.end());
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(items[i], i);
  }
}

}  // namespace
}  // namespace nd
