// Gradients of the GPU against slopes that no code of ours has to do with: central differences of the operations in
// float64 (op_cases.h), along one direction of plus and minus ones for each input, and at some of its numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lib/tensor/device.h"
#include "tests/lib/tensor/op_runner.h"

namespace nd {
namespace {

using namespace cases;

constexpr double kTolerance = 2e-5;  // relative to the largest number of a gradient, or to the length of all of it
constexpr double kSmall = 0.1;       // gradients all smaller than this are left over from larger terms that cancel

class GradientOnCuda : public testing::TestWithParam<OpCase> {
 protected:
  void SetUp() override { ASSERT_EQ(pick_device("cuda"), Device::cuda); }
};
INSTANTIATE_TEST_SUITE_P(Table, GradientOnCuda, testing::ValuesIn(all()),
                         [](const auto& info) { return info.param.name; });

TEST_P(GradientOnCuda, IsTheSlopeInFloat64) {
  const OpCase& c = GetParam();
  const Outcome out = run(c, Gradients::set, Device::cuda);
  Operands64 in = operands64(c);
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    if (!c.inputs[k].wanted) continue;
    SCOPED_TRACE("input " + std::to_string(k));
    const std::vector<float>& g = out.grad[k];
    const double step = 1e-7 * c.inputs[k].scale;
    // Of the loss as all numbers of the input move by `direction` times as far.
    const auto slope = [&](auto&& direction) {
      std::vector<double>& x = in.x[k].values;
      const std::vector<double> kept = x;
      double loss[2];
      for (const int side : {0, 1}) {
        for (size_t i = 0; i < x.size(); ++i) x[i] = kept[i] + (side ? step : -step) * direction(i);
        loss[side] = loss64(c, in);
      }
      x = kept;
      return (loss[1] - loss[0]) / (2 * step);
    };
    const double noise = 4e-16 * std::fabs(loss64(c, in)) / step;  // the rounding of the loss
    double most = kSmall, along = 0, squares = 0;
    const Random signs(3, c.name);
    const auto sign = [&](size_t i) { return signs.bits(i) & 1 ? 1.0 : -1.0; };
    for (size_t i = 0; i < g.size(); ++i) {
      most = std::max(most, std::fabs(static_cast<double>(g[i])));
      along += sign(i) * g[i];
      squares += static_cast<double>(g[i]) * g[i];
    }
    EXPECT_NEAR(along, slope(sign), kTolerance * std::max({kSmall, std::sqrt(squares), std::fabs(along)}) + noise);
    const size_t stride = std::max<size_t>(1, g.size() / 5);
    for (size_t at = 0; at < g.size(); at += stride)
      EXPECT_NEAR(g[at], slope([at](size_t i) { return i == at ? 1.0 : 0.0; }), kTolerance * most + noise) << at;
  }
}

}  // namespace
}  // namespace nd
