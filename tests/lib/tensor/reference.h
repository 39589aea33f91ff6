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

}  // namespace nd::reference
