// Adam against its definition in float64, over many steps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

struct State {
  std::vector<float> x, m, v;
};
struct State64 {
  std::vector<double> x, m, v;
};

AdamStep step_number(int t, bool decoupled) {
  AdamStep step;
  step.decoupled = decoupled;
  step.c1 = 1 - std::pow(0.9, t);
  step.c2 = 1 - std::pow(0.999, t);
  return step;
}
std::vector<float> gradient(int64_t n, int t) {
  std::vector<float> g(static_cast<size_t>(n));
  const Random random(2, "gradient");
  // Of very different sizes, one in ten of them zero.
  for (int64_t i = 0; i < n; ++i)
    g[i] = i % 10 == 9 ? 0 : static_cast<float>(random.normal(i, t) * std::pow(10.0, -static_cast<double>(i % 7)));
  return g;
}

State run(int64_t n, int steps, double decay, bool decoupled) {
  State s{std::vector<float>(n), std::vector<float>(n), std::vector<float>(n)};
  for (int64_t i = 0; i < n; ++i) s.x[i] = static_cast<float>(Random(2, "start").normal(i));
  for (int t = 1; t <= steps; ++t) {
    auto g = gradient(n, t);
    const AdamParameter p{{g.data(), 1, n}, {s.m.data(), 1, n}, {s.v.data(), 1, n}, {s.x.data(), 1, n}, decay};
    ops::adam(step_number(t, decoupled), {&p, 1});
  }
  return s;
}
State64 run64(int64_t n, int steps, double decay, bool decoupled) {
  State64 s{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  for (int64_t i = 0; i < n; ++i) s.x[i] = static_cast<float>(Random(2, "start").normal(i));
  for (int t = 1; t <= steps; ++t) {
    const auto g = gradient(n, t);
    for (int64_t i = 0; i < n; ++i) {
      const double slope = g[i] + (decoupled ? 0 : decay * s.x[i]);
      s.m[i] = 0.9 * s.m[i] + 0.1 * slope;
      s.v[i] = 0.999 * s.v[i] + 0.001 * slope * slope;
      const double move = s.m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(s.v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      s.x[i] -= 1e-3 * (move + (decoupled ? decay * s.x[i] : 0));
    }
  }
  return s;
}

TEST(Adam, FollowsItsDefinition) {
  for (int64_t n : {1, 15, 16, 17, 1000})
    for (auto [decay, decoupled] : {std::pair{0.0, false}, {0.1, false}, {0.1, true}}) {
      const State got = run(n, 20, decay, decoupled);
      const State64 expected = run64(n, 20, decay, decoupled);
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_NEAR(got.x[i], expected.x[i], 1e-6 * (1 + std::fabs(expected.x[i]))) << i << " of " << n;
        const double size = std::pow(10.0, -static_cast<double>(i % 7)) + decay;  // of this number's gradients
        ASSERT_NEAR(got.m[i], expected.m[i], 1e-6 * size);
        ASSERT_NEAR(got.v[i], expected.v[i], 1e-6 * expected.v[i]);
      }
    }
}

TEST(Adam, KeepsWhatHasNoGradientAndNoDecay) {
  const State got = run(100, 5, 0, false);
  EXPECT_EQ(got.x[9], static_cast<float>(Random(2, "start").normal(9)));
  EXPECT_NE(got.x[8], static_cast<float>(Random(2, "start").normal(8)));
}

TEST(Adam, ShortensTheGradientButNotTheDecay) {
  for (bool decoupled : {false, true}) {
    std::vector<float> g(20, 4.0f), half(20, 2.0f);
    State a{std::vector<float>(20, 0.5f), std::vector<float>(20), std::vector<float>(20)}, b = a;
    AdamStep step = step_number(1, decoupled);
    const auto parameter = [](std::vector<float>& gradient, State& s) {
      return AdamParameter{
          {gradient.data(), 1, 20}, {s.m.data(), 1, 20}, {s.v.data(), 1, 20}, {s.x.data(), 1, 20}, 0.1};
    };
    const AdamParameter first = parameter(half, a), second = parameter(g, b);
    ops::adam(step, {&first, 1});
    float squared = 36;
    step.longest = 3;
    step.squared_norm = {&squared, 1, 1};
    ops::adam(step, {&second, 1});
    EXPECT_EQ(a.x, b.x);
    EXPECT_EQ(a.m, b.m);
    EXPECT_EQ(a.v, b.v);
  }
}

TEST(Adam, LeavesAGradientThatIsShortEnough) {
  for (const float squared : {9.0f, 0.0f, NAN}) {
    std::vector<float> g(20, 4.0f);
    State a{std::vector<float>(20, 0.5f), std::vector<float>(20), std::vector<float>(20)}, b = a;
    AdamStep step = step_number(1, false);
    const auto parameter = [&](State& s) {
      return AdamParameter{{g.data(), 1, 20}, {s.m.data(), 1, 20}, {s.v.data(), 1, 20}, {s.x.data(), 1, 20}, 0.1};
    };
    const AdamParameter first = parameter(a), second = parameter(b);
    ops::adam(step, {&first, 1});
    float norm = squared;
    step.longest = 3;
    step.squared_norm = {&norm, 1, 1};
    ops::adam(step, {&second, 1});
    EXPECT_EQ(a.x, b.x) << squared;
  }
}

TEST(Adam, StepsOnManyParametersAsOnEachAlone) {
  const int64_t sizes[] = {5, 9000, 1};
  std::vector<State> alone, together;
  std::vector<std::vector<float>> g;
  for (int64_t n : sizes) {
    alone.push_back({std::vector<float>(n, 0.5f), std::vector<float>(n), std::vector<float>(n)});
    g.push_back(gradient(n, 1));
  }
  together = alone;
  const auto parameter = [&](State& s, size_t i) {
    const int64_t n = sizes[i];
    return AdamParameter{{g[i].data(), 1, n}, {s.m.data(), 1, n}, {s.v.data(), 1, n}, {s.x.data(), 1, n}, 0.1 * i};
  };
  std::vector<AdamParameter> all;
  for (size_t i = 0; i < alone.size(); ++i) {
    const AdamParameter one = parameter(alone[i], i);
    ops::adam(step_number(1, false), {&one, 1});
    all.push_back(parameter(together[i], i));
  }
  ops::adam(step_number(1, false), all);
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].x, alone[i].x);
    EXPECT_EQ(together[i].m, alone[i].m);
    EXPECT_EQ(together[i].v, alone[i].v);
  }
}

