// Functions of one number, as lib/tensor/cpu/math.h has them for sixteen, with CUDA's own exp, tanh and erf.
#pragma once

#include <cmath>

#include "lib/tensor/cuda/team.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {

// What is not a number stays that, so that it shows in the loss.
ND_KERNEL inline float relu(float x) { return x < 0 ? 0.0f : x; }
ND_KERNEL inline float sigmoid(float x) {
  const float e = expf(-fabsf(x));
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}
// log(1 + e^x), without overflow.
ND_KERNEL inline float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }
ND_KERNEL inline float normal_below(float x) { return 0.5f * erff(x * 0.70710678118654752f) + 0.5f; }

ND_KERNEL inline float apply(Activation act, float x) {
  switch (act) {
    case Activation::relu:
      return relu(x);
    case Activation::tanh:
      return tanhf(x);
    case Activation::sigmoid:
      return sigmoid(x);
    default:
      return x;
  }
}
// The slope where the activation's result is y.
ND_KERNEL inline float slope(Activation act, float y) {
  switch (act) {
    case Activation::relu:
      return y > 0 ? 1.0f : 0.0f;
    case Activation::tanh:
      return 1.0f - y * y;
    case Activation::sigmoid:
      return y * (1.0f - y);
    default:
      return 1.0f;
  }
}

// A number of a gradient that somebody may want.
ND_KERNEL inline void put(const Into& to, int64_t at, float value) {
  if (!to.mat.empty()) to.mat.data[at] = to.add ? to.mat.data[at] + value : value;
}

ND_KERNEL inline float sum_of(const float* x, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

// Σ x_i y_i over n numbers, in order.
ND_KERNEL inline float dot(const float* x, const float* y, int64_t n) {
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum = fmaf(x[i], y[i], sum);
  return sum;
}

}  // namespace nd::cuda
