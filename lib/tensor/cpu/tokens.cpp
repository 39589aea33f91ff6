// Blocks of tokens that look at each other: layer normalisation, attention inside a block, weighted and shifted tokens,
// LSTM. (D-HAN's pooled attention is in stack_attention.cpp, its Transformer layer in transformer.cpp.)
//
// A block is small, so all it needs stays in the nearest caches while it is worked on. Blocks are shared out to
// threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kRowBlock = 64;   // rows one thread takes at a time
constexpr int64_t kBlockGroup = 8;  // blocks, likewise

}  // namespace

// --- Layer normalisation ---

void layer_norm(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& beta, Mat stat, Mat y) {
  const int64_t n = x.cols;
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    const KeptRows kept(drop, n, begin, r.empty() ? 0 : end - begin, bits(0));
    for (int64_t i = begin; i < end; ++i) {
      float* const out = y.row(i);
      Lanes total = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        Lanes s = load(x.row(i) + c, lanes);
        if (!r.empty()) s = s + kept(i, c, load(r.row(i) + c, lanes));
        total = total + s;
        store(out + c, s, lanes);
      }
      const float mean = sum(total) / static_cast<float>(n);
      Lanes square = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes s = keep(load(out + c, lanes) - mean, lanes);
        square = fma(s, s, square);
      }
      const float inverse = 1 / std::sqrt(sum(square) / static_cast<float>(n) + kEpsilon);
      stat.row(i)[0] = mean;
      stat.row(i)[1] = inverse;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes s = (load(out + c, lanes) - mean) * inverse;
        store(out + c, fma(s, load(gamma.data + c, lanes), load(beta.data + c, lanes)), lanes);
      }
    }
  });
}

void layer_norm_backward(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& stat,
                         const Mat& dy, Into dx, Into dr, Into dgamma, Into dbeta) {
  const int64_t n = x.cols, parts = (x.rows + kRowBlock - 1) / kRowBlock;
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(2 * parts * n), 0.0f);
  float* const partial = memory.data();
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    const KeptRows kept(drop, n, begin, r.empty() ? 0 : end - begin, bits(0));
    Scratch scratch(n);
    float* const unit = scratch.mat(1, n).data;
    float* const sum_gamma = partial + begin / kRowBlock * 2 * n;
    float* const sum_beta = sum_gamma + n;
    for (int64_t i = begin; i < end; ++i) {
      const float mean = stat.row(i)[0], inverse = stat.row(i)[1];
      Lanes sum_g = 0.0f, sum_gu = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        Lanes s = load(x.row(i) + c, lanes);
        if (!r.empty()) s = s + kept(i, c, load(r.row(i) + c, lanes));
        const Lanes u = (s - mean) * inverse, d = load(dy.row(i) + c, lanes), g = d * load(gamma.data + c, lanes);
        store(unit + c, u, lanes);
        sum_g = sum_g + g;
        sum_gu = fma(g, u, sum_gu);
        store(sum_gamma + c, fma(d, u, load(sum_gamma + c, lanes)), lanes);
        store(sum_beta + c, d + load(sum_beta + c, lanes), lanes);
      }
      const float mean_g = sum(sum_g) / static_cast<float>(n), mean_gu = sum(sum_gu) / static_cast<float>(n);
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes g = load(dy.row(i) + c, lanes) * load(gamma.data + c, lanes);
        const Lanes ds = (g - mean_g - load(unit + c, lanes) * mean_gu) * inverse;
        const auto write = [&](const Into& to, Lanes v) {
          if (to.mat.empty()) return;
          if (to.add) v = v + load(to.mat.row(i) + c, lanes);
          store(to.mat.row(i) + c, v, lanes);
        };
        write(dx, ds);
        if (!r.empty()) write(dr, kept(i, c, ds));
      }
    }
  });
  sum_parts(partial, parts, 2 * n, dgamma);
  sum_parts(partial + n, parts, 2 * n, dbeta);
}

// --- Attention inside blocks ---

