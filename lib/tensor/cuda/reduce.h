// Sums in a fixed order, without atomics: of the rows of a matrix, and of runs of items.
#pragma once

#include <algorithm>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

// out[c] = (add ? out[c] : 0) + Σ_r x[r * stride + c] for c < cols.
void sum_rows(Call& call, const float* x, int64_t rows, int64_t stride, int64_t cols, bool add, float* out);
// The same for what somebody may want.
inline void sum_rows(Call& call, const float* x, int64_t rows, int64_t stride, const Into& out) {
  if (!out.mat.empty()) sum_rows(call, x, rows, stride, out.mat.size(), out.add, out.mat.data);
}

// A run is cut into pieces of nearly equal size, and as many for every run, so that a few long runs keep all of the GPU
// busy; pieces are added up in order afterwards. How many depends on shapes alone.
constexpr int64_t pieces_of(int64_t items, int64_t rows) {
  constexpr int64_t kItems = 64, kMost = 64;
  const int64_t pieces = rows > 0 ? items / (rows * kItems) : 0;
  return pieces < 1 ? 1 : pieces > kMost ? kMost : pieces;
}
constexpr int64_t piece_begin(int64_t begin, int64_t end, int64_t piece, int64_t pieces) {
  return begin + (end - begin) * piece / pieces;
}

// out(r, c) = (add ? out(r, c) : 0) + Σ f(item, c) over the items of row r of an index on the device.
template <class F>
void sum_runs(Call& call, const Index& index, bool add, Mat out, const F& f) {
  const int64_t pieces = pieces_of(index.items, index.rows), cols = out.cols;
  const bool whole = pieces == 1;
  float* const parts = whole ? out.data : call.scratch(index.rows * pieces * cols);
  teams<kWarp>(index.rows * pieces, 0, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const int64_t r = at / pieces, piece = at % pieces, first = index.begin(r), last = index.end(r);
    const int64_t begin = piece_begin(first, last, piece, pieces), end = piece_begin(first, last, piece + 1, pieces);
    team.each(cols, [&](int64_t c) {
      float sum = whole && add ? parts[at * cols + c] : 0.0f;
      for (int64_t p = begin; p < end; ++p) sum += f(index.item_at(p), c);
      parts[at * cols + c] = sum;
    });
  });
  if (whole) return;
  float* const to = out.data;
  each(index.rows * cols, [=] ND_KERNEL(int64_t i) {
    const int64_t r = i / cols, c = i % cols;
    float sum = add ? to[i] : 0.0f;
    for (int64_t piece = 0; piece < pieces; ++piece) sum += parts[(r * pieces + piece) * cols + c];
    to[i] = sum;
  });
}

}  // namespace nd::cuda
