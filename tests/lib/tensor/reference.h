// Every operation once more, in float64 and plain loops, straight from its definition in ops.inc: what the kernels are
// compared with. Nothing here is shared with lib/tensor.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nd::reference {

struct Matrix64 {
  int64_t rows = 0, cols = 0;
  std::vector<double> values;

  Matrix64() = default;
  Matrix64(int64_t rows, int64_t cols) : rows(rows), cols(cols), values(static_cast<size_t>(rows * cols)) {}
  double& at(int64_t i, int64_t j) { return values[static_cast<size_t>(i * cols + j)]; }
  double at(int64_t i, int64_t j) const { return values[static_cast<size_t>(i * cols + j)]; }
};

// Item i uses row[i]; where the items come as runs of equal rows, they are ragged sets ("segments") too.
struct Choice {
  int64_t rows = 0;
  std::vector<int32_t> row;

  int64_t items() const { return static_cast<int64_t>(row.size()); }
};

// Kept apart from lib/tensor's Activation, so that a mistake in its order shows.
inline double relu(double x) { return x > 0 ? x : 0; }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class F>
Matrix64 map(const Matrix64& x, F&& f) {
  Matrix64 y = x;
  for (double& v : y.values) v = f(v);
  return y;
}
inline Matrix64 sum(const Matrix64& a, const Matrix64& b) {
  Matrix64 y = a;
  for (size_t i = 0; i < y.values.size(); ++i) y.values[i] += b.values[i];
  return y;
}
inline Matrix64 product(const Matrix64& a, const Matrix64& b) {
  Matrix64 y(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t l = 0; l < a.cols; ++l)
      for (int64_t j = 0; j < b.cols; ++j) y.at(i, j) += a.at(i, l) * b.at(l, j);
  return y;
}
// The rows of x that the items use.
inline Matrix64 gather(const Matrix64& x, const Choice& choice) {
  Matrix64 y(choice.items(), x.cols);
  for (int64_t i = 0; i < y.rows; ++i)
    for (int64_t j = 0; j < x.cols; ++j) y.at(i, j) = x.at(choice.row[i], j);
  return y;
}
inline Matrix64 add_to_rows(const Matrix64& x, const Matrix64& row) {
  Matrix64 y = x;
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < x.cols; ++j) y.at(i, j) += row.at(0, j);
  return y;
}
inline Matrix64 concat(const Matrix64& a, const Matrix64& b) {
  Matrix64 y(a.rows, a.cols + b.cols);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) y.at(i, j) = a.at(i, j);
    for (int64_t j = 0; j < b.cols; ++j) y.at(i, a.cols + j) = b.at(i, j);
  }
  return y;
}
inline Matrix64 row_dots(const Matrix64& a, const Matrix64& b, bool cosine) {
  Matrix64 s(a.rows, 1);
  for (int64_t i = 0; i < a.rows; ++i) {
    double ab = 0, aa = 0, bb = 0;
    for (int64_t j = 0; j < a.cols; ++j) {
      ab += a.at(i, j) * b.at(i, j);
      aa += a.at(i, j) * a.at(i, j);
      bb += b.at(i, j) * b.at(i, j);
    }
    s.at(i, 0) = cosine ? ab / (std::max(std::sqrt(aa), 1e-8) * std::max(std::sqrt(bb), 1e-8)) : ab;
  }
  return s;
}

inline Matrix64 segment_softmax(const Choice& segments, const Matrix64& s) {
  std::vector<double> most(static_cast<size_t>(segments.rows), -INFINITY), total(static_cast<size_t>(segments.rows));
  for (int64_t i = 0; i < s.rows; ++i) most[segments.row[i]] = std::max(most[segments.row[i]], s.at(i, 0));
  Matrix64 p = s;
  for (int64_t i = 0; i < s.rows; ++i)
    total[segments.row[i]] += p.at(i, 0) = std::exp(s.at(i, 0) - most[segments.row[i]]);
  for (int64_t i = 0; i < s.rows; ++i) p.at(i, 0) /= total[segments.row[i]];
  return p;
}
// x here has one row an item.
inline Matrix64 segment_sum(const Choice& segments, const Matrix64& p, const Matrix64& x) {
  Matrix64 y(segments.rows, x.cols);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < x.cols; ++j) y.at(segments.row[i], j) += p.at(i, 0) * x.at(i, j);
  return y;
}
inline Matrix64 segment_max(const Choice& segments, const Matrix64& x) {
  Matrix64 y(segments.rows, x.cols);
  std::vector<bool> seen(static_cast<size_t>(segments.rows));
  for (int64_t i = 0; i < x.rows; ++i) {
    const int32_t r = segments.row[i];
    for (int64_t j = 0; j < x.cols; ++j) y.at(r, j) = seen[r] ? std::max(y.at(r, j), x.at(i, j)) : x.at(i, j);
    seen[r] = true;
  }
  return y;
}

