#include "lib/tensor/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "lib/tensor/random.h"

namespace nd {
namespace {

TEST(Arena, HandsOutAlignedMemoryThatDoesNotOverlap) {
  Arena arena;
  std::vector<std::pair<std::byte*, size_t>> parts;
  const Random random(1, "arena");
  for (int i = 0; i < 300; ++i) {
    const size_t n = random.below(i % 50 == 0 ? 20'000'000 : 5000, i);
    auto* p = static_cast<std::byte*>(arena.bytes(n));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0u);
    std::memset(p, i % 256, n);
    parts.push_back({p, n});
  }
  for (int i = 0; i < 300; ++i)
    for (size_t at = 0; at < parts[i].second; at += 61) ASSERT_EQ(parts[i].first[at], std::byte(i % 256));
}

TEST(Arena, AMatrixWithoutRowsHasAPlace) {
  Arena arena;
  const Mat x = arena.mat(0, 5);
  EXPECT_FALSE(x.empty());
  EXPECT_EQ(x.size(), 0);
}

TEST(Arena, HoldsNothingMoreOnceTheLargestStepWasSeen) {
  Arena arena;
  const Random random(1, "steps");
  const auto step = [&](int64_t number, size_t most) {
    arena.reset();
    size_t asked = 0;
    for (int i = 0; i < 40; ++i) {
      const size_t n = random.below(most, number, i);
      arena.bytes(n);
      asked += n + 64;
    }
    return asked;
  };
  // The largest step comes in the middle; all others are smaller and cut differently.
  for (int64_t s = 0; s < 20; ++s) step(s, 1'000'000);
  arena.reset();
  size_t largest = 0;
  for (int i = 0; i < 40; ++i) arena.bytes(2'000'000), largest += 2'000'064;
  arena.reset();
  const size_t held = arena.held();
  EXPECT_LE(held, 2 * largest);
  for (int64_t s = 20; s < 300; ++s) step(s, 2'000'000);
  EXPECT_EQ(arena.held(), held);
}

}  // namespace
}  // namespace nd
