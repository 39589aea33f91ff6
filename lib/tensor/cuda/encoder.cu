// A Transformer layer forwards only (ops.inc), of the same parts as the one with a way back. Unproven.
#include "lib/tensor/cuda/transformer.h"

namespace nd::cuda {

void encoder_layer(const EncoderLayer& a, Mat x) {
  Call call;
  const Mat query = call.scratch(x.rows, x.cols), value = call.scratch(x.rows, x.cols);
  gemm(x, nullptr, a.score_w, a.score_b, Activation::none, false, query);
  gemm(x, nullptr, a.value_w, a.value_b, Activation::none, false, value);
  const Mat inner = call.scratch(x.rows, a.inner_w.cols);
  const Rest form{{a.tokens, 1, a.scale, {}},
                  {},
                  {},
                  {{}, a.gamma1, a.beta1, {}, {}},  // the values have the outputs' bias
                  {a.outer_b, a.gamma2, a.beta2, {}, {}},
                  a.inner_w,
                  a.inner_b,
                  a.outer_w};
  rest(call, form, x, query, x, value, call.scratch(x.rows, a.tokens), inner, inner, x);
}

}  // namespace nd::cuda
