// An operation on the GPU beside the CPU's, where op_cases.h does not reach: what has no gradient on the tape.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/random.h"

namespace nd::parity {

using Floats = std::vector<float>;

inline Floats noise(int64_t rows, int64_t cols, const std::string& name, float size = 1) {
  Floats x(static_cast<size_t>(rows * cols));
  RandomSequence random(1, name);
  for (float& v : x) v = size * static_cast<float>(random.normal());
  return x;
}
inline std::vector<int32_t> drawn(int64_t count, int64_t rows, const std::string& name) {
  std::vector<int32_t> x(static_cast<size_t>(count));
  RandomSequence random(1, name);
  for (int32_t& v : x) v = static_cast<int32_t>(random.below(static_cast<uint64_t>(rows)));
  return x;
}

// Matrices of either device; what an operation is given as result holds this number before.
class Place {
 public:
  explicit Place(Device device) : arena_(device) {}
  Mat mat(const Floats& values, int64_t rows) {
    const Mat m = arena_.mat(rows, rows > 0 ? static_cast<int64_t>(values.size()) / rows : 0);
    copy_in(values.data(), m);
    return m;
  }
  Mat result(int64_t rows, int64_t cols) {
    const Mat m = arena_.mat(rows, cols);
    fill(m, 99);
    return m;
  }

 private:
  Arena arena_;
};

inline void expect_near(const Floats& got, const Floats& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  float most = 0;
  for (const float v : expected) most = std::max(most, std::fabs(v));
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], 2e-5f * most) << what << ", number " << i << " of " << got.size();
}

// f(place) on both devices: what it returns must be near the CPU's, and the same bits when it is done again.
template <class F>
void expect_parity(const std::string& what, F&& f) {
  Place cpu(Device::cpu), gpu(Device::cuda);
  const Floats got = f(gpu);
  expect_near(got, f(cpu), what);
  EXPECT_EQ(got, f(gpu)) << what;
}
inline void append(Floats& all, const Mat& m) {
  const Floats values = values_of(m);
  all.insert(all.end(), values.begin(), values.end());
}

class OnBoth : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pick_device("cuda"), Device::cuda); }
};

}  // namespace nd::parity
