// The random numbers that a kernel draws for itself are the CPU's to the bit: the same numbers are dropped for any
// rate, key and draw, also where counters need more than 32 bits.
#include <gtest/gtest.h>

#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

std::vector<float> dropped(Device device, const Dropout& drop, int64_t rows, int64_t cols) {
  Arena arena(device);
  const Mat x = arena.mat(rows, cols), y = arena.mat(rows, cols);
  fill(x, 1);
  ops::dropout(drop, x, false, y);
  return values_of(y);
}

TEST(DropoutOnCuda, DrawsTheCpusBits) {
  ASSERT_EQ(pick_device("cuda"), Device::cuda);
  for (const auto& [rows, cols] : {std::pair<int64_t, int64_t>{1, 1}, {20000, 64}, {129, 17}, {5, 1000}})
    for (const uint64_t draw : {uint64_t{0}, uint64_t{7}, uint64_t{1} << 40})
      for (const double rate : {1.0 / 65536, 0.2, 0.5, 0.999}) {
        const Dropout drop{rate, Random(draw, "dropout").key(), draw};
        EXPECT_EQ(dropped(Device::cuda, drop, rows, cols), dropped(Device::cpu, drop, rows, cols))
            << rate << ", " << draw << ", " << rows << " rows of " << cols;
      }
}

}  // namespace
}  // namespace nd
