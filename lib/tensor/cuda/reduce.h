// Sums of the rows of a matrix in a fixed order, without atomics. (Those of runs of items: runs.h.)
#pragma once

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

// Sums of parts of rows, in place of rows: `rows` of them, at most kPart, of `cols` numbers each.
struct RowSums {
  const float* x;
  int64_t rows, stride;
};
constexpr int64_t kPart = 32;
RowSums fewer_rows(Call& call, const float* x, int64_t rows, int64_t stride, int64_t cols);

// out[c] = (add ? out[c] : 0) + Σ_r x[r * stride + c] for c < cols.
void sum_rows(Call& call, const float* x, int64_t rows, int64_t stride, int64_t cols, bool add, float* out);
// The same for what somebody may want.
inline void sum_rows(Call& call, const float* x, int64_t rows, int64_t stride, const Into& out) {
  if (!out.mat.empty()) sum_rows(call, x, rows, stride, out.mat.size(), out.add, out.mat.data);
}

}  // namespace nd::cuda
