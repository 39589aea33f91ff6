// One value at a time: activations, their gradients, axpy, Adam.
#include <algorithm>
#include <cmath>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kBlock = 16384;

// Calls f(position, count) for every sixteen values.
template <class F>
void each_lanes(int64_t n, F&& f) {
  parallel_ranges(n, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) f(i, std::min(end - i, kLanes));
  });
}

Lanes slope(Activation act, Lanes y) {
  switch (act) {
    case Activation::relu: return y > 0.0f ? spread(1.0f) : zeros();
    case Activation::tanh: return 1.0f - y * y;
    case Activation::sigmoid: return y * (1.0f - y);
    default: return spread(1.0f);
  }
}

}  // namespace

void activate(Activation act, const Mat& x, Mat y) {
  each_lanes(x.size(), [&](int64_t i, int64_t n) { store(y.data + i, apply(act, load(x.data + i, n)), n); });
}

void activate_backward(Activation act, const Mat& y, const Mat& dy, bool add, Mat dx) {
  each_lanes(y.size(), [&](int64_t i, int64_t n) {
    Lanes g = load(dy.data + i, n) * slope(act, load(y.data + i, n));
    if (add) g += load(dx.data + i, n);
    store(dx.data + i, g, n);
  });
}

void axpy(float a, const Mat& x, Mat y) {
  each_lanes(x.size(), [&](int64_t i, int64_t n) { store(y.data + i, load(y.data + i, n) + a * load(x.data + i, n), n); });
}

void adam(const AdamStep& step, const Mat& g, Mat m, Mat v, Mat x) {
  const float b1 = step.beta1, b2 = step.beta2;
  each_lanes(x.size(), [&](int64_t i, int64_t n) {
    const Lanes before = load(x.data + i, n);
    Lanes gradient = load(g.data + i, n);
    if (!step.decoupled) gradient += step.decay * before;
    const Lanes m1 = b1 * load(m.data + i, n) + (1 - b1) * gradient;
    const Lanes v1 = b2 * load(v.data + i, n) + (1 - b2) * gradient * gradient;
    store(m.data + i, m1, n);
    store(v.data + i, v1, n);
    Lanes after = before - step.lr * (m1 / step.c1) / (square_root(v1 / step.c2) + step.epsilon);
    if (step.decoupled) after -= step.lr * step.decay * before;
    store(x.data + i, after, n);
  });
}

}  // namespace nd::cpu
