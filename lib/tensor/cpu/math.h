// exp, tanh, sigmoid, log(1 + e^x) and erf on sixteen lanes, to within 2 units in the last place (5 for the last two),
// the same bits for every lane and machine: the C library's vector versions need -ffast-math and its scalar ones are
// ten times slower.
#pragma once

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/ops.h"

namespace nd::cpu {

// 2^n for whole numbers -126 <= n <= 127.
inline Lanes power_of_two(Lanes n) {
  return each_part([&](int i) { return (Vec)((__builtin_convertvector(n.part[i], VecI) + 127) << 23); });
}

// To the nearest whole number, |x| < 2^22.
inline Lanes round(Lanes x) {
  constexpr float kMagic = 12582912;  // 1.5 · 2^23: a float this large has no digits behind the point
  return (x + kMagic) - kMagic;
}

// c[0] x^(N-1) + ... + c[N-1]
template <size_t N>
inline Lanes polynomial(const float (&c)[N], Lanes x) {
  Lanes y = c[0];
  for (size_t i = 1; i < N; ++i) y = fma(y, x, c[i]);
  return y;
}

// e^x. Splits x = n ln 2 + r with |r| <= ln 2 / 2, takes the Taylor polynomial of degree 7 of e^r (its remainder is
// below 1e-8 there), and multiplies by 2^n in two steps, as n may lie beyond what one float holds: results below the
// smallest normal number round once, e^-inf = 0 and e^89 = inf.
inline Lanes exp(Lanes x) {
  constexpr float kLow = -104, kHigh = 89;
  x = where_less(x, kLow, kLow, x);
  x = where_less(kHigh, x, kHigh, x);
  const Lanes n = round(x * 1.44269504088896341f);
  Lanes r = fma(n, -0.693145751953125f, x);  // ln 2 in two pieces, the first exact in few bits
  r = fma(n, -1.42860682030941723212e-6f, r);
  const Lanes p = polynomial({1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}, r);
  const Lanes half = round(n * 0.5f);
  return p * power_of_two(half) * power_of_two(n - half);
}

// 1 / (1 + e^-x), or e^x / (1 + e^x) where x is negative: e^-|x| never overflows.
inline Lanes sigmoid(Lanes x) {
  const Lanes e = exp(-absolute(x));
  return where_less(x, 0.0f, e, 1.0f) / (1.0f + e);
}

// log(1 + e^x), without overflow: the larger of x and 0, plus log(1 + u) with u = e^-|x| in (0, 1], which is
// 2 artanh(s) with s = u / (2 + u) <= 1/3 (the remainder of degree 15 is below 1e-7 of it).
inline Lanes softplus(Lanes x) {
  const Lanes u = exp(-absolute(x));
  const Lanes s = u / (2.0f + u);
  const Lanes p = polynomial({1.0f / 13, 1.0f / 11, 1.0f / 9, 1.0f / 7, 1.0f / 5, 1.0f / 3, 1.0f}, s * s);
  return fma(2.0f * s, p, relu(x));
}

// Near zero the quotient form would lose digits, so there an odd Taylor polynomial (degree 13) takes over.
inline Lanes tanh(Lanes x) {
  const Lanes q = x * x, size = absolute(x);
  const Lanes p =
      polynomial({21844.0f / 6081075, -1382.0f / 155925, 62.0f / 2835, -17.0f / 315, 2.0f / 15, -1.0f / 3}, q);
  const Lanes small = fma(x * q, p, x);
  const Lanes large = 1.0f - 2.0f / (exp(size + size) + 1.0f);
  return where_less(q, 0.2f, small, where_less(x, 0.0f, -large, large));
}

// 2/sqrt(pi) times the integral of e^(-t²) from 0 to x: x P(x²) / Q(x²) up to 4, where it is 1 to float32. The
// coefficients are a least-squares fit of the relative error over [0, 4], re-weighted until its peaks were even, which
// leaves 2.5e-8; all are positive, so nothing cancels.
inline Lanes erf(Lanes x) {
  x = where_less(x, -4.0f, -4.0f, x);
  x = where_less(4.0f, x, 4.0f, x);
  const Lanes u = x * x;
  const Lanes p =
      polynomial({1.986610729e-6f, 2.844730501e-4f, 3.881067712e-3f, 5.309460787e-2f, 1.93497966e-1f, 1.12837914f}, u);
  const Lanes q =
      polynomial({3.741350463e-5f, 1.184940659e-3f, 1.520273399e-2f, 1.153297093e-1f, 5.048156774e-1f, 1.0f}, u);
  const Lanes y = x * p / q;  // may round to the float beyond 1
  return where_less(1.0f, y, 1.0f, where_less(y, -1.0f, -1.0f, y));
}

// Φ(x), the share of a standard normal distribution below x, to within 2e-7.
inline Lanes normal_below(Lanes x) { return fma(0.5f, erf(x * 0.70710678118654752f), 0.5f); }

inline Lanes apply(Activation act, Lanes x) {
  switch (act) {
    case Activation::relu:
      return relu(x);
    case Activation::tanh:
      return tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    default:
      return x;
  }
}

}  // namespace nd::cpu
