// Every case of op_cases.h: values against float64, gradients against central differences of float64, and the same bits
// for any number of threads.
#include <gtest/gtest.h>

#include <cmath>

#include "lib/tensor/parallel.h"
#include "tests/lib/tensor/op_runner.h"

namespace nd {
namespace {

using namespace cases;

constexpr double kTolerance = 1e-5;  // relative to the largest number of a result
constexpr double kSmall = 0.1;       // gradients all smaller than this are left over from larger terms that cancel

class Operation : public testing::TestWithParam<OpCase> {};
INSTANTIATE_TEST_SUITE_P(Table, Operation, testing::ValuesIn(all()), [](const auto& info) { return info.param.name; });

double scale_of(const std::vector<double>& x) {
  double most = 0;
  for (double v : x) most = std::max(most, std::fabs(v));
  return most;
}

TEST_P(Operation, AgreesWithFloat64) {
  const OpCase& c = GetParam();
  const Matrix64 expected = c.in_float64(operands64(c));
  const double allowed = kTolerance * scale_of(expected.values);
  for (const Gradients mode : {Gradients::none, Gradients::set}) {  // some take another way where nothing is recorded
    SCOPED_TRACE(mode == Gradients::none ? "without a way back" : "recorded");
    const Matrix64 got = run(c, mode).value;
    ASSERT_EQ(got.rows, expected.rows);
    ASSERT_EQ(got.cols, expected.cols);
    for (size_t i = 0; i < got.values.size(); ++i)
      ASSERT_LE(std::fabs(got.values[i] - expected.values[i]), allowed)
          << "at " << i << ": " << got.values[i] << ", expected " << expected.values[i];
  }
}

TEST_P(Operation, GradientAgreesWithCentralDifferences) {
  const OpCase& c = GetParam();
  const Outcome set = run(c, Gradients::set), added = run(c, Gradients::added);
  Operands64 in = operands64(c);
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    if (!c.inputs[k].wanted) continue;
    SCOPED_TRACE("input " + std::to_string(k));
    const std::vector<float>& g = set.grad[k];
    std::vector<double>& x = in.x[k].values;
    const double step = 1e-7 * c.inputs[k].scale;
    const auto slope = [&](auto&& move) {
      const std::vector<double> kept = x;
      move(step);
      const double up = loss64(c, in);
      x = kept;
      move(-step);
      const double down = loss64(c, in);
      x = kept;
      return (up - down) / (2 * step);
    };
    // The first and last numbers and some between, each by itself. Rounding of the loss shows in the differences too.
    const double noise = 4e-16 * std::fabs(loss64(c, in)) / step;
    double scale = kSmall;
    for (float v : g) scale = std::max(scale, std::fabs(static_cast<double>(v)));
    const size_t some = x.size() > 20000 ? 12 : 60, stride = std::max<size_t>(1, x.size() / some);
    for (size_t i = 0; i < x.size(); i = (i + stride < x.size() || i + 1 == x.size()) ? i + stride : x.size() - 1) {
      const double expected = slope([&](double h) { x[i] += h; });
      ASSERT_LE(std::fabs(g[i] - expected), kTolerance * std::max(scale, std::fabs(expected)) + noise)
          << "at " << i << ": " << g[i] << ", expected " << expected;
    }
    // All of them together, along one direction of plus and minus ones.
    const Random signs(3, c.name);
    double expected_sum = 0, size = 0;
    for (size_t i = 0; i < g.size(); ++i) {
      expected_sum += (signs.bits(i) & 1 ? 1 : -1) * static_cast<double>(g[i]);
      size += static_cast<double>(g[i]) * g[i];
    }
    const double along = slope([&](double h) {
      for (size_t i = 0; i < x.size(); ++i) x[i] += (signs.bits(i) & 1 ? h : -h);
    });
    ASSERT_LE(std::fabs(along - expected_sum),
              kTolerance * std::max({kSmall, std::sqrt(size), std::fabs(along)}) + noise);

    // Where a gradient is there already, this one is added to it.
    for (size_t i = 0; i < g.size(); ++i)
      ASSERT_NEAR(added.grad[k][i], before(i) + g[i], kTolerance * (3 + scale)) << "at " << i;
  }
}

TEST_P(Operation, GivesTheSameBitsForAnyThreads) {
  const OpCase& c = GetParam();
  set_threads(1);
  const Outcome none = run(c, Gradients::none), set = run(c, Gradients::set), added = run(c, Gradients::added);
  const auto bits = [](const Outcome& o) {
    std::vector<std::vector<uint32_t>> all;
    for (const auto& g : o.grad) {
      auto& one = all.emplace_back(g.size());
      if (!g.empty()) std::memcpy(one.data(), g.data(), g.size() * sizeof(float));
    }
    return all;
  };
  for (int threads : {1, 2, 7}) {
    SCOPED_TRACE(std::to_string(threads) + " threads");
    set_threads(threads);
    EXPECT_EQ(run(c, Gradients::none).value.values, none.value.values);
    const Outcome set_now = run(c, Gradients::set), added_now = run(c, Gradients::added);
    EXPECT_EQ(set_now.value.values, set.value.values);
    EXPECT_EQ(bits(set_now), bits(set));
    EXPECT_EQ(bits(added_now), bits(added));
  }
  set_threads(0);
}

}  // namespace
}  // namespace nd
