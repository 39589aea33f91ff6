// Rows of tables: gathering and adding them up, the matching gradients, and products of row pairs.
#include <algorithm>
#include <cmath>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kBlock = 64;  // rows one thread takes at a time
constexpr float kNormFloor = 1e-8f;

float norm(const float* x, int64_t n) { return std::max(std::sqrt(dot(x, x, n)), kNormFloor); }

}  // namespace

void copy_columns(const Mat& x, int64_t from, int64_t n, bool add, Mat y, int64_t to) {
  parallel_ranges(x.rows, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (add) axpy(1.0f, x.row(i) + from, y.row(i) + to, n);
      else copy_row(x.row(i) + from, n, y.row(i) + to);
    }
  });
}

void put_rows(const Mat& x, const int32_t* row, Mat y) {
  parallel_ranges(x.rows, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) copy_row(x.row(i), x.cols, y.row(row[i]));
  });
}

void gather_sum(std::span<const Table> tables, Mat y) {
  parallel_ranges(y.rows, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* out = y.row(i);
      if (i + kAhead < y.rows)
        for (const Table& t : tables)
          if (t.values.size() > kNear) prefetch(t.values.row(t.index.row_of(i + kAhead)), y.cols);
      const auto count = static_cast<int64_t>(tables.size());
      const auto row = [&](int64_t j) { return tables[j].values.row(tables[j].index.row_of(i)); };
      if (count == 1) copy_row(row(0), y.cols, out);
      else
        weighted_sum(
            0, count, [](int64_t) { return 1.0f; }, row, y.cols, false, out);
    }
  });
}

void scatter_sum(const Mat& dy, const Index& index, bool add, Mat dtable) {
  parallel_ranges(index.rows, kBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      weighted_sum(
          index.begin(r), index.end(r), [](int64_t) { return 1.0f; },
          [&](int64_t p) { return dy.row(index.item_at(p)); }, dtable.cols, add, dtable.row(r));
    }
  });
}

void row_dots(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, Mat s) {
  parallel_ranges(s.rows, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float *x = a.row(ia.row_of(i)), *y = b.row(ib.row_of(i));
      const float d = dot(x, y, a.cols);
      s.data[i] = cosine ? d / (norm(x, a.cols) * norm(y, a.cols)) : d;
    }
  });
}

void row_dots_backward(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, const Mat& s,
                       const Mat& ds, bool add, Mat da) {
  parallel_ranges(ia.rows, kBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      float* out = da.row(r);
      if (!add) std::fill_n(out, da.cols, 0.0f);
      const float* x = a.row(r);
      const float nx = cosine ? norm(x, a.cols) : 1.0f;
      for (int64_t p = ia.begin(r); p < ia.end(r); ++p) {
        const int64_t i = ia.item_at(p);
        const float* y = b.row(ib.row_of(i));
        if (!cosine) {
          axpy(ds.data[i], y, out, a.cols);
        } else {  // (ŷ − s x̂) / |x|; where the norm is at its floor it is a constant
          axpy(ds.data[i] / (nx * norm(y, a.cols)), y, out, a.cols);
          if (nx > kNormFloor) axpy(-ds.data[i] * s.data[i] / (nx * nx), x, out, a.cols);
        }
      }
    }
  });
}

}  // namespace nd::cpu
