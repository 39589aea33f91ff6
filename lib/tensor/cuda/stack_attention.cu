// D-HAN's sentence and element blocks: attention over stacks of tokens, normalised and pooled (see ops.h).
//
// A block of 22 tokens is worked on by one team from scores to pooled vector, with everything in between in shared
// memory where it fits; the tokens of a stack are shared by many blocks, so they stay in the caches. Gradients of
// tokens are written a block and added up by stack afterwards, in the order of the index.
//
// Scores are dots of rows, which lanes read side by side: those rows lie an odd number of floats apart, so that no two
// lanes meet in a bank of shared memory. A block of T = 22 tokens of n = 64 numbers takes 2 T² n + 5 T n = 69 thousand
// multiply-adds forwards and two and a half times as many backwards; it reads 16 T n bytes, 22 KB, mostly from the L2
// cache, and writes T (T + 2) floats. Shared memory is read twice a multiply-add: on an H100 that is the limit, about
// eight times that of its arithmetic, 19 ns a block. Unproven.
#include "lib/tensor/cuda/block.h"
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/dropout.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/reduce.h"
#include "lib/tensor/cuda/runs.h"

namespace nd::cuda {
namespace {

// Where the tokens of a block lie; on the device.
struct Side {
  int64_t height;
  bool joins;
  Tokens stack, joined, extra[2];
  Index of, joined_of, extra_of[2];

  Side(Call& call, const StackAttention& a)
      : height(a.height), joins(a.joins()), stack(a.stack), joined(a.joined), of(call.in(a.of)) {
    if (joins) joined_of = call.in(a.joined_of);
    for (int j = 0; j < a.extras; ++j) {
      extra[j] = a.extra[j];
      extra_of[j] = call.in(a.extra_of[j]);
    }
  }
  // Number c of a token's x, query, key or value.
  ND_KERNEL float operator()(Mat Tokens::*part, int64_t block, int64_t t, int64_t c) const {
    if (t == height) return (extra[0].*part).row(extra_of[0].row_of(block))[c];
    if (t > height) return (extra[1].*part).row(extra_of[1].row_of(block))[c];
    const float own = (stack.*part).row(of.row_of(block) * height + t)[c];
    return joins ? own + (joined.*part).row(joined_of.row_of(block) * height + t)[c] : own;
  }
  // A part of all tokens of a block, in rows `apart` floats apart.
  ND_KERNEL void copy(const Block& team, Mat Tokens::*part, int64_t block, int64_t tokens, int64_t apart,
                      float* to) const {
    const int64_t n = stack.x.cols;
    team.each(tokens * n, [&](int64_t k) { to[k / n * apart + k % n] = (*this)(part, block, k / n, k % n); });
  }
};

}  // namespace

void stack_attention(const StackAttention& a, Mat p, Mat stat, Mat z) {
  Call call;
  const Side side(call, a);
  const int64_t T = a.tokens(), n = a.gamma.cols;
  const int64_t apart = n | 1;
  const Room<kBlock> room(call, T * T + 3 * T * apart, a.of.items);
  const Kept kept_weights(a.drop_weights, T), kept(a.drop_output, n);
  const float scale = a.scale;
  const Mat bias = a.bias, gamma = a.gamma, beta = a.beta, pool = a.pool, pool_bias = a.pool_bias;
  teams<kBlock>(a.of.items, room.shared, [=] ND_KERNEL(const Block& team, int64_t b) {
    float *const weight = room.of(team, b), *const query = weight + T * T, *const key = query + T * apart,
                 *const value = key + T * apart, *const s = query;  // queries are done with when s is made
    side.copy(team, &Tokens::query, b, T, apart, query);
    side.copy(team, &Tokens::key, b, T, apart, key);
    side.copy(team, &Tokens::value, b, T, n, value);
    team.each(T * T, [&](int64_t k) { weight[k] = dot(query + k / T * apart, key + k % T * apart, n); });
    team.each(T, [&](int64_t t) { softmax(weight + t * T, T, scale); });
    team.each(T * T, [&](int64_t k) {
      p.row(b * T)[k] = weight[k];
      weight[k] = kept_weights(b * T + k / T, k % T, weight[k]);
    });
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      float y = bias.data[c];
      for (int64_t j = 0; j < T; ++j) y = fmaf(weight[t * T + j], value[j * n + c], y);
      s[t * apart + c] = side(&Tokens::x, b, t, c) + kept(b * T + t, c, y);
    });
    team.each(T, [&](int64_t t) {
      const float* const row = s + t * apart;
      const float mean = sum_of(row, n) / static_cast<float>(n);
      float square = 0;
      for (int64_t c = 0; c < n; ++c) square = fmaf(row[c] - mean, row[c] - mean, square);
      stat.row(b * T + t)[0] = mean;
      stat.row(b * T + t)[1] = 1 / sqrtf(square / static_cast<float>(n) + kEpsilon);
    });
    team.each(n, [&](int64_t c) {
      float sum = 0, pool_sum = 0;
      for (int64_t t = 0; t < T; ++t) {
        const float* const of_row = stat.row(b * T + t);
        sum = fmaf(pool.data[t], (s[t * apart + c] - of_row[0]) * of_row[1], sum);
        pool_sum += pool.data[t];
      }
      z.row(b)[c] = fmaf(gamma.data[c], sum, fmaf(pool_sum, beta.data[c], pool_bias.data[0]));
    });
  });
}