TEST(Adam, GivesTheSameBitsForAnyThreads) {
  set_threads(1);
  const State one = run(50000, 3, 0.1, false);
  for (int threads : {2, 7}) {
    set_threads(threads);
    const State now = run(50000, 3, 0.1, false);
    EXPECT_EQ(now.x, one.x);
    EXPECT_EQ(now.m, one.m);
    EXPECT_EQ(now.v, one.v);
  }
  set_threads(0);
}

TEST(SquaredNorm, AddsUpAndGivesTheSameBitsForAnyThreads) {
  for (int64_t n : {0, 1, 17, 100000}) {
    auto x = gradient(n, 1);
    double expected = 2;
    for (float v : x) expected += static_cast<double>(v) * v;
    std::vector<float> bits;
    for (int threads : {1, 2, 7}) {
      set_threads(threads);
      float out = 2;
      ops::squared_norm({x.data(), 1, n}, true, {&out, 1, 1});
      EXPECT_NEAR(out, expected, 1e-6 * expected) << n;
      bits.push_back(out);
      ops::squared_norm({x.data(), 1, n}, false, {&out, 1, 1});
      EXPECT_NEAR(out, expected - 2, 1e-6 * expected) << n;
    }
    EXPECT_EQ(bits[0], bits[1]);
    EXPECT_EQ(bits[0], bits[2]);
  }
  set_threads(0);
}

TEST(Axpy, AddsAMultiple) {
  std::vector<float> x(1001), y(1001);
  for (int i = 0; i < 1001; ++i) x[i] = static_cast<float>(i), y[i] = 1;
  ops::axpy(-2, {x.data(), 1, 1001}, {y.data(), 1, 1001});
  for (int i = 0; i < 1001; ++i) ASSERT_EQ(y[i], 1 - 2 * i);
}

}  // namespace
}  // namespace nd
