// Blocks of tokens that look at each other: attention inside a block, D-HAN's pooled attention over stacks, layer
// normalisation, weighted and shifted tokens, LSTM.
//
// D-HAN's block of 22 tokens is worked on by one team from scores to pooled vector, with everything in between in
// shared memory where it fits; the tokens of a stack are shared by many blocks, so they stay in the caches. Gradients
// of tokens are written a block and added up by stack afterwards, in the order of the index.
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

namespace nd::cuda {
// --- Layer normalisation ---

void layer_norm(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& beta, Mat stat, Mat y) {
  const Kept kept(drop, x.cols);
  const int64_t n = x.cols;
  teams<kWarp>(x.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    float* const s = y.row(i);
    team.each(n, [&](int64_t c) { s[c] = r.empty() ? x.row(i)[c] : x.row(i)[c] + kept(i, c, r.row(i)[c]); });
    const float mean = team.sum(n, [&](int64_t c) { return s[c]; }) / static_cast<float>(n);
    const float square = team.sum(n, [&](int64_t c) { return (s[c] - mean) * (s[c] - mean); });
    const float inverse = 1 / sqrtf(square / static_cast<float>(n) + kEpsilon);
    team.each(n, [&](int64_t c) { s[c] = fmaf((s[c] - mean) * inverse, gamma.data[c], beta.data[c]); });
    team.each(1, [&](int64_t) {
      stat.row(i)[0] = mean;
      stat.row(i)[1] = inverse;
    });
  });
}

void layer_norm_backward(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& stat,
                         const Mat& dy, Into dx, Into dr, Into dgamma, Into dbeta) {
  Call call;
  const Kept kept(drop, x.cols);
  const int64_t n = x.cols;
  const Mat unit = call.scratch(x.rows, n);
  teams<kWarp>(x.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float mean = stat.row(i)[0], inverse = stat.row(i)[1];
    float* const u = unit.row(i);
    const float* const d = dy.row(i);
    team.each(n, [&](int64_t c) {
      const float s = r.empty() ? x.row(i)[c] : x.row(i)[c] + kept(i, c, r.row(i)[c]);
      u[c] = (s - mean) * inverse;
    });
    const float mean_g = team.sum(n, [&](int64_t c) { return d[c] * gamma.data[c]; }) / static_cast<float>(n);
    const float mean_gu = team.sum(n, [&](int64_t c) { return d[c] * gamma.data[c] * u[c]; }) / static_cast<float>(n);
    team.each(n, [&](int64_t c) {
      const float ds = (d[c] * gamma.data[c] - mean_g - u[c] * mean_gu) * inverse;
      put(dx, i * n + c, ds);
      if (!r.empty()) put(dr, i * n + c, kept(i, c, ds));
      u[c] *= d[c];
    });
  });
  sum_rows(call, unit.data, x.rows, n, dgamma);
  sum_rows(call, dy.data, x.rows, n, dbeta);
}

// --- Attention inside blocks ---

void block_attention(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat y) {
  Call call;
  const Kept kept(a.drop, a.tokens);
  const int64_t T = a.tokens, heads = a.heads, width = query.cols / heads, apart = width | 1;
  const int64_t items = query.rows / T * heads;
  const Room<kWarp> room(call, T * T + 2 * T * apart, items);
  const float scale = a.scale;
  teams<kWarp>(items, room.shared, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const int64_t row = at / heads * T, c0 = at % heads * width, first = at * T;
    float *const weight = room.of(team, at), *const q = weight + T * T, *const k = q + T * apart;
    team.each(T * width, [&](int64_t i) {
      const int64_t t = i / width, c = i % width;
      q[t * apart + c] = query.row(row + t)[c0 + c];
      k[t * apart + c] = key.row(row + t)[c0 + c];
    });
    team.each(T * T, [&](int64_t i) { weight[i] = dot(q + i / T * apart, k + i % T * apart, width); });
    team.each(T, [&](int64_t i) { softmax(weight + i * T, T, scale); });
    team.each(T * T, [&](int64_t i) {
      p.row(first)[i] = weight[i];
      weight[i] = kept(first + i / T, i % T, weight[i]);
    });
    team.each(T * width, [&](int64_t at_number) {
      const int64_t i = at_number / width, c = c0 + at_number % width;
      float sum = 0;
      for (int64_t j = 0; j < T; ++j) sum = fmaf(weight[i * T + j], value.row(row + j)[c], sum);
      y.row(row + i)[c] = sum;
    });
  });
}