// --- Blocks of tokens ---

// Which numbers a dropout of these settings keeps, as the factor of number j of row r.
struct Dropped {
  double rate = 0;
  uint64_t key = 0, draw = 0;

  double factor(int64_t cols, int64_t r, int64_t j) const {
    if (rate == 0) return 1;
    const uint64_t e = static_cast<uint64_t>(r * ((cols + 15) / 16 * 16) + j);
    const uint64_t a = e / 128 * 16 + e % 16;
    uint32_t c[4] = {static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32), static_cast<uint32_t>(draw),
                     static_cast<uint32_t>(draw >> 32)};
    uint32_t k[2] = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
    for (int round = 0; round < 10; ++round) {  // Philox4x32-10 from the paper
      const uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
      const uint32_t next[4] = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
                                static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
      std::copy(next, next + 4, c);
      k[0] += 0x9E3779B9;
      k[1] += 0xBB67AE85;
    }
    const uint64_t half = e % 128 / 16, least = static_cast<uint64_t>(rate * 65536 + 0.5);
    const uint32_t word = c[half / 2], number = half % 2 ? word >> 16 : word & 0xFFFF;
    return number >= least ? 65536.0 / static_cast<double>(65536 - least) : 0;
  }
};
inline Matrix64 dropout(const Dropped& drop, const Matrix64& x) {
  Matrix64 y = x;
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < x.cols; ++j) y.at(i, j) *= drop.factor(x.cols, i, j);
  return y;
}
inline double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
inline Matrix64 layer_norm(const Matrix64& x, const Matrix64& gamma, const Matrix64& beta) {
  Matrix64 y = x;
  const auto n = static_cast<double>(x.cols);
  for (int64_t i = 0; i < x.rows; ++i) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < x.cols; ++j) mean += x.at(i, j) / n;
    for (int64_t j = 0; j < x.cols; ++j) variance += (x.at(i, j) - mean) * (x.at(i, j) - mean) / n;
    for (int64_t j = 0; j < x.cols; ++j)
      y.at(i, j) = (x.at(i, j) - mean) / std::sqrt(variance + 1e-5) * gamma.at(0, j) + beta.at(0, j);
  }
  return y;
}
// softmax(scale Q Kᵀ) of each block and head: row (block * heads + head) * tokens + i.
inline Matrix64 block_softmax(int64_t tokens, int64_t heads, double scale, const Matrix64& q, const Matrix64& k) {
  const int64_t width = q.cols / heads;
  Matrix64 p(q.rows * heads, tokens);
  for (int64_t r = 0; r < p.rows; ++r) {
    const int64_t block = r / (heads * tokens), head = r / tokens % heads, i = block * tokens + r % tokens;
    double most = -INFINITY, total = 0;
    for (int64_t j = 0; j < tokens; ++j) {
      for (int64_t c = head * width; c < (head + 1) * width; ++c)
        p.at(r, j) += scale * q.at(i, c) * k.at(block * tokens + j, c);
      most = std::max(most, p.at(r, j));
    }
    for (int64_t j = 0; j < tokens; ++j) total += p.at(r, j) = std::exp(p.at(r, j) - most);
    for (int64_t j = 0; j < tokens; ++j) p.at(r, j) /= total;
  }
  return p;
}
// Y = P V for weights laid out like that.
inline Matrix64 block_sums(int64_t tokens, int64_t heads, const Matrix64& p, const Matrix64& v) {
  const int64_t width = v.cols / heads;
  Matrix64 y(v.rows, v.cols);
  for (int64_t r = 0; r < p.rows; ++r) {
    const int64_t block = r / (heads * tokens), head = r / tokens % heads, i = block * tokens + r % tokens;
    for (int64_t j = 0; j < tokens; ++j)
      for (int64_t c = head * width; c < (head + 1) * width; ++c)
        y.at(i, c) += p.at(r, j) * v.at(block * tokens + j, c);
  }
  return y;
}
inline Matrix64 mix_tokens(const Matrix64& x, const Matrix64& w, const Matrix64& bias) {
  Matrix64 y(x.rows / w.rows * w.cols, x.cols);
  for (int64_t i = 0; i < y.rows; ++i)
    for (int64_t c = 0; c < x.cols; ++c) {
      y.at(i, c) = bias.at(0, i % w.cols);
      for (int64_t t = 0; t < w.rows; ++t) y.at(i, c) += w.at(t, i % w.cols) * x.at(i / w.cols * w.rows + t, c);
    }
  return y;
}
inline Matrix64 shift_tokens(int64_t tokens, int64_t by, const Matrix64& x) {
  Matrix64 y(x.rows, x.cols);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < x.cols; ++j)
      if (i % tokens - by >= 0 && i % tokens - by < tokens) y.at(i, j) = x.at(i - by, j);
  return y;
}
inline Matrix64 lstm(int64_t tokens, bool reverse, const Matrix64& a, const Matrix64& u) {
  const int64_t n = u.rows;
  Matrix64 h(a.rows, n);
  for (int64_t block = 0; block < a.rows / tokens; ++block) {
    Matrix64 before(1, n), cell(1, n);
    for (int64_t step = 0; step < tokens; ++step) {
      const int64_t row = block * tokens + (reverse ? tokens - 1 - step : step);
      const Matrix64 recurrent = product(before, u);
      const auto gate = [&](int64_t k, int64_t j) { return a.at(row, k * n + j) + recurrent.at(0, k * n + j); };
      for (int64_t j = 0; j < n; ++j) {
        cell.at(0, j) = sigmoid(gate(1, j)) * cell.at(0, j) + sigmoid(gate(0, j)) * std::tanh(gate(2, j));
        h.at(row, j) = before.at(0, j) = sigmoid(gate(3, j)) * std::tanh(cell.at(0, j));
      }
    }
  }
  return h;
}

