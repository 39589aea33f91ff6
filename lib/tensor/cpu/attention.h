// What is done with one item or one set, shared by the attention of attention.cpp and neighbour_attention.cpp.
#pragma once

#include <cstdint>

#include "lib/tensor/cpu/simd.h"

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

}  // namespace nd::cpu