void block_attention(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat y) {
  const int64_t T = a.tokens, width = query.cols / a.heads;
  parallel_ranges(query.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    const KeptRows kept(a.drop, T, begin * a.heads * T, (end - begin) * a.heads * T, bits(0));
    Scratch scratch(T * T);
    const Mat weight = scratch.mat(T, T);
    for (int64_t b = begin; b < end; ++b)
      for (int64_t h = 0; h < a.heads; ++h) {
        const int64_t first = (b * a.heads + h) * T, c0 = h * width;
        for (int64_t i = 0; i < T; ++i) {
          float* const s = p.row(first + i);
          for (int64_t j = 0; j < T; ++j) s[j] = dot(query.row(b * T + i) + c0, key.row(b * T + j) + c0, width);
          softmax(s, T, a.scale, s);
        }
        drop_rows(kept, first, rows_of(p, first, T), weight);
        for (int64_t i = 0; i < T; ++i)
          for (int64_t c = 0; c < width; c += kLanes) {
            const int64_t lanes = std::min(width - c, kLanes);
            Lanes total = 0.0f;
            for (int64_t j = 0; j < T; ++j)
              total = fma(weight.row(i)[j], load(value.row(b * T + j) + c0 + c, lanes), total);
            store(y.row(b * T + i) + c0 + c, total, lanes);
          }
      }
  });
}

void block_attention_backward(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, const Mat& p,
                              const Mat& dy, Into dquery, Into dkey, Into dvalue) {
  const int64_t T = a.tokens, width = query.cols / a.heads;
  parallel_ranges(query.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    const KeptRows kept(a.drop, T, begin * a.heads * T, (end - begin) * a.heads * T, bits(0));
    Scratch scratch(2 * T * T);
    const Mat weight = scratch.mat(T, T), ds = scratch.mat(T, T);
    for (int64_t b = begin; b < end; ++b) {
      for (const Into* d : {&dquery, &dkey, &dvalue})
        if (!d->add) clear(rows_of(d->mat, b * T, T));
      for (int64_t h = 0; h < a.heads; ++h) {
        const int64_t first = (b * a.heads + h) * T, c0 = h * width;
        drop_rows(kept, first, rows_of(p, first, T), weight);
        for (int64_t i = 0; i < T; ++i)
          for (int64_t j = 0; j < T; ++j) ds.row(i)[j] = dot(dy.row(b * T + i) + c0, value.row(b * T + j) + c0, width);
        drop_rows(kept, first, ds, ds);
        for (int64_t i = 0; i < T; ++i) {
          softmax_backward(p.row(first + i), ds.row(i), T, a.scale, false, ds.row(i));
          for (int64_t j = 0; j < T; ++j) {
            axpy(weight.row(i)[j], dy.row(b * T + i) + c0, dvalue.mat.row(b * T + j) + c0, width);
            axpy(ds.row(i)[j], key.row(b * T + j) + c0, dquery.mat.row(b * T + i) + c0, width);
            axpy(ds.row(i)[j], query.row(b * T + i) + c0, dkey.mat.row(b * T + j) + c0, width);
          }
        }
      }
    }
  });
}

// --- Weighted and shifted tokens ---

void mix_tokens(const Mat& x, const Mat& w, const Mat& bias, Mat y) {
  const int64_t T = w.rows, outputs = w.cols, n = x.cols;
  parallel_ranges(x.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t j = 0; j < outputs; ++j) {
        float* const out = y.row(b * outputs + j);
        std::fill_n(out, n, bias.data[j]);
        for (int64_t t = 0; t < T; ++t) axpy(w.row(t)[j], x.row(b * T + t), out, n);
      }
  });
}

void mix_tokens_backward(const Mat& x, const Mat& w, const Mat& dy, Into dx, Into dw, Into dbias) {
  const int64_t T = w.rows, outputs = w.cols, n = x.cols, blocks = x.rows / T;
  const int64_t groups = (blocks + kBlockGroup - 1) / kBlockGroup, numbers = w.size() + outputs;
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(groups * numbers), 0.0f);
  float* const partial = memory.data();
  parallel_ranges(blocks, kBlockGroup, [&](int64_t begin, int64_t end) {
    float *const sum_w = partial + begin / kBlockGroup * numbers, *const sum_bias = sum_w + w.size();
    for (int64_t b = begin; b < end; ++b) {
      if (!dx.mat.empty() && !dx.add) clear(rows_of(dx.mat, b * T, T));
      for (int64_t j = 0; j < outputs; ++j) {
        const float* const d = dy.row(b * outputs + j);
        for (int64_t t = 0; t < T; ++t) {
          if (!dx.mat.empty()) axpy(w.row(t)[j], d, dx.mat.row(b * T + t), n);
          sum_w[t * outputs + j] += dot(x.row(b * T + t), d, n);
        }
        for (int64_t c = 0; c < n; ++c) sum_bias[j] += d[c];
      }
    }
  });
  sum_parts(partial, groups, numbers, dw);
  sum_parts(partial + w.size(), groups, numbers, dbias);
}

