// One value at a time: activations, their gradients, axpy, Adam.
#include <algorithm>

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
    case Activation::relu: return where_less(0.0f, y, 1.0f, 0.0f);
    case Activation::tanh: return 1.0f - y * y;
    case Activation::sigmoid: return y * (1.0f - y);
    default: return 1.0f;
  }
}

}  // namespace

void activate(Activation act, const Mat& x, Mat y) {
  each_lanes(x.size(), [&](int64_t i, int64_t n) { store(y.data + i, apply(act, load(x.data + i, n)), n); });
}

void activate_backward(Activation act, const Mat& y, const Mat& dy, bool add, Mat dx) {
  each_lanes(y.size(), [&](int64_t i, int64_t n) {
    Lanes g = load(dy.data + i, n) * slope(act, load(y.data + i, n));
    if (add) g = g + load(dx.data + i, n);
    store(dx.data + i, g, n);
  });
}

void axpy(float a, const Mat& x, Mat y) {
  const Lanes s = a;
  each_lanes(x.size(),
             [&](int64_t i, int64_t n) { store(y.data + i, fma(s, load(x.data + i, n), load(y.data + i, n)), n); });
}

void adam(const AdamStep& step, const Mat& g, Mat m, Mat v, Mat x) {
  const auto all = [](double x) { return Lanes(static_cast<float>(x)); };
  const Lanes b1 = all(step.beta1), rest1 = all(1 - step.beta1), c1 = all(step.c1);
  const Lanes b2 = all(step.beta2), rest2 = all(1 - step.beta2), c2 = all(step.c2);
  const Lanes lr = all(step.lr), epsilon = all(step.epsilon), decay = all(step.decay);
  each_lanes(x.size(), [&](int64_t i, int64_t n) {
    const Lanes before = load(x.data + i, n);
    Lanes gradient = load(g.data + i, n);
    if (!step.decoupled) gradient = fma(decay, before, gradient);
    const Lanes m1 = fma(b1, load(m.data + i, n), rest1 * gradient);
    const Lanes v1 = fma(b2, load(v.data + i, n), rest2 * gradient * gradient);
    store(m.data + i, m1, n);
    store(v.data + i, v1, n);
    Lanes after = before - lr * (m1 / c1) / (square_root(v1 / c2) + epsilon);
    if (step.decoupled) after = after - lr * decay * before;
    store(x.data + i, after, n);
  });
}

}  // namespace nd::cpu
