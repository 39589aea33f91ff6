// Losses, as means over a batch. Batches are small, so one thread adds them up in order.
#include <algorithm>
#include <cmath>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"

namespace nd::cpu {
namespace {

// p = softmax(scale x) of n values; returns the log of the normaliser and subtracts the maximum first.
double softmax(const float* x, float scale, int64_t n, float* p) {
  float most = scale * x[0];
  for (int64_t i = 0; i < n; ++i) most = std::max(most, scale * x[i]);
  double total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double e = std::exp(static_cast<double>(scale * x[i] - most));
    p[i] = static_cast<float>(e);
    total += e;
  }
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<float>(p[i] / total);
  return most + std::log(total);
}

}  // namespace

void rank_loss(const Index& segments, const Mat& s, float gamma, Mat p, Mat loss) {
  double total = 0;
  for (int64_t r = 0; r < segments.rows; ++r) {
    const int64_t begin = segments.begin(r), n = segments.end(r) - begin;
    if (n == 0) continue;
    total += softmax(s.data + begin, gamma, n, p.data + begin) - static_cast<double>(gamma * s.data[begin]);
  }
  loss.data[0] = static_cast<float>(total / static_cast<double>(segments.rows));
}

void rank_loss_backward(const Index& segments, const Mat& p, float gamma, const Mat& dloss, bool add, Mat ds) {
  const float scale = gamma * dloss.data[0] / static_cast<float>(segments.rows);
  for (int64_t r = 0; r < segments.rows; ++r)
    for (int64_t i = segments.begin(r); i < segments.end(r); ++i) {
      const float g = scale * (p.data[i] - (i == segments.begin(r) ? 1.0f : 0.0f));
      ds.data[i] = add ? ds.data[i] + g : g;
    }
}

void cross_entropy(const Mat& x, const int32_t* label, Mat p, Mat loss) {
  double total = 0;
  for (int64_t i = 0; i < x.rows; ++i)
    total += softmax(x.row(i), 1.0f, x.cols, p.row(i)) - static_cast<double>(x.row(i)[label[i]]);
  loss.data[0] = static_cast<float>(total / static_cast<double>(x.rows));
}

void cross_entropy_backward(const Mat& p, const int32_t* label, const Mat& dloss, bool add, Mat dx) {
  const float scale = dloss.data[0] / static_cast<float>(p.rows);
  for (int64_t i = 0; i < p.rows; ++i)
    for (int64_t j = 0; j < p.cols; ++j) {
      const float g = scale * (p.row(i)[j] - (j == label[i] ? 1.0f : 0.0f));
      dx.row(i)[j] = add ? dx.row(i)[j] + g : g;
    }
}

void two_means_loss(const Mat& z, const uint8_t* positive, Mat loss) {
  double sum[2] = {};
  int64_t count[2] = {};
  for (int64_t i = 0; i < z.rows; ++i) {
    const double x = z.data[i], size = std::fabs(x);
    // −log σ(x) = log(1 + e^-x), and −log(1 − σ(x)) the same of −x: the larger of ∓x and 0, plus what is at most log 2.
    sum[positive[i] != 0] += std::max(positive[i] ? -x : x, 0.0) + std::log1p(std::exp(-size));
    ++count[positive[i] != 0];
  }
  double total = 0;
  for (int side = 0; side < 2; ++side)
    if (count[side] > 0) total += sum[side] / static_cast<double>(count[side]);
  loss.data[0] = static_cast<float>(total);
}

void two_means_loss_backward(const Mat& z, const uint8_t* positive, const Mat& dloss, bool add, Mat dz) {
  int64_t count[2] = {};
  for (int64_t i = 0; i < z.rows; ++i) ++count[positive[i] != 0];
  for (int64_t i = 0; i < z.rows; ++i) {
    const bool side = positive[i] != 0;
    const double sign = side ? -1 : 1;  // σ(∓x), the share of the wrong class
    const double wrong = 1 / (1 + std::exp(-sign * static_cast<double>(z.data[i])));
    const auto g =
        static_cast<float>(sign * wrong * static_cast<double>(dloss.data[0]) / static_cast<double>(count[side]));
    dz.data[i] = add ? dz.data[i] + g : g;
  }
}

}  // namespace nd::cpu
