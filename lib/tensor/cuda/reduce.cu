#include "lib/tensor/cuda/reduce.h"

namespace nd::cuda {

RowSums fewer_rows(Call& call, const float* from, int64_t count, int64_t from_stride, int64_t cols) {
  const float* x = from;
  int64_t rows = count, stride = from_stride;
  while (rows > kPart) {  // each part by one lane a column
    const int64_t parts = (rows + kPart - 1) / kPart;
    float* const sums = call.scratch(parts * cols);
    each(parts * cols, [=] ND_KERNEL(int64_t i) {
      const int64_t part = i / cols, c = i % cols, end = part * kPart + kPart < rows ? part * kPart + kPart : rows;
      float sum = 0;
      for (int64_t r = part * kPart; r < end; ++r) sum += x[r * stride + c];
      sums[i] = sum;
    });
    x = sums;
    rows = parts;
    stride = cols;
  }
  return {x, rows, stride};
}

void sum_rows(Call& call, const float* x, int64_t rows, int64_t stride, int64_t cols, bool add, float* out) {
  const RowSums sums = fewer_rows(call, x, rows, stride, cols);
  each(cols, [=] ND_KERNEL(int64_t c) {
    float sum = add ? out[c] : 0.0f;
    for (int64_t r = 0; r < sums.rows; ++r) sum += sums.x[r * sums.stride + c];
    out[c] = sum;
  });
}

}  // namespace nd::cuda
