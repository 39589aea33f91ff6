// A Transformer layer with its way back (encoder.cpp has a shorter one without), on groups of whole blocks: what a
// group needs between its input and its output stays in the nearest caches, and only what the way back reads is written
// out.
//
// Layer by layer over all rows the same work is bound by memory: at D-HAN's sizes every intermediate matrix of a step
// is larger than the caches. Groups depend on shapes only; gradients of the parts are summed by runs of groups, then in
// order.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

using L = TransformerLayer;

constexpr int64_t kGroupRows = 120;  // about so many: whole tiles, and a group's numbers fit the L2 cache
constexpr int64_t kMostParts = 16;   // runs of groups whose gradients are summed by themselves

struct Groups {
  int64_t rows, size, count;  // all rows; rows of a whole group; groups

  explicit Groups(const TransformerLayer& a, int64_t rows)
      : rows(rows), size(std::max<int64_t>(1, kGroupRows / a.tokens) * a.tokens), count((rows + size - 1) / size) {}
  int64_t begin(int64_t group) const { return group * size; }
  int64_t length(int64_t group) const { return std::min(rows - begin(group), size); }
};

// The factors of x forwards, and of gradients backwards.
struct Weights {
  Right query, key, value, inner, outer;

  Weights(const TransformerLayer& a, bool transposed) {
    static thread_local std::vector<float> memory[5];
    const auto take = [&](L::Part part, int place) {
      return transposed ? pack_transposed(a.part[part], memory[place]) : pack(a.part[part], memory[place]);
    };
    query = take(L::query_w, 0);
    key = take(L::key_w, 1);
    value = take(L::value_w, 2);
    inner = take(L::inner_w, 3);
    outer = take(L::outer_w, 4);
  }
};

// unit = the normalised rows of x + dropout(r), y = unit ⊙ gamma + beta; `inverse` gets column `at`.
void normalise(const Mat& x, const Mat& r, const KeptRows& kept, int64_t first, const Mat& gamma, const Mat& beta,
               const Mat& inverse, int at, const Mat& unit, const Mat& y) {
  const int64_t n = x.cols;
  for (int64_t i = 0; i < x.rows; ++i) {
    float* const u = unit.row(i);
    Lanes total = 0.0f, square = 0.0f;
    for (int64_t c = 0; c < n; c += kLanes) {
      const Lanes v = load(x.row(i) + c) + kept(first + i, c, load(r.row(i) + c));
      store(u + c, v);
      total = total + v;
    }
    const float mean = sum(total) / static_cast<float>(n);
    for (int64_t c = 0; c < n; c += kLanes) {
      const Lanes v = load(u + c) - mean;
      square = fma(v, v, square);
    }
    const float scale = 1 / std::sqrt(sum(square) / static_cast<float>(n) + kEpsilon);
    if (!inverse.empty()) inverse.row(i)[at] = scale;
    for (int64_t c = 0; c < n; c += kLanes) {
      const Lanes v = (load(u + c) - mean) * scale;
      store(u + c, v);
      store(y.row(i) + c, fma(v, load(gamma.data + c), load(beta.data + c)));
    }
  }
}

// ds = the gradient before that normalisation, dr = dropout(ds), whose rows are added to sum_r.
void normalise_backward(const Mat& dy, const Mat& unit, const Mat& inverse, int at, const Mat& gamma,
                        const KeptRows& kept, int64_t first, float* sum_gamma, float* sum_beta, float* sum_r,
                        const Mat& ds, const Mat& dr) {
  const int64_t n = dy.cols;
  for (int64_t i = 0; i < dy.rows; ++i) {
    const float *const d = dy.row(i), *const u = unit.row(i);
    Lanes sum_g = 0.0f, sum_gu = 0.0f;
    for (int64_t c = 0; c < n; c += kLanes) {
      const Lanes v = load(d + c), unit_c = load(u + c), g = v * load(gamma.data + c);
      sum_g = sum_g + g;
      sum_gu = fma(g, unit_c, sum_gu);
      store(sum_gamma + c, fma(v, unit_c, load(sum_gamma + c)));
      store(sum_beta + c, v + load(sum_beta + c));
    }
    const float mean_g = sum(sum_g) / static_cast<float>(n), mean_gu = sum(sum_gu) / static_cast<float>(n);
    const Lanes scale = inverse.row(i)[at];
    for (int64_t c = 0; c < n; c += kLanes) {
      const Lanes v = (load(d + c) * load(gamma.data + c) - mean_g - load(u + c) * mean_gu) * scale;
      const Lanes left = kept(first + i, c, v);
      store(ds.row(i) + c, v);
      store(dr.row(i) + c, left);
      store(sum_r + c, left + load(sum_r + c));
    }
  }
}

