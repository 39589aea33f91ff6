// Products have all of float32's bits unless TF32 is allowed, and again when it no longer is; nothing else changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/ops.h"

namespace nd {
namespace {

// 1 + 2^-12 has one bit more than TF32 keeps.
constexpr int64_t kSide = 256;
constexpr float kFine = 1 + 0x1p-12f;

class Tf32 : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pick_device("cuda"), Device::cuda);
    use_device(Device::cuda);
  }
  void TearDown() override {
    allow_tf32(false);
    use_device(Device::cpu);
  }
};

// Σ kFine · 1, of as many terms as there are columns.
float product(Device device) {
  Arena arena(device);
  const Mat a = arena.mat(kSide, kSide), b = arena.mat(kSide, kSide), c = arena.mat(kSide, kSide);
  fill(a, kFine);
  fill(b, 1);
  ops::gemm(a, nullptr, b, {}, Activation::none, false, c);
  const std::vector<float> values = values_of(c);
  EXPECT_EQ(*std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end()));
  return values[0];
}

// The same sum, by a kernel of ours.
float dot() {
  Arena arena(Device::cuda);
  const Mat a = arena.mat(1, kSide), b = arena.mat(1, kSide), s = arena.mat(1, 1);
  fill(a, kFine);
  fill(b, 1);
  ops::row_dots(a, identity(1), b, identity(1), false, s);
  return value_of(s);
}

TEST_F(Tf32, IsUsedWhereItIsAllowedOnly) {
  const float exact = kSide * kFine;
  EXPECT_EQ(product(Device::cuda), exact);
  allow_tf32(true);
  EXPECT_EQ(product(Device::cuda), static_cast<float>(kSide));
  EXPECT_EQ(product(Device::cpu), exact);
  EXPECT_EQ(dot(), exact);
  allow_tf32(false);
  EXPECT_EQ(product(Device::cuda), exact);
}

TEST_F(Tf32, IsNothingToAProcessThatComputesOnTheCpu) {
  use_device(Device::cpu);
  allow_tf32(true);
  EXPECT_EQ(product(Device::cuda), kSide * kFine);
}

}  // namespace
}  // namespace nd
