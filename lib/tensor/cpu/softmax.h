// The softmax of a few numbers and its gradient, as all attentions have it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/cpu/simd.h"

namespace nd::cpu {

// p[0 .. n) = softmax of scale s[0 .. n), n and scale above 0; they may be the same. Returns log Σ e^(scale s).
inline float softmax(const float* s, int64_t n, float scale, float* p) {
  Lanes highest = s[0];
  for (int64_t i = 0; i < n; i += kLanes) highest = larger(highest, load(s + i, std::min(n - i, kLanes), highest));
  const float most = largest(highest);
  Lanes total = 0.0f;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    const Lanes e = keep(exp((load(s + i, lanes) - most) * scale), lanes);
    total = total + e;
    store(p + i, e, lanes);
  }
  const float all = sum(total);
  const Lanes inverse = 1.0f / all;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    store(p + i, load(p + i, lanes) * inverse, lanes);
  }
  return most * scale + std::log(all);
}

// ds = (add ? ds : 0) + scale p ⊙ (dp − p · dp), the gradient before that softmax; ds may be dp when add is false.
inline void softmax_backward(const float* p, const float* dp, int64_t n, float scale, bool add, float* ds) {
  const float mean = dot(p, dp, n);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    Lanes g = load(p + i, lanes) * (load(dp + i, lanes) - mean) * scale;
    if (add) g = g + load(ds + i, lanes);
    store(ds + i, g, lanes);
  }
}

}  // namespace nd::cpu
