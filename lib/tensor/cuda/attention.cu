// Additive attention over ragged sets: two-layer scores, softmax within a set, weighted sums.
//
// The first layer of every score is linear in each of its inputs, so it is applied to each table once (a matrix product
// over distinct rows) and an item only adds rows up; see ops.inc. One warp an item, a set or a part of a long one;
// lanes share out columns.
//
// A score of n units from 3 tables takes 12 n bytes and 4 n operations, read once more from the L1 cache for the mask:
// of n = 128 an H100's memory gives one every 0.5 ns where no row is met twice, its L2 cache (about twice as fast) one
// every 0.25. Unproven.
#include "lib/tensor/cuda/attention.h"

#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/runs.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {

void score_items(const Tables& tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s) {
  const int64_t cols = w.size(), words = mask_words(cols);
  const Tables t = tables;
  teams<kWarp>(s.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float* row[5];
    for (int j = 0; j < t.count; ++j) row[j] = t.table[j].values.row(t.table[j].index.row_of(i));
    const auto unit = [&](int64_t c) {
      float x = row[0][c];
      for (int j = 1; j < t.count; ++j) x += row[j][c];
      return x;
    };
    const float score = team.sum(cols, [&](int64_t c) { return relu(unit(c)) * w.data[c]; });
    team.each(1, [&](int64_t) { s.data[i] = b.empty() ? score : score + b.data[0]; });
    team.bits(
        cols, [&](int64_t c) { return unit(c) > 0; }, mask + i * words);
  });
}

void softmax_sets(const Index& sets, const Mat& s, Mat p) {
  const Index of = sets;
  teams<kWarp>(sets.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    const int64_t begin = of.begin(r), n = of.end(r) - begin;
    const float most = team.max(n, [&](int64_t i) { return s.data[begin + i]; });
    team.each(n, [&](int64_t i) { p.data[begin + i] = expf(s.data[begin + i] - most); });
    const float total = team.sum(n, [&](int64_t i) { return p.data[begin + i]; });
    team.each(n, [&](int64_t i) { p.data[begin + i] /= total; });
  });
}

void softmax_sets_backward(const Index& sets, const Mat& p, const Mat& dp, bool add, Mat ds) {
  const Index of = sets;
  teams<kWarp>(sets.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    const int64_t begin = of.begin(r), n = of.end(r) - begin;
    const float mean = team.sum(n, [&](int64_t i) { return p.data[begin + i] * dp.data[begin + i]; });
    team.each(n, [&](int64_t i) {
      const float g = p.data[begin + i] * (dp.data[begin + i] - mean);
      ds.data[begin + i] = add ? ds.data[begin + i] + g : g;
    });
  });
}

void sum_sets(Call& call, const Index& sets, const Mat& p, const Mat& x, const int32_t* row, bool add, Mat y) {
  sums_of_runs(
      call, sets, y.cols,
      [=] ND_KERNEL(float sum, int64_t i, int64_t c) { return fmaf(p.data[i], x.row(row ? row[i] : i)[c], sum); },
      [=] ND_KERNEL(int64_t r, int64_t c, float sum) {
        float& to = y.row(r)[c];
        to = add ? to + sum : sum;
      });
}

void dot_items(const Index& sets, const Mat& dy, const Mat& x, const int32_t* row, bool add, Mat dp) {
  const Index of = sets;
  teams<kWarp>(sets.items, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float *d = dy.row(of.row_of(i)), *v = x.row(row ? row[i] : i);
    const float g = team.sum(x.cols, [&](int64_t c) { return d[c] * v[c]; });
    team.each(1, [&](int64_t) { dp.data[i] = add ? dp.data[i] + g : g; });
  });
}

void relu_dot(std::span<const Table> tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s) {
  Call call;
  score_items(call.in(tables), w, b, call.out(mask), s);
}

void relu_dot_backward(const Index& index, const Mat& ds, const uint16_t* mask, const Mat& table, const Mat& w,
                       bool add_table, Mat dtable, bool add_w, Mat dw) {
  Call call;
  const int64_t cols = table.cols, words = mask_words(cols);
  const uint16_t* const positive = call.in(mask, ds.rows * words);
  const Mat g = call.scratch(index.rows, cols);
  sum_runs(call, call.in(index), false, g, [=] ND_KERNEL(int64_t item, int64_t c) {
    return mask_bit(positive + item * words, c) ? ds.data[item] : 0.0f;
  });
  each(g.size(), [=] ND_KERNEL(int64_t i) {
    const float sum = g.data[i], dt = w.data[i % cols] * sum;
    dtable.data[i] = add_table ? dtable.data[i] + dt : dt;
    g.data[i] = sum * table.data[i];
  });
  sum_rows(call, g.data, g.rows, cols, cols, add_w, dw.data);
}

void segment_softmax(const Index& segments, const Mat& s, Mat p) {
  Call call;
  softmax_sets(call.in(segments), s, p);
}

void segment_softmax_backward(const Index& segments, const Mat& p, const Mat& dp, bool add, Mat ds) {
  Call call;
  softmax_sets_backward(call.in(segments), p, dp, add, ds);
}

void segment_sum(const Index& segments, const Mat& p, const Mat& x, const Index& index, bool add, Mat y) {
  Call call;
  sum_sets(call, call.in(segments), p, x, call.in(index.row, index.items), add, y);
}

void segment_sum_backward_weights(const Index& segments, const Mat& dy, const Mat& x, const Index& index, bool add,
                                  Mat dp) {
  Call call;
  dot_items(call.in(segments), dy, x, call.in(index.row, index.items), add, dp);
}

void segment_sum_backward_values(const Index& segments, const Mat& p, const Mat& dy, const Index& index, bool add,
                                 Mat dx) {
  Call call;
  const Index of = call.in(segments);
  sum_runs(call, call.in(index), add, dx,
           [=] ND_KERNEL(int64_t item, int64_t c) { return p.data[item] * dy.row(of.row_of(item))[c]; });
}

void segment_max(const Index& segments, const Mat& x, int32_t* from, Mat y) {
  Call call;
  int32_t* const best_of = call.out(from);
  // Every piece compares with the run's first item, so what is no number is found, or passed over, as in one piece.
  const auto larger = [=] ND_KERNEL(int64_t c, int32_t a, int32_t b) { return x.row(b)[c] > x.row(a)[c] ? b : a; };
  fold_runs<int32_t>(
      call, call.in(segments), y.cols,
      [=] ND_KERNEL(int64_t c, int64_t begin, int64_t first, int64_t last) {
        auto best = static_cast<int32_t>(first < last ? begin : -1);
        for (int64_t i = first; i < last; ++i) best = larger(c, best, static_cast<int32_t>(i));
        return best;
      },
      larger,
      [=] ND_KERNEL(int64_t r, int64_t c, int32_t best) {
        best_of[r * y.cols + c] = best;
        y.row(r)[c] = best < 0 ? 0.0f : x.row(best)[c];
      });
}

void segment_max_backward(const Index&, const int32_t* from, const Mat& dy, bool add, Mat dx) {
  Call call;
  if (!add) set_all(dx, 0.0f);
  const int32_t* const item = call.in(from, dy.size());
  each(dy.size(), [=] ND_KERNEL(int64_t at) {  // no item is in two sets
    if (item[at] >= 0) dx.row(item[at])[at % dy.cols] += dy.data[at];
  });
}

}  // namespace nd::cuda