void add_rows(const Mat& x, float* sum) {
  for (int64_t i = 0; i < x.rows; ++i) axpy(1.0f, x.row(i), sum, x.cols);
}

}  // namespace

void transformer_layer(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, Mat y) {
  const Weights w(a, false);
  const Groups groups(a, x.rows);
  const int64_t T = a.tokens, n = x.cols, f = a.part[L::inner_w].cols;
  parallel_for(groups.count, [&](int64_t group) {
    const int64_t first = groups.begin(group), rows = groups.length(group);
    Scratch scratch(rows * (7 * n + 2 * f + T) + 2 * T * whole_registers(T));
    const auto place = [&](const Mat& m, int64_t cols) {
      const Mat own = scratch.mat(rows, cols);
      return m.empty() ? own : rows_of(m, first, rows);
    };
    const Mat query = place(kept.query, n), key = place(kept.key, n), value = place(kept.value, n);
    const Mat p = place(kept.p, T), unit1 = place(kept.unit1, n), unit2 = place(kept.unit2, n);
    const Mat inner = place(kept.inner, f), active = scratch.mat(rows, f), h = scratch.mat(rows, n);
    const Mat sums = scratch.mat(rows, n);
    const Mat scores = scratch.mat(T, whole_registers(T)), weight = scratch.mat(T, whole_registers(T));
    const Mat inverse = kept.inverse.empty() ? Mat{} : rows_of(kept.inverse, first, rows);
    const Mat in = rows_of(x, first, rows), out = rows_of(y, first, rows);

    product(in, w.query, a.part[L::query_b], false, query);
    product(in, w.key, a.part[L::key_b], false, key);
    product(in, w.value, a.part[L::value_b], false, value);
    const KeptRows kept_weights(a.drop_weights, T, first, rows, bits(0));
    for (int64_t b = 0; b < rows; b += T) {
      for (int64_t i = 0; i < T; ++i)
        for (int64_t j = 0; j < T; ++j) scores.row(i)[j] = dot(query.row(b + i), key.row(b + j), n);
      softmax_rows(scores, a.scale, kept_weights, first + b, rows_of(p, b, T), weight);
      product(weight, as_it_lies(rows_of(value, b, T)), a.part[L::output_b], false, rows_of(sums, b, T));
    }
    normalise(in, sums, KeptRows(a.drop_attention, n, first, rows, bits(1)), first, a.part[L::gamma1], a.part[L::beta1],
              inverse, 0, unit1, h);
    product(h, w.inner, a.part[L::inner_b], false, inner);
    for (int64_t i = 0; i < rows * f; i += kLanes) {
      const int64_t lanes = std::min(rows * f - i, kLanes);
      const Lanes v = load(inner.data + i, lanes);
      store(active.data + i, v * normal_below(v), lanes);
    }
    product(active, w.outer, a.part[L::outer_b], false, sums);
    normalise(h, sums, KeptRows(a.drop_outer, n, first, rows, bits(1)), first, a.part[L::gamma2], a.part[L::beta2],
              inverse, 1, unit2, out);
  });
}

