// The softmax of a few numbers and its gradient, as all attentions have it; and of the rows of a block, with dropout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lib/tensor/cpu/dropout.h"
#include "lib/tensor/cpu/math.h"
#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/mat.h"

namespace nd::cpu {

// p[0 .. n) = softmax of scale s[0 .. n), n and scale above 0; they may be the same. Returns log Σ e^(scale s).
inline float softmax(const float* s, int64_t n, float scale, float* p) {
  Lanes highest = s[0];
  for (int64_t i = 0; i < n; i += kLanes) highest = larger(highest, load(s + i, std::min(n - i, kLanes), highest));
  const float most = largest(highest);
  Lanes total = 0.0f;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    const Lanes e = keep(exp((load(s + i, lanes) - most) * scale), lanes);
    total = total + e;
    store(p + i, e, lanes);
  }
  const float all = sum(total);
  const Lanes inverse = 1.0f / all;
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    store(p + i, load(p + i, lanes) * inverse, lanes);
  }
  return most * scale + std::log(all);
}

// ds = (add ? ds : 0) + scale p ⊙ (dp − p · dp), the gradient before that softmax; ds may be dp when add is false.
inline void softmax_backward(const float* p, const float* dp, int64_t n, float scale, bool add, float* ds) {
  const float mean = dot(p, dp, n);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = std::min(n - i, kLanes);
    Lanes g = load(p + i, lanes) * (load(dp + i, lanes) - mean) * scale;
    if (add) g = g + load(ds + i, lanes);
    store(ds + i, g, lanes);
  }
}

// Rows of a block go side by side through registers: a row alone would mostly wait for its own sums, and a load cannot
// take what it needs from the store of a part of a register. So rows of these matrices but p's are whole registers
// long.
constexpr int64_t whole_registers(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// f.operator()<R, V>(r) for R rows from r on, of V times sixteen numbers, until all rows are done; false where they are
// longer than that.
template <class F>
[[gnu::always_inline]] inline bool rows_abreast(int64_t rows, int64_t cols, F&& f) {
  if (cols > 2 * kLanes) return false;
  const auto all = [&]<int V>() __attribute__((always_inline)) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) f.template operator()<4, V>(r);
    if (r + 2 <= rows) f.template operator()<2, V>(r), r += 2;
    if (r < rows) f.template operator()<1, V>(r);
  };
  cols <= kLanes ? all.template operator()<1>() : all.template operator()<2>();
  return true;
}

// p = softmax(scale s) and weight = dropout(p), zeros behind it. Row 0 is row `first` of what
// the dropout is of.
inline void softmax_rows(const Mat& s, float scale, const KeptRows& kept, int64_t first, const Mat& p,
                         const Mat& weight) {
  const int64_t n = p.cols;
  const bool abreast = rows_abreast(
      p.rows, n, [&]<int R, int V>(int64_t r) __attribute__((flatten)) {
        const int64_t last = n - (V - 1) * kLanes;
        Lanes x[R][V];
        float most[R], all[R];
        unrolled<R>([&](auto i) {
          const float* const from = s.row(r + i);
          unrolled<V - 1>([&](auto v) { x[i][v] = load(from + v * kLanes); });
          x[i][V - 1] = load(from + (V - 1) * kLanes, last, from[0]);
          Lanes highest = x[i][0];
          unrolled<V - 1>([&](auto v) { highest = larger(highest, x[i][v + 1]); });
          most[i] = largest(highest);
        });
        unrolled<R>([&](auto i) {
          unrolled<V>([&](auto v) { x[i][v] = exp((x[i][v] - most[i]) * scale); });
          x[i][V - 1] = keep(x[i][V - 1], last);
          Lanes total = x[i][0];
          unrolled<V - 1>([&](auto v) { total = total + x[i][v + 1]; });
          all[i] = sum(total);
        });
        unrolled<R>([&](auto i) {
          const Lanes inverse = 1.0f / all[i];
          unrolled<V>([&](auto v) {
            const int64_t c = v * kLanes;
            const Lanes y = x[i][v] * inverse;
            store(p.row(r + i) + c, y, v < V - 1 ? kLanes : last);
            store(weight.row(r + i) + c, kept(first + r + i, c, y));
          });
        });
      });
  for (int64_t r = 0; !abreast && r < p.rows; ++r) {
    softmax(s.row(r), n, scale, p.row(r));
    for (int64_t c = 0; c < n; c += kLanes)
      store(weight.row(r) + c, kept(first + r, c, load(p.row(r) + c, std::min(n - c, kLanes))));
  }
}

// ds, the gradient of weight, becomes that of s.
inline void softmax_rows_backward(const Mat& p, float scale, const KeptRows& kept, int64_t first, const Mat& ds) {
  const int64_t n = p.cols;
  const bool abreast = rows_abreast(
      p.rows, n, [&]<int R, int V>(int64_t r) __attribute__((flatten)) {
        const int64_t last = n - (V - 1) * kLanes;
        Lanes x[R][V], d[R][V];
        float mean[R];
        unrolled<R>([&](auto i) {
          Lanes total = 0.0f;
          unrolled<V>([&](auto v) {
            const int64_t c = v * kLanes;
            x[i][v] = load(p.row(r + i) + c, v < V - 1 ? kLanes : last);
            d[i][v] = kept(first + r + i, c, load(ds.row(r + i) + c));
            total = fma(x[i][v], d[i][v], total);
          });
          mean[i] = sum(total);
        });
        unrolled<R>([&](auto i) {
          unrolled<V>([&](auto v) { store(ds.row(r + i) + v * kLanes, x[i][v] * (d[i][v] - mean[i]) * scale); });
        });
      });
  for (int64_t r = 0; !abreast && r < p.rows; ++r) {
    for (int64_t c = 0; c < n; c += kLanes) store(ds.row(r) + c, kept(first + r, c, load(ds.row(r) + c)));
    softmax_backward(p.row(r), ds.row(r), n, scale, false, ds.row(r));
  }
}

}  // namespace nd::cpu