void block_attention_backward(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, const Mat& p,
                              const Mat& dy, Into dquery, Into dkey, Into dvalue) {
  Call call;
  const Kept kept(a.drop, a.tokens);
  const int64_t T = a.tokens, heads = a.heads, n = query.cols, width = n / heads, apart = width | 1;
  const int64_t items = query.rows / T * heads;
  const Room<kWarp> room(call, 2 * T * T + 2 * T * apart, items);
  const float scale = a.scale;
  teams<kWarp>(items, room.shared, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const int64_t row = at / heads * T, c0 = at % heads * width, first = at * T;
    float *const weight = room.of(team, at), *const ds = weight + T * T, *const d = ds + T * T,
                 *const v = d + T * apart;
    team.each(T * width, [&](int64_t i) {
      const int64_t t = i / width, c = i % width;
      d[t * apart + c] = dy.row(row + t)[c0 + c];
      v[t * apart + c] = value.row(row + t)[c0 + c];
    });
    team.each(T * T, [&](int64_t k) {
      const int64_t i = k / T, j = k % T;
      weight[k] = kept(first + i, j, p.row(first)[k]);
      ds[k] = kept(first + i, j, dot(d + i * apart, v + j * apart, width));
    });
    team.each(T, [&](int64_t i) { softmax_backward(p.row(first + i), ds + i * T, T, scale); });
    // The three may be one matrix, so each has a phase of its own.
    team.each(T * width, [&](int64_t k) {
      const int64_t i = k / width, c = c0 + k % width;
      float sum = 0;
      for (int64_t j = 0; j < T; ++j) sum = fmaf(ds[i * T + j], key.row(row + j)[c], sum);
      put(dquery, (row + i) * n + c, sum);
    });
    team.each(T * width, [&](int64_t k) {
      const int64_t j = k / width, c = c0 + k % width;
      float sum = 0;
      for (int64_t i = 0; i < T; ++i) sum = fmaf(ds[i * T + j], query.row(row + i)[c], sum);
      put(dkey, (row + j) * n + c, sum);
    });
    team.each(T * width, [&](int64_t k) {
      const int64_t j = k / width, c = k % width;
      float sum = 0;
      for (int64_t i = 0; i < T; ++i) sum = fmaf(weight[i * T + j], d[i * apart + c], sum);
      put(dvalue, (row + j) * n + c0 + c, sum);
    });
  });
}

// --- Attention over stacks, pooled ---

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

  const Index of = side.of;
  const auto of_stacks = [&](const Mat& by_block, const Into& to) {
    const Mat from = by_block;
    const Into into = to;
    each(to.mat.size(), [=] ND_KERNEL(int64_t at) {
      const int64_t token = at / n, s = token / height, t = token % height, c = at % n;
      float sum = into.add ? into.mat.data[at] : 0.0f;
      for (int64_t i = of.begin(s); i < of.end(s); ++i) sum += from.row(of.item_at(i) * T + t)[c];
      into.mat.data[at] = sum;
    });
  };
  of_stacks(dx, out.stack.x);
  of_stacks(dquery, out.stack.query);
  of_stacks(dkey, out.stack.key);
  of_stacks(dvalue, out.stack.value);
  if (a.joins()) {
    const auto of_joined = [&](const Mat& by_block, const Mat& to) {
      const Mat from = by_block, into = to;
      each(into.size(),
           [=] ND_KERNEL(int64_t at) { into.data[at] = from.row(at / n / height * T + at / n % height)[at % n]; });
    };
    of_joined(dx, out.joined.x);
    of_joined(dquery, out.joined.query);
    of_joined(dkey, out.joined.key);
    of_joined(dvalue, out.joined.value);
  }
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

// --- Weighted and shifted tokens ---

void mix_tokens(const Mat& x, const Mat& w, const Mat& bias, Mat y) {
  const int64_t T = w.rows, outputs = w.cols, n = x.cols;
  each(y.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t row = at / n, c = at % n, b = row / outputs, j = row % outputs;
    float sum = bias.data[j];
    for (int64_t t = 0; t < T; ++t) sum = fmaf(w.row(t)[j], x.row(b * T + t)[c], sum);
    y.data[at] = sum;
  });
}

