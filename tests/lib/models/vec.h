// Vectors and named matrices in float64, for models written down once more without any of their code.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace nd::vec {

using Vec = std::vector<double>;

inline Vec operator+(Vec a, const Vec& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}
inline Vec operator*(double s, Vec a) {
  for (double& x : a) x *= s;
  return a;
}
inline double dot(const Vec& a, const Vec& b) {
  double s = 0;
  for (size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}
inline Vec join(Vec a, const Vec& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Vec map(Vec a, const std::function<double(double)>& f) {
  for (double& x : a) x = f(x);
  return a;
}
inline double relu(double x) { return x > 0 ? x : 0; }
inline Vec softmax(const Vec& s) {
  double most = -1e300, total = 0;
  for (double x : s) most = std::max(most, x);
  Vec p = s;
  for (double& x : p) total += x = std::exp(x - most);
  return total > 0 ? (1 / total) * p : p;
}

struct Tensor {
  int64_t rows, cols;
  Vec x;
};
using Tensors = std::map<std::string, Tensor>;

}  // namespace nd::vec
