// exp, tanh and sigmoid on lanes, over all of what a float can be, against the C library in float64.
#include "lib/tensor/cpu/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "lib/tensor/random.h"

namespace nd::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSmallestNormal = std::numeric_limits<float>::min();

template <class F>
float first_lane(F&& f, float x) {
  float out[kLanes];
  store(out, f(x));
  return out[0];
}

// Distance in units of the last place of the expected float; below the smallest normal number that unit stays its.
double ulps(float got, double expected) {
  if (std::isinf(static_cast<float>(expected)) || std::isinf(got)) return got == static_cast<float>(expected) ? 0 : 1e9;
  const double size = std::max(std::fabs(expected), static_cast<double>(kSmallestNormal));
  const int exponent = std::ilogb(size);
  return std::fabs(got - expected) / std::ldexp(1.0, exponent - 23);
}

// Floats of both signs, evenly over their bit patterns, and closely where the functions bend.
std::vector<float> samples() {
  std::vector<float> list;
  for (uint32_t bits = 0; bits < 0x7f800000u; bits += 9973) {
    list.push_back(std::bit_cast<float>(bits));
    list.push_back(-std::bit_cast<float>(bits));
  }
  for (int i = -110000; i <= 110000; ++i) list.push_back(static_cast<float>(i) * 1e-3f);
  for (float x :
       {0.0f, -0.0f, kSmallestNormal, 1e-45f, 0.44721f, 0.447214f, 88.72283f, 88.72284f, -87.33655f, -103.97f, -103.98f,
        std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), kInfinity, -kInfinity})
    list.push_back(x);
  return list;
}

template <class F, class G>
double largest_error(F&& f, G&& reference) {
  double worst = 0;
  float where = 0;
  for (float x : samples()) {
    const double error = ulps(first_lane(f, x), reference(static_cast<double>(x)));
    if (!(error <= worst)) worst = error, where = x;
  }
  EXPECT_FALSE(std::isnan(worst)) << "at " << where;
  return worst;
}

TEST(VectorMath, ExpIsWithinTwoUlps) {
  EXPECT_LE(largest_error([](Lanes x) { return exp(x); }, [](double x) { return std::exp(x); }), 2);
}
TEST(VectorMath, TanhIsWithinTwoUlps) {
  EXPECT_LE(largest_error([](Lanes x) { return tanh(x); }, [](double x) { return std::tanh(x); }), 2);
}
TEST(VectorMath, SigmoidIsWithinTwoUlps) {
  EXPECT_LE(largest_error([](Lanes x) { return sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }), 2);
}

TEST(VectorMath, SoftplusIsWithinFourUlps) {
  EXPECT_LE(largest_error([](Lanes x) { return softplus(x); },
                          [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }),
            4);
}

TEST(VectorMath, ErfIsWithinFiveUlps) {
  EXPECT_LE(largest_error([](Lanes x) { return erf(x); }, [](double x) { return std::erf(x); }), 5);
}

TEST(VectorMath, ShareBelowIsWithinTwoInTenMillion) {
  for (float x : samples()) {
    const float got = first_lane([](Lanes l) { return normal_below(l); }, x);
    ASSERT_NEAR(got, 0.5 * std::erfc(-static_cast<double>(x) / std::sqrt(2.0)), 2e-7) << x;
    ASSERT_GE(got, 0) << x;
    ASSERT_LE(got, 1) << x;
  }
}

TEST(VectorMath, EndsAreExact) {
  const auto e = [](float x) { return first_lane([](Lanes l) { return exp(l); }, x); };
  const auto t = [](float x) { return first_lane([](Lanes l) { return tanh(l); }, x); };
  const auto s = [](float x) { return first_lane([](Lanes l) { return sigmoid(l); }, x); };
  EXPECT_EQ(e(0), 1);
  EXPECT_EQ(e(kInfinity), kInfinity);
  EXPECT_EQ(e(1000), kInfinity);
  EXPECT_EQ(e(-kInfinity), 0);
  EXPECT_EQ(e(-1000), 0);
  EXPECT_EQ(t(0), 0);
  EXPECT_EQ(t(kInfinity), 1);
  EXPECT_EQ(t(-kInfinity), -1);
  EXPECT_EQ(t(1e-40f), 1e-40f);
  EXPECT_EQ(s(0), 0.5f);
  EXPECT_EQ(s(kInfinity), 1);
  EXPECT_EQ(s(-kInfinity), 0);
}

