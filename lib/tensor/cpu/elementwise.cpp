// One value at a time: activations, their gradients, dropout, axpy, Adam.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/dropout.h"
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
    case Activation::relu:
      return where_less(0.0f, y, 1.0f, 0.0f);
    case Activation::tanh:
      return 1.0f - y * y;
    case Activation::sigmoid:
      return y * (1.0f - y);
    default:
      return 1.0f;
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

void gelu(const Mat& x, Mat y) {
  each_lanes(x.size(), [&](int64_t i, int64_t n) {
    const Lanes v = load(x.data + i, n);
    store(y.data + i, v * normal_below(v), n);
  });
}

void gelu_backward(const Mat& x, const Mat& dy, bool add, Mat dx) {
  each_lanes(x.size(), [&](int64_t i, int64_t n) {
    const Lanes v = load(x.data + i, n);
    const Lanes density = 0.39894228040143268f * exp(-0.5f * v * v);
    Lanes g = load(dy.data + i, n) * fma(v, density, normal_below(v));
    if (add) g = g + load(dx.data + i, n);
    store(dx.data + i, g, n);
  });
}

void dropout(const Dropout& drop, const Mat& x, bool add, Mat y) {
  constexpr int64_t kRows = 64;
  parallel_ranges(x.rows, kRows, [&](int64_t begin, int64_t end) {
    static thread_local std::vector<uint16_t> words;
    const KeptRows kept(drop, x.cols, begin, end - begin, words);
    for (int64_t r = begin; r < end; ++r)
      for (int64_t c = 0; c < x.cols; c += kLanes) {
        const int64_t n = std::min(x.cols - c, kLanes);
        Lanes v = kept(r, c, load(x.row(r) + c, n));
        if (add) v = v + load(y.row(r) + c, n);
        store(y.row(r) + c, v, n);
      }
  });
}

void squared_norm(const Mat& x, bool add, Mat out) {
  const int64_t parts = (x.size() + kBlock - 1) / kBlock;
  static thread_local std::vector<double> memory;  // outlives the call: a steady state allocates nothing
  memory.resize(static_cast<size_t>(parts));
  double* const partial = memory.data();
  parallel_ranges(x.size(), kBlock, [&](int64_t begin, int64_t end) {
    partial[begin / kBlock] = dot(x.data + begin, x.data + begin, end - begin);
  });
  double total = add ? out.data[0] : 0;
  for (int64_t p = 0; p < parts; ++p) total += partial[p];
  out.data[0] = static_cast<float>(total);
}

void axpy(float a, const Mat& x, Mat y) {
  const Lanes s = a;
  each_lanes(x.size(),
             [&](int64_t i, int64_t n) { store(y.data + i, fma(s, load(x.data + i, n), load(y.data + i, n)), n); });
}

namespace {
// What the gradients are multiplied by. Not a number: left as they are, to be seen in the next loss.
double shortening(const AdamStep& step) {
  if (!(step.longest > 0)) return 1;
  const double norm = std::sqrt(static_cast<double>(step.squared_norm.data[0]));
  return norm > step.longest ? step.longest / norm : 1;
}
}  // namespace

void adam(const AdamStep& step, std::span<const AdamParameter> parameters) {
  constexpr int64_t kPiece = 4096;
  struct Piece {
    const AdamParameter* of;
    int64_t begin, end;
  };
  static thread_local std::vector<Piece> memory;  // outlives the call: a steady state allocates nothing
  memory.clear();
  for (const AdamParameter& p : parameters) {
    const int64_t size = p.x.size(), step_by = p.used_rows ? p.x.cols : kPiece;
    for (int64_t begin = 0; begin < size; begin += step_by) {
      const int64_t end = std::min(begin + step_by, size);
      if (p.used_rows && std::all_of(p.g.data + begin, p.g.data + end, [](float g) { return g == 0; })) continue;
      memory.push_back({&p, begin, end});
    }
  }
  const Piece* const pieces = memory.data();

  const auto all = [](double x) { return Lanes(static_cast<float>(x)); };
  const Lanes b1 = all(step.beta1), rest1 = all(1 - step.beta1), move = all(step.lr / step.c1);
  const Lanes b2 = all(step.beta2), rest2 = all(1 - step.beta2), correct = all(1 / step.c2);
  const Lanes scale = all(shortening(step)), epsilon = all(step.epsilon);
  parallel_for(static_cast<int64_t>(memory.size()), [&](int64_t piece) {
    const AdamParameter& p = *pieces[piece].of;
    const Lanes decay = all(p.decay), shrink = all(step.lr * p.decay);
    const int64_t end = pieces[piece].end;
    for (int64_t i = pieces[piece].begin; i < end; i += kLanes) {
      const int64_t n = std::min(end - i, kLanes);
      const Lanes before = load(p.x.data + i, n);
      Lanes gradient = scale * load(p.g.data + i, n);
      if (!step.decoupled) gradient = fma(decay, before, gradient);
      const Lanes m = fma(b1, load(p.m.data + i, n), rest1 * gradient);
      const Lanes v = fma(b2, load(p.v.data + i, n), rest2 * gradient * gradient);
      store(p.m.data + i, m, n);
      store(p.v.data + i, v, n);
      Lanes after = before - move * m / (square_root(v * correct) + epsilon);
      if (step.decoupled) after = after - shrink * before;
      store(p.x.data + i, after, n);
    }
  });
}

}  // namespace nd::cpu
