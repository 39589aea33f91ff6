// What a CPU's dropouts keep between the way forwards and the way back.
#include <gtest/gtest.h>

#include <vector>

#include "lib/tensor/cpu/dropout.h"
#include "lib/tensor/random.h"

namespace nd::cpu {
namespace {

// Ones of rows [first, first + count) after dropout.
std::vector<float> dropped_ones(const Dropout& drop, int64_t cols, int64_t first, int64_t count) {
  std::vector<uint16_t> memory;
  const KeptRows kept(drop, cols, first, count, memory);
  std::vector<float> out(static_cast<size_t>(count * cols));
  for (int64_t r = 0; r < count; ++r)
    for (int64_t c = 0; c < cols; c += kLanes)
      store(out.data() + r * cols + c, kept(first + r, c, 1.0f), std::min(cols - c, kLanes));
  return out;
}

TEST(KeptRows, WhatIsReadBackIsWhatIsDecidedAgain) {
  for (const int64_t cols : {1, 5, 16, 22, 64, 70})
    for (const int64_t group : {1, 3, 8, 40}) {
      constexpr int64_t kRows = 120;
      const Dropout drop{0.2, Random(7, "dropout").key(), static_cast<uint64_t>(cols)};
      std::vector<uint16_t> words(static_cast<size_t>(kRows * ((cols + kLanes - 1) / kLanes)), 0x5555);
      Dropout remembered = drop;
      remembered.words = words.data();
      for (int64_t r = 0; r < kRows; r += group)
        EXPECT_EQ(dropped_ones(remembered, cols, r, std::min(group, kRows - r)),
                  dropped_ones(drop, cols, r, std::min(group, kRows - r)));
      // Backwards rows come in other groups; nothing is decided then.
      remembered.made = true;
      remembered.key = 0;
      EXPECT_EQ(dropped_ones(remembered, cols, 0, kRows), dropped_ones(drop, cols, 0, kRows)) << cols << ' ' << group;
    }
}

}  // namespace
}  // namespace nd::cpu
