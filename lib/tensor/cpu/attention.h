// What is done with one item or one set, shared by the attention of attention.cpp and neighbour_attention.cpp.
#pragma once

#include <algorithm>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/index.h"

namespace nd::cpu {

// Words of a mask that hold one bit for each of n columns.
inline int64_t mask_words(int64_t cols) { return (cols + kLanes - 1) / kLanes; }

// relu(Σ_j rows_j) · w, and one bit for each unit that is positive.
template <int N>
inline float relu_dot_row(const float* const (&rows)[N], const float* w, int64_t cols, uint16_t* bits) {
  Lanes score = 0.0f;
  int64_t c = 0;
  for (; c + kLanes <= cols; c += kLanes) {
    Lanes x = load(rows[0] + c);
    for (int j = 1; j < N; ++j) x = x + load(rows[j] + c);
    *bits++ = positive(x);
    score = fma(relu(x), load(w + c), score);
  }
  if (c < cols) {
    Lanes x = load(rows[0] + c, cols - c);
    for (int j = 1; j < N; ++j) x = x + load(rows[j] + c, cols - c);
    *bits = positive(x);
    score = fma(relu(x), load(w + c, cols - c), score);
  }
  return sum(score);
}

// p[0 .. n) = softmax of s[0 .. n), n > 0; they may be the same.
inline void softmax(const float* s, int64_t n, float* p) {
  float most = s[0], total = 0;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, s[i]);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    store(p + i, exp(load(s + i, lanes) - most), lanes);
  }
  for (int64_t i = 0; i < n; ++i) total += p[i];
  for (int64_t i = 0; i < n; ++i) p[i] /= total;
}

// ds = (add ? ds : 0) + p ⊙ (dp − p · dp); ds may be dp when add is false.
inline void softmax_backward(const float* p, const float* dp, int64_t n, bool add, float* ds) {
  float mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += p[i] * dp[i];
  for (int64_t i = 0; i < n; ++i) {
    const float g = p[i] * (dp[i] - mean);
    ds[i] = add ? ds[i] + g : g;
  }
}

}  // namespace nd::cpu