TEST(VectorMath, TanhIsOdd) {
  for (float x : samples()) {
    const auto t = [](Lanes l) { return tanh(l); };
    ASSERT_EQ(first_lane(t, -x), -first_lane(t, x)) << x;
  }
}

TEST(VectorMath, WhatIsNotANumberStaysThat) {
  for (Activation act : {Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid})
    EXPECT_TRUE(std::isnan(first_lane([act](Lanes x) { return apply(act, x); }, NAN))) << static_cast<int>(act);
  EXPECT_TRUE(std::isnan(first_lane([](Lanes x) { return exp(x); }, NAN)));
  EXPECT_TRUE(std::isnan(first_lane([](Lanes x) { return erf(x); }, NAN)));
}

TEST(VectorMath, EveryLaneGivesTheSameBits) {
  const auto all = samples();
  for (size_t i = 0; i + kLanes <= all.size(); i += kLanes) {
    float e[kLanes], t[kLanes], s[kLanes];
    store(e, exp(load(&all[i])));
    store(t, tanh(load(&all[i])));
    store(s, sigmoid(load(&all[i])));
    for (int l = 0; l < kLanes; ++l) {
      const float x = all[i + l];
      ASSERT_EQ(std::bit_cast<uint32_t>(e[l]), std::bit_cast<uint32_t>(first_lane([](Lanes y) { return exp(y); }, x)));
      ASSERT_EQ(std::bit_cast<uint32_t>(t[l]), std::bit_cast<uint32_t>(first_lane([](Lanes y) { return tanh(y); }, x)));
      ASSERT_EQ(std::bit_cast<uint32_t>(s[l]),
                std::bit_cast<uint32_t>(first_lane([](Lanes y) { return sigmoid(y); }, x)));
    }
  }
}

TEST(Lanes, PartsOfAVectorAreLoadedAndStoredAlone) {
  float from[kLanes], to[kLanes];
  for (int64_t n = 1; n <= kLanes; ++n) {
    for (int l = 0; l < kLanes; ++l) from[l] = static_cast<float>(l + 1), to[l] = -1;
    float whole[kLanes], kept[kLanes];
    store(whole, load(from, n));
    store(kept, keep(load(from), n));
    store(to, load(from), n);
    for (int l = 0; l < kLanes; ++l) {
      EXPECT_EQ(whole[l], l < n ? l + 1 : 0);
      EXPECT_EQ(kept[l], l < n ? l + 1 : 0);
      EXPECT_EQ(to[l], l < n ? l + 1 : -1);
    }
  }
}

TEST(Lanes, MaskAndMaskedSumAgreeWithScalars) {
  for (uint32_t bits = 0; bits < 65536; bits += 97) {
    float x[kLanes], y[kLanes];
    for (int l = 0; l < kLanes; ++l) x[l] = bits >> l & 1 ? 0.5f + static_cast<float>(l) : (l % 2 ? 0.0f : -3.0f);
    ASSERT_EQ(positive(load(x)), bits);
    store(y, add_where(static_cast<uint16_t>(bits), 2.0f, 3.0f));
    for (int l = 0; l < kLanes; ++l) ASSERT_EQ(y[l], bits >> l & 1 ? 5 : 2);
  }
  EXPECT_EQ(positive(NAN), 0);
}

TEST(Lanes, SumUsesOneTreeOnEveryMachine) {
  const Random random(1, "sum");
  for (int repeat = 0; repeat < 100; ++repeat) {
    float x[kLanes], tree[kLanes];
    for (int l = 0; l < kLanes; ++l) x[l] = tree[l] = static_cast<float>(random.normal(l, repeat));
    for (int half = 8; half > 0; half /= 2)
      for (int l = 0; l < half; ++l) tree[l] += tree[l + half];
    ASSERT_EQ(sum(load(x)), tree[0]);
  }
}

}  // namespace
}  // namespace nd::cpu
