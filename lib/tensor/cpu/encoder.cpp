// A Transformer layer forwards only, some blocks at a time from end to end: all that lies between its input and its
// output stays in the nearest caches.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kRowsAtOnce = 20 * kTileRows;

// x = norm(x + y) ⊙ gamma + beta
void add_and_normalise(const float* y, const Mat& gamma, const Mat& beta, float* x) {
  const int64_t n = gamma.cols;
  Lanes total = 0.0f, square = 0.0f;
  for (int64_t c = 0; c < n; c += kLanes) {
    const Lanes v = load(x + c) + load(y + c);
    total = total + v;
    store(x + c, v);
  }
  const float mean = sum(total) / static_cast<float>(n);
  for (int64_t c = 0; c < n; c += kLanes) {
    const Lanes v = load(x + c) - mean;
    square = fma(v, v, square);
  }
  const float inverse = 1 / std::sqrt(sum(square) / static_cast<float>(n) + kEpsilon);
  for (int64_t c = 0; c < n; c += kLanes)
    store(x + c, fma((load(x + c) - mean) * inverse, load(gamma.data + c), load(beta.data + c)));
}

}  // namespace

void encoder_layer(const EncoderLayer& a, Mat x) {
  static thread_local std::vector<float> packed[4];
  const Right score_w = pack(a.score_w, packed[0]), value_w = pack(a.value_w, packed[1]),
              inner_w = pack(a.inner_w, packed[2]), outer_w = pack(a.outer_w, packed[3]);
  const int64_t T = a.tokens, n = x.cols, blocks = x.rows / T, at_once = std::max<int64_t>(1, kRowsAtOnce / T);
  parallel_ranges(blocks, at_once, [&](int64_t begin, int64_t end) {
    static thread_local std::vector<float> memory;
    const int64_t rows = (end - begin) * T, width = a.inner_w.cols;
    float* at = aligned(memory, rows * (3 * n + width) + T * (2 * whole_registers(T) + T));
    const auto take = [&](int64_t rows, int64_t cols) { return Mat{std::exchange(at, at + rows * cols), rows, cols}; };
    const Mat query = take(rows, n), value = take(rows, n), y = take(rows, n), inner = take(rows, width);
    const Mat scores = take(T, whole_registers(T)), weight = take(T, whole_registers(T)), p = take(T, T);
    const Mat mine{x.row(begin * T), rows, n};
    const KeptRows all({}, T, 0, T, bits(0));
    product(mine, score_w, a.score_b, false, query);
    product(mine, value_w, a.value_b, false, value);
    for (int64_t b = 0; b < rows; b += T) {
      for (int64_t i = 0; i < T; ++i)
        for (int64_t j = 0; j < T; ++j) scores.row(i)[j] = dot(query.row(b + i), mine.row(b + j), n);
      softmax_rows(scores, a.scale, all, 0, p, weight);
      product(weight, as_it_lies(rows_of(value, b, T)), {}, false, rows_of(y, b, T));
    }
    for (int64_t i = 0; i < rows; ++i) add_and_normalise(y.row(i), a.gamma1, a.beta1, mine.row(i));
    product(mine, inner_w, a.inner_b, false, inner);
    for (int64_t i = 0; i < inner.size(); i += kLanes) {
      const int64_t lanes = std::min(inner.size() - i, kLanes);
      const Lanes v = load(inner.data + i, lanes);
      store(inner.data + i, v * normal_below(v), lanes);
    }
    product(inner, outer_w, a.outer_b, false, y);
    for (int64_t i = 0; i < rows; ++i) add_and_normalise(y.row(i), a.gamma2, a.beta2, mine.row(i));
  });
}

}  // namespace nd::cpu