void mix_tokens_backward(const Mat& x, const Mat& w, const Mat& dy, Into dx, Into dw, Into dbias) {
  Call call;
  const int64_t T = w.rows, outputs = w.cols, n = x.cols, blocks = x.rows / T, numbers = w.size() + outputs;
  float* const shares = call.scratch(blocks * numbers);
  teams<kWarp>(blocks, 0, [=] ND_KERNEL(const Warp& team, int64_t b) {
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      float sum = 0;
      for (int64_t j = 0; j < outputs; ++j) sum = fmaf(w.row(t)[j], dy.row(b * outputs + j)[c], sum);
      put(dx, (b * T + t) * n + c, sum);
    });
    float* const share = shares + b * numbers;
    team.each(T * outputs,
              [&](int64_t k) { share[k] = dot(x.row(b * T + k / outputs), dy.row(b * outputs + k % outputs), n); });
    team.each(outputs, [&](int64_t j) { share[T * outputs + j] = sum_of(dy.row(b * outputs + j), n); });
  });
  sum_rows(call, shares, blocks, numbers, dw);
  sum_rows(call, shares + w.size(), blocks, numbers, dbias);
}

void shift_tokens(int64_t tokens, int64_t by, const Mat& x, bool add, Mat y) {
  each(x.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t i = at / x.cols, from = i % tokens - by;
    const float v = from >= 0 && from < tokens ? x.row(i - by)[at % x.cols] : 0.0f;
    y.data[at] = add ? y.data[at] + v : v;
  });
}

// --- LSTM ---

void lstm(int64_t tokens, bool reverse, const Mat& a, const Mat& u, Mat gates, Mat cell, Mat h) {
  const int64_t n = h.cols;
  teams<kBlock>(h.rows / tokens, 0, [=] ND_KERNEL(const Block& team, int64_t b) {
    for (int64_t step = 0; step < tokens; ++step) {
      const int64_t row = b * tokens + (reverse ? tokens - 1 - step : step), before = row + (reverse ? 1 : -1);
      float* const now = gates.row(row);
      team.each(4 * n, [&](int64_t k) {
        float sum = a.row(row)[k];
        for (int64_t c = 0; step > 0 && c < n; ++c) sum = fmaf(h.row(before)[c], u.row(c)[k], sum);
        now[k] = k / n == 2 ? tanhf(sum) : sigmoid(sum);
      });
      team.each(n, [&](int64_t c) {
        const float held = step > 0 ? cell.row(before)[c] : 0.0f;
        cell.row(row)[c] = fmaf(now[n + c], held, now[c] * now[2 * n + c]);
        h.row(row)[c] = now[3 * n + c] * tanhf(cell.row(row)[c]);
      });
    }
  });
}

void lstm_backward(int64_t tokens, bool reverse, const Mat& u, const Mat& gates, const Mat& cell, const Mat& dh,
                   Mat da) {
  Call call;
  const int64_t n = dh.cols;
  const Mat dcell = call.scratch(dh.rows / tokens, n);  // what the later step asks of this one's cell
  teams<kBlock>(dh.rows / tokens, 0, [=] ND_KERNEL(const Block& team, int64_t b) {
    for (int64_t step = tokens - 1; step >= 0; --step) {
      const int64_t row = b * tokens + (reverse ? tokens - 1 - step : step);
      const int64_t earlier = row + (reverse ? 1 : -1), later = row + (reverse ? -1 : 1);
      const bool last = step == tokens - 1;
      team.each(n, [&](int64_t c) {
        const float* const g = gates.row(row);
        const float in = g[c], forget = g[n + c], fresh = g[2 * n + c], output = g[3 * n + c];
        const float bent = tanhf(cell.row(row)[c]), held = step > 0 ? cell.row(earlier)[c] : 0.0f;
        const float d = dh.row(row)[c] + (last ? 0.0f : dot(da.row(later), u.row(c), 4 * n));
        const float dc = fmaf(d * output, 1.0f - bent * bent, last ? 0.0f : dcell.row(b)[c]);
        float* const to = da.row(row);
        to[c] = dc * fresh * in * (1.0f - in);
        to[n + c] = dc * held * forget * (1.0f - forget);
        to[2 * n + c] = dc * in * (1.0f - fresh * fresh);
        to[3 * n + c] = d * bent * output * (1.0f - output);
        dcell.row(b)[c] = dc * forget;
      });
    }
  });
}

}  // namespace nd::cuda
