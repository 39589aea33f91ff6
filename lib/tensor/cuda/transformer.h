// What the two forms of a Transformer layer share (transformer.cu, encoder.cu): all that follows queries, keys and
// values.
#pragma once

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {

// y = norm(x + dropout(r + bias)) ⊙ gamma + beta; bias may be empty. `unit` gets the rows before gamma and beta, column
// `at` of `inverse` 1 / deviation, where they are not empty.
struct Norm {
  Mat bias, gamma, beta, unit, inverse;
  int64_t at = 0;
};
// What follows the queries, keys and values of all rows: attention, and the layers behind it. x may be y.
struct Rest {
  BlockAttention attention;
  Dropout drop_attention, drop_outer;
  Norm norm1, norm2;
  Mat inner_w, inner_b, outer_w;
};
void rest(Call& call, const Rest& a, const Mat& x, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat inner,
          Mat active, Mat y);

}  // namespace nd::cuda
