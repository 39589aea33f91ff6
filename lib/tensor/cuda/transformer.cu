// Transformer layers (ops.inc): products by cuBLAS, attention inside blocks as everywhere, and what lies between two
// products in one pass over its numbers each: dropout, sum and norm; bias and gelu.
//
// At D-HAN's sizes (n = 64, f = 256) a row takes 2 (3 n² + 2 n f) = 90 thousand operations in products, and 24 n + 5 f
// floats, 11 KB, go through memory. On an H100 memory is the limit, 3.4 ns a row, where products in float32 take 1.4.
// Unproven.
#include "lib/tensor/cuda/block.h"
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/dropout.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/products.h"
#include "lib/tensor/cuda/reduce.h"
#include "lib/tensor/cuda/transformer.h"

namespace nd::cuda {
namespace {

using L = TransformerLayer;

void normalise(const Mat& x, const Mat& r, const Dropout& drop, const Norm& norm, Mat y) {
  const Norm a = norm;
  const Mat from = x, sums = r;
  const Kept kept(drop, x.cols);
  const int64_t n = x.cols;
  teams<kWarp>(x.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    float* const s = y.row(i);
    team.each(n, [&](int64_t c) {
      const float v = a.bias.empty() ? sums.row(i)[c] : sums.row(i)[c] + a.bias.data[c];
      s[c] = from.row(i)[c] + kept(i, c, v);
    });
    const float mean = team.sum(n, [&](int64_t c) { return s[c]; }) / static_cast<float>(n);
    const float square = team.sum(n, [&](int64_t c) { return (s[c] - mean) * (s[c] - mean); });
    const float inverse = 1 / sqrtf(square / static_cast<float>(n) + kEpsilon);
    team.each(n, [&](int64_t c) {
      const float u = (s[c] - mean) * inverse;
      if (!a.unit.empty()) a.unit.row(i)[c] = u;
      s[c] = fmaf(u, a.gamma.data[c], a.beta.data[c]);
    });
    if (!a.inverse.empty()) team.each(1, [&](int64_t) { a.inverse.row(i)[a.at] = inverse; });
  });
}

// Its way back from dy: dx, dr = dropout(dx), and dgamma, rows whose sum is gamma's gradient.
void normalise_backward(const Mat& dy, const Dropout& drop, const Norm& norm, Mat dx, Mat dr, Mat dgamma) {
  const Norm a = norm;
  const Mat from = dy;
  const Kept kept(drop, dy.cols);
  const int64_t n = dy.cols;
  teams<kWarp>(dy.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float *const d = from.row(i), *const u = a.unit.row(i), inverse = a.inverse.row(i)[a.at];
    const auto g = [&](int64_t c) { return d[c] * a.gamma.data[c]; };
    const float mean_g = team.sum(n, [&](int64_t c) { return g(c); }) / static_cast<float>(n);
    const float mean_gu = team.sum(n, [&](int64_t c) { return g(c) * u[c]; }) / static_cast<float>(n);
    team.each(n, [&](int64_t c) {
      const float v = (g(c) - mean_g - u[c] * mean_gu) * inverse;
      dgamma.row(i)[c] = d[c] * u[c];
      dr.row(i)[c] = kept(i, c, v);
      dx.row(i)[c] = v;
    });
  });
}

// x = x + bias, y = gelu of that; they may be the same.
void add_and_gelu(const Mat& bias, Mat x, Mat y) {
  each(x.size(), [=] ND_KERNEL(int64_t i) {
    const float v = x.data[i] + bias.data[i % x.cols];
    x.data[i] = v;
    y.data[i] = v * normal_below(v);
  });
}

}  // namespace

void rest(Call& call, const Rest& a, const Mat& x, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat inner,
          Mat active, Mat y) {
  const Mat sums = call.scratch(x.rows, x.cols), h = call.scratch(x.rows, x.cols);
  block_attention(a.attention, query, key, value, p, sums);
  normalise(x, sums, a.drop_attention, a.norm1, h);
  product(h, a.inner_w, false, inner);
  add_and_gelu(a.inner_b, inner, active);
  product(active, a.outer_w, false, sums);
  normalise(h, sums, a.drop_outer, a.norm2, y);
}

namespace {

Norm first_norm(const TransformerLayer& a, const TransformerKept& kept) {
  return {a.part[L::output_b], a.part[L::gamma1], a.part[L::beta1], kept.unit1, kept.inverse, 0};
}
Norm second_norm(const TransformerLayer& a, const TransformerKept& kept) {
  return {a.part[L::outer_b], a.part[L::gamma2], a.part[L::beta2], kept.unit2, kept.inverse, 1};
}

}  // namespace