void stack_attention_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                              const StackAttentionInto& out) {
  Call call;
  const Side side(call, a);
  const int64_t T = a.tokens(), n = a.gamma.cols, blocks = a.of.items, height = a.height;
  const int64_t apart = n | 1;
  const Room<kBlock> room(call, 2 * T * T + 3 * T * apart + T, blocks);
  const Kept kept_weights(a.drop_weights, T), kept(a.drop_output, n);
  const float scale = a.scale;
  const Mat bias = a.bias, gamma = a.gamma, beta = a.beta, pool = a.pool;
  // Of each block: gradients of its tokens, and its shares of bias, gamma, beta, pool and pool_bias.
  const int64_t numbers = 3 * n + T + 1;
  float* const shares = call.scratch(blocks * numbers);
  const Mat dx = call.scratch(blocks * T, n), dquery = call.scratch(blocks * T, n), dkey = call.scratch(blocks * T, n),
            dvalue = call.scratch(blocks * T, n);
  teams<kBlock>(blocks, room.shared, [=] ND_KERNEL(const Block& team, int64_t b) {
    float *const weight = room.of(team, b), *const ds = weight + T * T, *const unit = ds + T * T,
                 *const dy = unit + T * apart, *const value = dy + T * apart, *const mean_gu = value + T * apart;
    const float *const pb = p.row(b * T), *const d = dz.row(b);
    float *const sum_bias = shares + b * numbers, *const sum_gamma = sum_bias + n, *const sum_beta = sum_gamma + n,
                 *const sum_pool = sum_beta + n, *const sum_pool_bias = sum_pool + T;
    // Forwards once more, up to what is pooled.
    side.copy(team, &Tokens::value, b, T, apart, value);
    team.each(T * T, [&](int64_t k) { weight[k] = kept_weights(b * T + k / T, k % T, pb[k]); });
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      float y = bias.data[c];
      for (int64_t j = 0; j < T; ++j) y = fmaf(weight[t * T + j], value[j * apart + c], y);
      const float* const of_row = stat.row(b * T + t);
      unit[t * apart + c] = (side(&Tokens::x, b, t, c) + kept(b * T + t, c, y) - of_row[0]) * of_row[1];
    });
    // The gradient of O_t is pool[t] dz, so that of the normalised rows is one vector, dz ⊙ gamma, for all of them.
    const float mean_g = team.sum(n, [&](int64_t c) { return d[c] * gamma.data[c]; }) / static_cast<float>(n);
    const float d_beta = team.sum(n, [&](int64_t c) { return d[c] * beta.data[c]; });
    const float pool_sum = team.sum(T, [&](int64_t t) { return pool.data[t]; });
    const float d_sum = team.sum(n, [&](int64_t c) { return d[c]; });
    team.each(T, [&](int64_t t) {
      float d_unit = 0;
      for (int64_t c = 0; c < n; ++c) d_unit = fmaf(unit[t * apart + c], d[c] * gamma.data[c], d_unit);
      mean_gu[t] = d_unit / static_cast<float>(n);
      sum_pool[t] = d_unit + d_beta;
    });
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      const float slope = pool.data[t] * stat.row(b * T + t)[1];
      const float v = (d[c] * gamma.data[c] - mean_g - unit[t * apart + c] * mean_gu[t]) * slope;
      dx.row(b * T)[k] = v;
      dy[t * apart + c] = kept(b * T + t, c, v);
    });
    team.each(n, [&](int64_t c) {
      float of_bias = 0, pooled = 0;
      for (int64_t t = 0; t < T; ++t) {
        of_bias += dy[t * apart + c];
        pooled = fmaf(pool.data[t], unit[t * apart + c], pooled);
      }
      sum_bias[c] = of_bias;
      sum_gamma[c] = d[c] * pooled;
      sum_beta[c] = pool_sum * d[c];
    });
    team.each(1, [&](int64_t) { sum_pool_bias[0] = d_sum; });
    team.each(T * T, [&](int64_t k) {
      ds[k] = kept_weights(b * T + k / T, k % T, dot(dy + k / T * apart, value + k % T * apart, n));
    });
    team.each(T, [&](int64_t t) { softmax_backward(pb + t * T, ds + t * T, T, scale); });
    float *const query = unit, *const key = value;  // in the place of what is done with
    side.copy(team, &Tokens::query, b, T, apart, query);
    side.copy(team, &Tokens::key, b, T, apart, key);
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      float of_query = 0, of_key = 0, of_value = 0;
      for (int64_t j = 0; j < T; ++j) {
        of_query = fmaf(ds[t * T + j], key[j * apart + c], of_query);
        of_key = fmaf(ds[j * T + t], query[j * apart + c], of_key);
        of_value = fmaf(weight[j * T + t], dy[j * apart + c], of_value);
      }
      dquery.row(b * T)[k] = of_query;
      dkey.row(b * T)[k] = of_key;
      dvalue.row(b * T)[k] = of_value;
    });
  });

  const auto by_stack = [&](const Index& index, const TokensInto& to) {
    const auto sum = [&](const Mat& of_block, const Into& into) {
      const Mat from = of_block;
      sum_runs(call, index, into.add, {into.mat.data, index.rows, height * n, Device::cuda},
               [=] ND_KERNEL(int64_t b, int64_t k) { return from.row(b * T)[k]; });
    };
    sum(dx, to.x);
    sum(dquery, to.query);
    sum(dkey, to.key);
    sum(dvalue, to.value);
  };
  by_stack(side.of, out.stack);
  if (a.joins()) by_stack(side.joined_of, out.joined);
  for (int j = 0; j < a.extras; ++j) {
    const auto of_extra = [&](const Mat& by_block, const Mat& to) {
      const Mat from = by_block, into = to;
      each(blocks * n, [=] ND_KERNEL(int64_t at) { into.data[at] = from.row(at / n * T + height + j)[at % n]; });
    };
    of_extra(dx, out.extra[j].x);
    of_extra(dquery, out.extra[j].query);
    of_extra(dkey, out.extra[j].key);
    of_extra(dvalue, out.extra[j].value);
  }
  sum_rows(call, shares, blocks, numbers, out.bias);
  sum_rows(call, shares + n, blocks, numbers, out.gamma);
  sum_rows(call, shares + 2 * n, blocks, numbers, out.beta);
  sum_rows(call, shares + 3 * n, blocks, numbers, out.pool);
  sum_rows(call, shares + 3 * n + T, blocks, numbers, out.pool_bias);
}

}  // namespace nd::cuda
