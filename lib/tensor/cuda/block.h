// What kernels over blocks of tokens share: softmax forwards and backwards, a team's memory.
#pragma once

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

constexpr float kEpsilon = 1e-5f;  // of the variance, in layer normalisation

// x = softmax(scale x), by one lane; log Σ e^(scale x) is the result.
ND_KERNEL inline float softmax(float* x, int64_t n, float scale) {
  float most = x[0], total = 0;
  for (int64_t i = 1; i < n; ++i) most = fmaxf(most, x[i]);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = expf((x[i] - most) * scale);
    total += x[i];
  }
  for (int64_t i = 0; i < n; ++i) x[i] /= total;
  return most * scale + logf(total);
}

// dp = scale p ⊙ (dp − Σ p dp), by one lane
ND_KERNEL inline void softmax_backward(const float* p, float* dp, int64_t n, float scale) {
  const float mean = dot(p, dp, n);
  for (int64_t i = 0; i < n; ++i) dp[i] = p[i] * (dp[i] - mean) * scale;
}

// A team's memory for one item: shared memory where there is enough, else the item's part of `instead`.
template <int kSize>
struct Room {
  int64_t floats, shared;
  float* instead;

  Room(Call& call, int64_t floats, int64_t items)
      : floats(floats),
        shared(fits<kSize>(floats) ? floats : 0),
        instead(shared > 0 ? nullptr : call.scratch(floats * items)) {}
  ND_KERNEL float* of(const Team<kSize>& team, int64_t item) const {
    return instead ? instead + item * floats : team.memory;
  }
};

}  // namespace nd::cuda