void transformer_layer(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, Mat y) {
  Call call;
  const int64_t rows = x.rows, n = x.cols, f = a.part[L::inner_w].cols;
  const auto place = [&](const Mat& m, int64_t cols) { return m.empty() ? call.scratch(rows, cols) : m; };
  const Mat query = place(kept.query, n), key = place(kept.key, n), value = place(kept.value, n);
  const auto times = [&](L::Part w, const Mat& to) {
    gemm(x, nullptr, a.part[w], a.part[w + 1], Activation::none, false, to);
  };
  times(L::query_w, query);
  times(L::key_w, key);
  times(L::value_w, value);
  const Rest form{{a.tokens, 1, a.scale, a.drop_weights},
                  a.drop_attention,
                  a.drop_outer,
                  first_norm(a, kept),
                  second_norm(a, kept),
                  a.part[L::inner_w],
                  a.part[L::inner_b],
                  a.part[L::outer_w]};
  rest(call, form, x, query, key, value, place(kept.p, a.tokens), place(kept.inner, f), call.scratch(rows, f), y);
}

void transformer_layer_backward(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, const Mat& dy,
                                Into dx, const Into (&dpart)[TransformerLayer::kParts]) {
  Call call;
  const int64_t rows = x.rows, n = x.cols, f = a.part[L::inner_w].cols;
  const auto scratch = [&](int64_t cols) { return call.scratch(rows, cols); };
  const Norm norm1 = first_norm(a, kept), norm2 = second_norm(a, kept);

  // From the output to what goes into the inner layer.
  const Mat dh = scratch(n), dright = scratch(n), dgamma2 = scratch(n), dinner = scratch(f), active = scratch(f);
  normalise_backward(dy, a.drop_outer, norm2, dh, dright, dgamma2);
  gemm_nt(dright, a.part[L::outer_w], false, dinner);
  const Mat inner = kept.inner;
  each(inner.size(), [=] ND_KERNEL(int64_t i) {
    const float v = inner.data[i], below = normal_below(v), density = 0.39894228040143268f * expf(-0.5f * v * v);
    active.data[i] = v * below;
    dinner.data[i] *= fmaf(v, density, below);
  });
  gemm_nt(dinner, a.part[L::inner_w], true, dh);
  const Mat h = scratch(n);
  each(h.size(), [=] ND_KERNEL(int64_t i) {
    h.data[i] = fmaf(norm1.unit.data[i], norm1.gamma.data[i % n], norm1.beta.data[i % n]);
  });

  // From there to the input.
  const Mat ds = scratch(n), dleft = scratch(n), dgamma1 = scratch(n);
  normalise_backward(dh, a.drop_attention, norm1, ds, dleft, dgamma1);
  const Mat dquery = scratch(n), dkey = scratch(n), dvalue = scratch(n);
  block_attention_backward({a.tokens, 1, a.scale, a.drop_weights}, kept.query, kept.key, kept.value, kept.p, dleft,
                           {dquery}, {dkey}, {dvalue});
  if (!dx.mat.empty()) {
    each(ds.size(), [=] ND_KERNEL(int64_t i) { put(dx, i, ds.data[i]); });
    gemm_nt(dquery, a.part[L::query_w], true, dx.mat);
    gemm_nt(dkey, a.part[L::key_w], true, dx.mat);
    gemm_nt(dvalue, a.part[L::value_w], true, dx.mat);
  }

  // Of the parts, in their order: one matrix may be two of them.
  const auto of_weight = [&](L::Part w, const Mat& in, const Mat& d) {
    if (!dpart[w].mat.empty()) product_tn(in, d, dpart[w].add, dpart[w].mat);
  };
  const auto of_row = [&](L::Part row, const Mat& d) { sum_rows(call, d.data, rows, d.cols, dpart[row]); };
  of_weight(L::query_w, x, dquery);
  of_row(L::query_b, dquery);
  of_weight(L::key_w, x, dkey);
  of_row(L::key_b, dkey);
  of_weight(L::value_w, x, dvalue);
  of_row(L::value_b, dvalue);
  of_row(L::output_b, dleft);
  of_row(L::gamma1, dgamma1);
  of_row(L::beta1, dh);
  of_weight(L::inner_w, h, dinner);
  of_row(L::inner_b, dinner);
  of_weight(L::outer_w, active, dright);
  of_row(L::outer_b, dright);
  of_row(L::gamma2, dgamma2);
  of_row(L::beta2, dy);
}

}  // namespace nd::cuda
