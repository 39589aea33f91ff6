// Losses, as means over a batch: one lane a set, then one sum.
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {
namespace {

// p = softmax(scale x) of n values; returns the log of the normaliser.
ND_KERNEL double softmax(const float* x, float scale, int64_t n, float* p) {
  float most = scale * x[0];
  for (int64_t i = 0; i < n; ++i) most = fmaxf(most, scale * x[i]);
  double total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float e = expf(scale * x[i] - most);
    p[i] = e;
    total += static_cast<double>(e);
  }
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<float>(static_cast<double>(p[i]) / total);
  return static_cast<double>(most) + log(total);
}

// out = Σ x / n
void mean(const float* x, int64_t n, Mat out) {
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    const float sum = team.sum(n, [&](int64_t i) { return x[i]; });
    team.each(1, [&](int64_t) { out.data[0] = sum / static_cast<float>(n); });
  });
}

}  // namespace

void rank_loss(const Index& segments, const Mat& s, float gamma, Mat p, Mat loss) {
  Call call;
  const Index sets = call.in(segments);
  float* const losses = call.scratch(sets.rows);
  each(sets.rows, [=] ND_KERNEL(int64_t r) {
    const int64_t begin = sets.begin(r), n = sets.end(r) - begin;
    losses[r] = n == 0 ? 0.0f
                       : static_cast<float>(softmax(s.data + begin, gamma, n, p.data + begin) -
                                            static_cast<double>(gamma * s.data[begin]));
  });
  mean(losses, sets.rows, loss);
}

void rank_loss_backward(const Index& segments, const Mat& p, float gamma, const Mat& dloss, bool add, Mat ds) {
  Call call;
  const Index sets = call.in(segments);
  each(sets.rows, [=] ND_KERNEL(int64_t r) {
    const float scale = gamma * dloss.data[0] / static_cast<float>(sets.rows);
    for (int64_t i = sets.begin(r); i < sets.end(r); ++i) {
      const float g = scale * (p.data[i] - (i == sets.begin(r) ? 1.0f : 0.0f));
      ds.data[i] = add ? ds.data[i] + g : g;
    }
  });
}

void cross_entropy(const Mat& x, const int32_t* label, Mat p, Mat loss) {
  Call call;
  const int32_t* const right = call.in(label, x.rows);
  float* const losses = call.scratch(x.rows);
  each(x.rows, [=] ND_KERNEL(int64_t i) {
    losses[i] = static_cast<float>(softmax(x.row(i), 1.0f, x.cols, p.row(i)) - static_cast<double>(x.row(i)[right[i]]));
  });
  mean(losses, x.rows, loss);
}

void cross_entropy_backward(const Mat& p, const int32_t* label, const Mat& dloss, bool add, Mat dx) {
  Call call;
  const int32_t* const right = call.in(label, p.rows);
  each(p.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t i = at / p.cols, j = at % p.cols;
    const float scale = dloss.data[0] / static_cast<float>(p.rows);
    const float g = scale * (p.data[at] - (j == right[i] ? 1.0f : 0.0f));
    dx.data[at] = add ? dx.data[at] + g : g;
  });
}

void two_means_loss(const Mat& z, const uint8_t* positive, Mat loss) {
  Call call;
  const uint8_t* const side = call.in(positive, z.rows);
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    float total = 0;
    for (int which = 0; which < 2; ++which) {
      const float count = team.sum(z.rows, [&](int64_t i) { return (side[i] != 0) == (which != 0) ? 1.0f : 0.0f; });
      // −log σ(x) = log(1 + e^-x), and −log(1 − σ(x)) the same of −x.
      const float sum = team.sum(z.rows, [&](int64_t i) {
        if ((side[i] != 0) != (which != 0)) return 0.0f;
        const float x = which != 0 ? -z.data[i] : z.data[i];
        return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x)));
      });
      if (count > 0) total += sum / count;
    }
    team.each(1, [&](int64_t) { loss.data[0] = total; });
  });
}

void two_means_loss_backward(const Mat& z, const uint8_t* positive, const Mat& dloss, bool add, Mat dz) {
  Call call;
  const uint8_t* const side = call.in(positive, z.rows);
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    const float positives = team.sum(z.rows, [&](int64_t i) { return side[i] != 0 ? 1.0f : 0.0f; });
    team.each(z.rows, [&](int64_t i) {
      const bool is_positive = side[i] != 0;
      const float sign = is_positive ? -1.0f : 1.0f;  // σ(∓x), the share of the wrong class
      const float count = is_positive ? positives : static_cast<float>(z.rows) - positives;
      const float g = sign / (1 + expf(-sign * z.data[i])) * dloss.data[0] / count;
      dz.data[i] = add ? dz.data[i] + g : g;
    });
  });
}

}  // namespace nd::cuda
