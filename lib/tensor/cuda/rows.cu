// Rows of tables: gathering and adding them up, the matching gradients, and products of row pairs.
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/runs.h"

namespace nd::cuda {
namespace {

constexpr float kNormFloor = 1e-8f;

}  // namespace

void copy_columns(const Mat& x, int64_t from, int64_t n, bool add, Mat y, int64_t to) {
  each(x.rows * n, [=] ND_KERNEL(int64_t i) {
    const float v = x.row(i / n)[from + i % n];
    float& place = y.row(i / n)[to + i % n];
    place = add ? place + v : v;
  });
}

void put_rows(const Mat& x, const int32_t* row, Mat y) {
  Call call;
  const int32_t* const to = call.in(row, x.rows);
  each(x.size(), [=] ND_KERNEL(int64_t i) { y.row(to[i / x.cols])[i % x.cols] = x.data[i]; });
}

void gather_sum(std::span<const Table> tables, Mat y) {
  Call call;
  const Tables t = call.in(tables);
  each(y.size(), [=] ND_KERNEL(int64_t i) {
    const int64_t item = i / y.cols, c = i % y.cols;
    float sum = t.table[0].values.row(t.table[0].index.row_of(item))[c];
    for (int j = 1; j < t.count; ++j) sum += t.table[j].values.row(t.table[j].index.row_of(item))[c];
    y.data[i] = sum;
  });
}

void scatter_sum(const Mat& dy, const Index& index, bool add, Mat dtable) {
  Call call;
  sum_runs(call, call.in(index), add, dtable, [=] ND_KERNEL(int64_t item, int64_t c) { return dy.row(item)[c]; });
}

void row_dots(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, Mat s) {
  Call call;
  const Index of_a = call.in(ia), of_b = call.in(ib);
  const int64_t n = a.cols;
  teams<kWarp>(s.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float *x = a.row(of_a.row_of(i)), *y = b.row(of_b.row_of(i));
    const float d = team.sum(n, [&](int64_t c) { return x[c] * y[c]; });
    float norms = 1;
    if (cosine) {
      const float xx = team.sum(n, [&](int64_t c) { return x[c] * x[c]; });
      const float yy = team.sum(n, [&](int64_t c) { return y[c] * y[c]; });
      norms = fmaxf(sqrtf(xx), kNormFloor) * fmaxf(sqrtf(yy), kNormFloor);
    }
    team.each(1, [&](int64_t) { s.data[i] = cosine ? d / norms : d; });
  });
}

void row_dots_backward(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, const Mat& s,
                       const Mat& ds, bool add, Mat da) {
  Call call;
  const Index of_a = call.in(ia), of_b = call.in(ib);
  const int64_t n = a.cols;
  if (!cosine)
    return sum_runs(call, of_a, add, da,
                    [=] ND_KERNEL(int64_t i, int64_t c) { return ds.data[i] * b.row(of_b.row_of(i))[c]; });
  // (ŷ − s x̂) / |x|; where the norm is at its floor it is a constant.
  float *const by_y = call.scratch(s.rows), *const by_x = call.scratch(s.rows);
  teams<kWarp>(s.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float *x = a.row(of_a.row_of(i)), *y = b.row(of_b.row_of(i));
    const float xx = team.sum(n, [&](int64_t c) { return x[c] * x[c]; });
    const float yy = team.sum(n, [&](int64_t c) { return y[c] * y[c]; });
    const float nx = fmaxf(sqrtf(xx), kNormFloor), ny = fmaxf(sqrtf(yy), kNormFloor);
    team.each(1, [&](int64_t) {
      by_y[i] = ds.data[i] / (nx * ny);
      by_x[i] = nx > kNormFloor ? -ds.data[i] * s.data[i] / (nx * nx) : 0.0f;
    });
  });
  sum_runs(call, of_a, add, da, [=] ND_KERNEL(int64_t i, int64_t c) {
    return by_y[i] * b.row(of_b.row_of(i))[c] + by_x[i] * a.row(of_a.row_of(i))[c];
  });
}

}  // namespace nd::cuda
