// What kernels over blocks of tokens share: a thread's memory, dropout of rows, products.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lib/tensor/cpu/dropout.h"
#include "lib/tensor/cpu/math.h"
#include "lib/tensor/cpu/softmax.h"
#include "lib/tensor/cpu/tiles.h"
#include "lib/tensor/mat.h"

namespace nd::cpu {

constexpr float kEpsilon = 1e-5f;  // of the variance, in layer normalisation

// Memory of a thread for one call of f, kept for the next: a steady state allocates nothing. No function that asks
// for it calls another that does.
class Scratch {
 public:
  explicit Scratch(int64_t numbers) : memory_(memory()) {
    if (static_cast<int64_t>(memory_.size()) < numbers) memory_.resize(static_cast<size_t>(numbers));
  }
  Mat mat(int64_t rows, int64_t cols) {
    float* const at = memory_.data() + used_;
    used_ += rows * cols;
    return {at, rows, cols};
  }

 private:
  static std::vector<float>& memory() {
    static thread_local std::vector<float> kept;
    return kept;
  }
  std::vector<float>& memory_;
  int64_t used_ = 0;
};
// Memory of a thread for what dropouts keep.
inline std::vector<uint16_t>& bits(int which) {
  static thread_local std::vector<uint16_t> kept[3];
  return kept[which];
}

inline Mat rows_of(const Mat& x, int64_t first, int64_t count) { return {x.row(first), count, x.cols, x.device}; }
inline void clear(const Mat& x) { std::fill_n(x.data, x.size(), 0.0f); }

// to = dropout(from), rows first .. of the matrix that is dropped from; zeros where rows of `to` are longer.
inline void drop_rows(const KeptRows& kept, int64_t first, const Mat& from, const Mat& to) {
  for (int64_t r = 0; r < from.rows; ++r)
    for (int64_t c = 0; c < from.cols; c += kLanes)
      store(to.row(r) + c, kept(first + r, c, load(from.row(r) + c, std::min(from.cols - c, kLanes))),
            std::min(to.cols - c, kLanes));
}

// c = (add ? c : 0) + bias + a b, on the calling thread.
inline void product(const Mat& a, const Right& b, const Mat& bias, bool add, const Mat& c) {
  multiply_rows(a, nullptr, 0, a.rows, a.rows, b, 0, panels(b.cols), bias, add, c);
}
// dw += aᵀ dy, likewise.
inline void add_outer(const Mat& a, const Mat& dy, const Mat& dw) {
  for (int64_t l = 0; l < dy.rows; l += kChunk) {
    const int64_t end = std::min(dy.rows, l + kChunk);
    outer_products(a, nullptr, l, rows_of(dy, l, end - l), 0, dw.rows, true, dw, end, end);
  }
}

// out = Σ parts in order, parts(count, n) `stride` apart, added to what is there where asked for; nothing when it is
// not wanted.
inline void sum_parts(const float* parts, int64_t count, int64_t stride, const Into& out) {
  if (out.mat.empty()) return;
  for (int64_t j = 0; j < out.mat.size(); ++j) {
    float total = out.add ? out.mat.data[j] : 0.0f;
    for (int64_t p = 0; p < count; ++p) total += parts[p * stride + j];
    out.mat.data[j] = total;
  }
}

}  // namespace nd::cpu