void shift_tokens(int64_t tokens, int64_t by, const Mat& x, bool add, Mat y) {
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % tokens - by;
      const bool inside = from >= 0 && from < tokens;
      if (!add) std::fill_n(y.row(i), y.cols, 0.0f);
      if (inside) axpy(1.0f, x.row(i - by), y.row(i), x.cols);
    }
  });
}

// --- LSTM ---

void lstm(int64_t tokens, bool reverse, const Mat& a, const Mat& u, Mat gates, Mat cell, Mat h) {
  const int64_t n = h.cols;
  parallel_ranges(h.rows / tokens, kBlockGroup, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    Scratch scratch(6 * count * n);
    const Mat before = scratch.mat(count, n), now = scratch.mat(count, 4 * n), state = scratch.mat(count, n);
    clear(before);
    clear(state);
    for (int64_t step = 0; step < tokens; ++step) {
      const int64_t t = reverse ? tokens - 1 - step : step;
      for (int64_t b = 0; b < count; ++b) copy_row(a.row((begin + b) * tokens + t), 4 * n, now.row(b));
      gemm(before, nullptr, u, {}, Activation::none, true, now);
      for (int64_t b = 0; b < count; ++b) {
        const int64_t row = (begin + b) * tokens + t;
        for (int64_t c = 0; c < n; c += kLanes) {
          const int64_t lanes = std::min(n - c, kLanes);
          const auto gate = [&](int64_t k) { return load(now.row(b) + k * n + c, lanes); };
          const auto put = [&](int64_t k, Lanes v) { store(gates.row(row) + k * n + c, v, lanes); };
          const Lanes in = sigmoid(gate(0)), forget = sigmoid(gate(1)), fresh = tanh(gate(2)),
                      output = sigmoid(gate(3));
          const Lanes held = fma(forget, load(state.row(b) + c, lanes), in * fresh), out = output * tanh(held);
          put(0, in);
          put(1, forget);
          put(2, fresh);
          put(3, output);
          store(state.row(b) + c, held, lanes);
          store(cell.row(row) + c, held, lanes);
          store(before.row(b) + c, out, lanes);
          store(h.row(row) + c, out, lanes);
        }
      }
    }
  });
}

void lstm_backward(int64_t tokens, bool reverse, const Mat& u, const Mat& gates, const Mat& cell, const Mat& dh,
                   Mat da) {
  const int64_t n = dh.cols;
  static thread_local std::vector<float> memory;
  memory.resize(static_cast<size_t>(u.size()));
  const Mat u_t{memory.data(), u.cols, u.rows};
  for (int64_t i = 0; i < u.rows; ++i)
    for (int64_t j = 0; j < u.cols; ++j) u_t.row(j)[i] = u.row(i)[j];
  parallel_ranges(dh.rows / tokens, kBlockGroup, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    Scratch scratch(6 * count * n);
    // What the later step asks of this one's output and cell.
    const Mat dout = scratch.mat(count, n), dcell = scratch.mat(count, n), now = scratch.mat(count, 4 * n);
    clear(dout);
    clear(dcell);
    for (int64_t step = tokens - 1; step >= 0; --step) {
      const int64_t t = reverse ? tokens - 1 - step : step, earlier = reverse ? 1 : -1;
      for (int64_t b = 0; b < count; ++b) {
        const int64_t row = (begin + b) * tokens + t;
        for (int64_t c = 0; c < n; c += kLanes) {
          const int64_t lanes = std::min(n - c, kLanes);
          const auto gate = [&](int64_t k) { return load(gates.row(row) + k * n + c, lanes); };
          const auto put = [&](int64_t k, Lanes v) {
            store(now.row(b) + k * n + c, v, lanes);
            store(da.row(row) + k * n + c, v, lanes);
          };
          const Lanes in = gate(0), forget = gate(1), fresh = gate(2), output = gate(3);
          const Lanes bent = tanh(load(cell.row(row) + c, lanes));
          const Lanes held = step > 0 ? load(cell.row(row + earlier) + c, lanes) : Lanes(0.0f);
          const Lanes d = load(dh.row(row) + c, lanes) + load(dout.row(b) + c, lanes);
          const Lanes dc = fma(d * output, 1.0f - bent * bent, load(dcell.row(b) + c, lanes));
          put(0, dc * fresh * in * (1.0f - in));
          put(1, dc * held * forget * (1.0f - forget));
          put(2, dc * in * (1.0f - fresh * fresh));
          put(3, d * bent * output * (1.0f - output));
          store(dcell.row(b) + c, dc * forget, lanes);
        }
      }
      gemm(now, nullptr, u_t, {}, Activation::none, false, dout);
    }
  });
}

}  // namespace nd::cpu
