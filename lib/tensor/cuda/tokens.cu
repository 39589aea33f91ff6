// Blocks of tokens that look at each other: layer normalisation, attention inside a block, weighted and shifted tokens,
// LSTM. Scores are dots of rows, which lanes read side by side: those rows lie an odd number of floats apart, so that
// no two lanes meet in a bank of shared memory. Unproven.
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
