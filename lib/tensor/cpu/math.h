// exp, tanh and sigmoid on sixteen lanes, to within about 2 units in the last place, the same bits for every lane and
// machine: the C library's vector versions need -ffast-math and its scalar ones are ten times slower.
#pragma once

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/ops.h"

namespace nd::cpu {

inline Lanes select(LanesI condition, Lanes yes, Lanes no) { return condition ? yes : no; }

// e^x. Splits x = n ln 2 + r with |r| <= ln 2 / 2, takes the Taylor polynomial of degree 7 of e^r (its remainder is
// below 1e-8 there), and puts n into the exponent. Saturates at about e^±87.
inline Lanes exp(Lanes x) {
  const Lanes low = spread(-87.0f), high = spread(88.0f);
  x = select(x < low, low, x);
  x = select(x > high, high, x);
  const Lanes shifted = x * 1.44269504088896341f + 12582912.0f;  // 1.5 · 2^23 rounds to the nearest whole number
  const Lanes n = shifted - 12582912.0f;
  Lanes r = x - n * 0.693145751953125f;  // ln 2 in two pieces, the first exact in few bits
  r = r - n * 1.42860682030941723212e-6f;
  Lanes p = spread(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const LanesI exponent = (__builtin_convertvector(n, LanesI) + 127) << 23;
  return p * reinterpret_cast<const Lanes&>(exponent);
}

inline Lanes square_root(Lanes x) {
  for (int l = 0; l < kLanes; ++l) x[l] = std::sqrt(x[l]);
  return x;
}

// log(1 + e^x), without overflow: the larger of x and 0, plus log(1 + u) with u = e^-|x| in (0, 1], which is
// 2 artanh(s) with s = u / (2 + u) <= 1/3 (the remainder of degree 15 is below 1e-7 of it).
inline Lanes softplus(Lanes x) {
  const Lanes u = exp(select(x > 0.0f, -x, x));
  const Lanes s = u / (2.0f + u), q = s * s;
  Lanes p = spread(1.0f / 13);
  for (float odd = 11; odd > 0; odd -= 2) p = p * q + 1.0f / odd;
  return relu(x) + 2.0f * s * p;
}

inline Lanes sigmoid(Lanes x) { return 1.0f / (1.0f + exp(-x)); }

// Near zero the quotient form would lose digits, so there an odd Taylor polynomial (degree 13) takes over.
inline Lanes tanh(Lanes x) {
  const Lanes q = x * x;
  Lanes p = spread(21844.0f / 6081075);
  p = p * q + -1382.0f / 155925;
  p = p * q + 62.0f / 2835;
  p = p * q + -17.0f / 315;
  p = p * q + 2.0f / 15;
  p = p * q + -1.0f / 3;
  const Lanes small = x + x * q * p;
  const Lanes large = 1.0f - 2.0f / (exp(x + x) + 1.0f);
  return select(q < 0.2f, small, large);
}

inline Lanes apply(Activation act, Lanes x) {
  switch (act) {
    case Activation::relu: return relu(x);
    case Activation::tanh: return tanh(x);
    case Activation::sigmoid: return sigmoid(x);
    default: return x;
  }
}

}  // namespace nd::cpu