// log of the sum of e^x over a range that is not empty
template <class F>
double log_sum_exp(int64_t begin, int64_t end, F&& x) {
  double most = x(begin), total = 0;
  for (int64_t i = begin; i < end; ++i) most = std::max(most, x(i));
  for (int64_t i = begin; i < end; ++i) total += std::exp(x(i) - most);
  return most + std::log(total);
}
inline Matrix64 rank_loss(const Choice& segments, const Matrix64& s, double gamma) {
  Matrix64 loss(1, 1);
  for (int64_t begin = 0, end; begin < s.rows; begin = end) {
    for (end = begin; end < s.rows && segments.row[end] == segments.row[begin];) ++end;
    const auto logit = [&](int64_t i) { return gamma * s.at(i, 0); };
    loss.at(0, 0) += (log_sum_exp(begin, end, logit) - logit(begin)) / static_cast<double>(segments.rows);
  }
  return loss;
}
inline Matrix64 cross_entropy(const Matrix64& x, const std::vector<int32_t>& label) {
  Matrix64 loss(1, 1);
  for (int64_t i = 0; i < x.rows; ++i) {
    const auto logit = [&](int64_t j) { return x.at(i, j); };
    loss.at(0, 0) += (log_sum_exp(0, x.cols, logit) - logit(label[i])) / static_cast<double>(x.rows);
  }
  return loss;
}

inline Matrix64 two_means_loss(const Matrix64& z, const std::vector<uint8_t>& positive) {
  double sum[2] = {}, count[2] = {};
  for (int64_t i = 0; i < z.rows; ++i) {
    const double x = positive[i] ? -z.at(i, 0) : z.at(i, 0);
    sum[positive[i]] += log_sum_exp(0, 2, [&](int64_t k) { return k * x; });  // log(1 + e^x)
    ++count[positive[i]];
  }
  Matrix64 loss(1, 1);
  for (int side = 0; side < 2; ++side)
    if (count[side] > 0) loss.at(0, 0) += sum[side] / count[side];
  return loss;
}

}  // namespace nd::reference
