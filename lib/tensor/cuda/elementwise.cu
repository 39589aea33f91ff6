// One value at a time: activations, their gradients, dropout, axpy, Adam.
#include <array>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/dropout.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/reduce.h"

namespace nd::cuda {

void activate(Activation act, const Mat& x, Mat y) {
  each(x.size(), [=] ND_KERNEL(int64_t i) { y.data[i] = apply(act, x.data[i]); });
}

void activate_backward(Activation act, const Mat& y, const Mat& dy, bool add, Mat dx) {
  each(y.size(), [=] ND_KERNEL(int64_t i) {
    const float g = dy.data[i] * slope(act, y.data[i]);
    dx.data[i] = add ? dx.data[i] + g : g;
  });
}

void gelu(const Mat& x, Mat y) {
  each(x.size(), [=] ND_KERNEL(int64_t i) { y.data[i] = x.data[i] * normal_below(x.data[i]); });
}

void gelu_backward(const Mat& x, const Mat& dy, bool add, Mat dx) {
  each(x.size(), [=] ND_KERNEL(int64_t i) {
    const float v = x.data[i], density = 0.39894228040143268f * expf(-0.5f * v * v);
    const float g = dy.data[i] * fmaf(v, density, normal_below(v));
    dx.data[i] = add ? dx.data[i] + g : g;
  });
}

void dropout(const Dropout& drop, const Mat& x, bool add, Mat y) {
  const Kept kept(drop, x.cols);
  each(x.size(), [=] ND_KERNEL(int64_t i) {
    const float v = kept(i / x.cols, i % x.cols, x.data[i]);
    y.data[i] = add ? y.data[i] + v : v;
  });
}

void squared_norm(const Mat& x, bool add, Mat out) {
  constexpr int64_t kPart = 4096;
  Call call;
  const int64_t size = x.size(), parts = (size + kPart - 1) / kPart;
  float* const sums = call.scratch(parts);
  teams<kBlock>(parts, 0, [=] ND_KERNEL(const Block& team, int64_t part) {
    const int64_t begin = part * kPart, count = size - begin < kPart ? size - begin : kPart;
    const float sum = team.sum(count, [&](int64_t i) { return x.data[begin + i] * x.data[begin + i]; });
    team.each(1, [&](int64_t) { sums[part] = sum; });
  });
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    const float sum = team.sum(parts, [&](int64_t part) { return sums[part]; });
    team.each(1, [&](int64_t) { out.data[0] = add ? out.data[0] + sum : sum; });
  });
}

void axpy(float a, const Mat& x, Mat y) {
  each(x.size(), [=] ND_KERNEL(int64_t i) { y.data[i] = fmaf(a, x.data[i], y.data[i]); });
}

namespace {

// Numbers of a step of Adam as float32 has them.
struct AdamNumbers {
  float b1, rest1, b2, rest2, move, correct, epsilon;
  bool decoupled;

  explicit AdamNumbers(const AdamStep& s)
      : b1(static_cast<float>(s.beta1)),
        rest1(static_cast<float>(1 - s.beta1)),
        b2(static_cast<float>(s.beta2)),
        rest2(static_cast<float>(1 - s.beta2)),
        move(static_cast<float>(s.lr / s.c1)),
        correct(static_cast<float>(1 / s.c2)),
        epsilon(static_cast<float>(s.epsilon)),
        decoupled(s.decoupled) {}
};
// One parameter, as a kernel holds it.
struct Stepped {
  const float* g;
  float *m, *v, *x;
  int64_t end;   // of its numbers, counted through all parameters of the launch
  int64_t cols;  // of a row that stays as it is where its gradient is zero; 0 for a dense parameter
  float decay, shrink;
};
constexpr int kMostParameters = 24;  // a launch passes at most 4 KiB of arguments
struct SteppedList {
  Stepped list[kMostParameters];
};

}  // namespace

void adam(const AdamStep& step, std::span<const AdamParameter> parameters) {
  const AdamNumbers a(step);
  Call call;
  // As the CPU has it, in float64 (lib/tensor/cpu/elementwise.cpp). Null: as long as it is.
  float* const scale = step.longest > 0 ? call.scratch(1) : nullptr;
  if (scale) {
    const double longest = step.longest;
    const float* const squared = step.squared_norm.data;
    each(1, [=] ND_KERNEL(int64_t) {
      const double norm = sqrt(static_cast<double>(squared[0]));
      scale[0] = norm > longest ? static_cast<float>(longest / norm) : 1.0f;
    });
  }
  for (size_t first = 0; first < parameters.size(); first += kMostParameters) {
    const int count = static_cast<int>(std::min<size_t>(kMostParameters, parameters.size() - first));
    SteppedList all{};
    int64_t end = 0;
    for (int j = 0; j < count; ++j) {
      const AdamParameter& p = parameters[first + static_cast<size_t>(j)];
      end += p.x.size();
      all.list[j] = {p.g.data,
                     p.m.data,
                     p.v.data,
                     p.x.data,
                     end,
                     p.used_rows ? p.x.cols : 0,
                     static_cast<float>(p.decay),
                     static_cast<float>(step.lr * p.decay)};
    }
    each(end, [=] ND_KERNEL(int64_t at) {
      int j = 0;
      while (at >= all.list[j].end) ++j;
      const Stepped& p = all.list[j];
      const int64_t i = at - (j > 0 ? all.list[j - 1].end : 0);
      if (p.cols > 0) {  // a row's numbers are near each other: looking at all of them costs little
        const float* const row = p.g + i / p.cols * p.cols;
        bool used = false;
        for (int64_t c = 0; c < p.cols && !used; ++c) used = row[c] != 0;
        if (!used) return;
      }
      const float before = p.x[i];
      float gradient = scale ? scale[0] * p.g[i] : p.g[i];
      if (!a.decoupled) gradient = fmaf(p.decay, before, gradient);
      const float m = fmaf(a.b1, p.m[i], a.rest1 * gradient);
      const float v = fmaf(a.b2, p.v[i], a.rest2 * gradient * gradient);
      p.m[i] = m;
      p.v[i] = v;
      float after = before - a.move * m / (sqrtf(v * a.correct) + a.epsilon);
      if (a.decoupled) after -= p.shrink * before;
      p.x[i] = after;
    });
  }
}

}  // namespace nd::cuda