void transformer_layer_backward(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, const Mat& dy,
                                Into dx, const Into (&dpart)[TransformerLayer::kParts]) {
  const Weights w(a, true);
  const Groups groups(a, x.rows);
  const int64_t T = a.tokens, n = x.cols, f = a.part[L::inner_w].cols, parts = std::min(groups.count, kMostParts);
  int64_t at[L::kParts + 1] = {0};  // where each part's gradient lies in a sum
  for (int i = 0; i < L::kParts; ++i) at[i + 1] = at[i] + a.part[i].size();
  const int64_t numbers = at[L::kParts];
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(std::max<int64_t>(parts, 1) * numbers), 0.0f);
  float* const partial = memory.data();

  parallel_for(parts, [&](int64_t part) {
    Mat d[L::kParts];
    for (int i = 0; i < L::kParts; ++i) d[i] = {partial + part * numbers + at[i], a.part[i].rows, a.part[i].cols};
    for (int64_t group = groups.count * part / parts; group < groups.count * (part + 1) / parts; ++group) {
      const int64_t first = groups.begin(group), rows = groups.length(group);
      Scratch scratch(rows * (7 * n + 2 * f) + 2 * T * whole_registers(T));
      const auto of = [&](const Mat& m) { return rows_of(m, first, rows); };
      const Mat query = of(kept.query), key = of(kept.key), value = of(kept.value), p = of(kept.p), in = of(x);
      const Mat unit1 = of(kept.unit1), inverse = of(kept.inverse), inner = of(kept.inner);
      const Mat dh = scratch.mat(rows, n), left = scratch.mat(rows, n), h = scratch.mat(rows, n);
      const Mat dquery = scratch.mat(rows, n), dkey = scratch.mat(rows, n), dvalue = scratch.mat(rows, n);
      const Mat own_dx = scratch.mat(rows, n), active = scratch.mat(rows, f);
      const Mat dinner = scratch.mat(rows, f);
      const Mat weight = scratch.mat(T, whole_registers(T)), ds = scratch.mat(T, whole_registers(T));

      normalise_backward(of(dy), of(kept.unit2), inverse, 1, a.part[L::gamma2],
                         KeptRows(a.drop_outer, n, first, rows, bits(1)), first, d[L::gamma2].data, d[L::beta2].data,
                         d[L::outer_b].data, dh, left);
      product(left, w.outer, {}, false, dinner);
      for (int64_t i = 0; i < rows * f; i += kLanes) {
        const int64_t lanes = std::min(rows * f - i, kLanes);
        const Lanes v = load(inner.data + i, lanes), below = normal_below(v);
        const Lanes density = 0.39894228040143268f * exp(-0.5f * v * v);
        store(active.data + i, v * below, lanes);
        store(dinner.data + i, load(dinner.data + i, lanes) * fma(v, density, below), lanes);
      }
      add_outer(active, left, d[L::outer_w]);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t c = 0; c < n; c += kLanes)
          store(h.row(i) + c,
                fma(load(unit1.row(i) + c), load(a.part[L::gamma1].data + c), load(a.part[L::beta1].data + c)));
      add_outer(h, dinner, d[L::inner_w]);
      add_rows(dinner, d[L::inner_b].data);
      product(dinner, w.inner, {}, true, dh);

      normalise_backward(dh, unit1, inverse, 0, a.part[L::gamma1], KeptRows(a.drop_attention, n, first, rows, bits(1)),
                         first, d[L::gamma1].data, d[L::beta1].data, d[L::output_b].data, own_dx, left);
      const KeptRows kept_weights(a.drop_weights, T, first, rows, bits(0));
      clear(dkey);
      clear(dvalue);
      for (int64_t b = 0; b < rows; b += T) {
        drop_rows(kept_weights, first + b, rows_of(p, b, T), weight);
        for (int64_t i = 0; i < T; ++i)
          for (int64_t j = 0; j < T; ++j) ds.row(i)[j] = dot(left.row(b + i), value.row(b + j), n);
        softmax_rows_backward(rows_of(p, b, T), a.scale, kept_weights, first + b, ds);
        product(ds, as_it_lies(rows_of(key, b, T)), {}, false, rows_of(dquery, b, T));
        add_outer(weight, rows_of(left, b, T), rows_of(dvalue, b, T));
        add_outer(ds, rows_of(query, b, T), rows_of(dkey, b, T));
      }
      add_outer(in, dquery, d[L::query_w]);
      add_outer(in, dkey, d[L::key_w]);
      add_outer(in, dvalue, d[L::value_w]);
      add_rows(dquery, d[L::query_b].data);
      add_rows(dkey, d[L::key_b].data);
      add_rows(dvalue, d[L::value_b].data);
      if (dx.mat.empty()) continue;
      product(dquery, w.query, {}, true, own_dx);
      product(dkey, w.key, {}, true, own_dx);
      product(dvalue, w.value, {}, true, own_dx);
      const Mat to = of(dx.mat);
      if (dx.add) axpy(1.0f, own_dx.data, to.data, to.size());
      else std::copy_n(own_dx.data, to.size(), to.data);
    }
  });
  parallel_ranges(numbers, 2048, [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < parts; ++part)
      axpy(1.0f, partial + part * numbers + begin, partial + begin, end - begin);
  });
  for (int i = 0; i < L::kParts; ++i) {
    const Mat& to = dpart[i].mat;
    if (to.empty()) continue;
    if (dpart[i].add) axpy(1.0f, partial + at[i], to.data, to.size());
    else std::copy_n(partial + at[i], to.size(), to.data);
  }
}

}  // namespace nd::cpu
