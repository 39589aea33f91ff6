// Matrix products for the shapes of these models: many rows, an inner side of about 100, an outer side of 128.
//
// Why not a library: the left factor's rows are gathered from tables without a copy, every element is one chain of
// fused multiply-adds over the inner index (so a row's bits do not depend on its neighbours, on blocks, or on how wide
// the registers are), and at these sizes the tile below is as fast (bench/bench_tensor compares it with Eigen and
// OpenBLAS; a right factor of many hundred columns would want packing, which they do and this doesn't).
#include <algorithm>
#include <vector>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

// A tile of kTileRows rows by kTileVectors registers of sums fills the register file: 24 of 32 with AVX-512, 12 of 16
// with AVX2.
constexpr int kTileRows = 6;
#ifdef __AVX512F__
constexpr int kTileVectors = 4;
#else
constexpr int kTileVectors = 2;
#endif
constexpr int64_t kPanel = kTileVectors * kVec;
constexpr int64_t kRowBlock = 16 * kTileRows;  // rows one thread takes at a time: their panel of b stays in L1

// Columns of the right factor and of the result that a tile covers: whole registers but for the last, which may be cut.
struct Panel {
  int64_t column, vectors, last;
};
int64_t panels(int64_t n) { return (n + kPanel - 1) / kPanel; }
Panel panel(int64_t n, int64_t index) {
  const int64_t column = index * kPanel, width = std::min(n - column, kPanel);
  const int64_t vectors = (width + kVec - 1) / kVec;
  return {column, vectors, width - (vectors - 1) * kVec};
}

// row[0 .. kVec V) without what is cut off.
template <int V>
inline void load_row(const float* row, int64_t last, Vec (&x)[V]) {
  for (int v = 0; v + 1 < V; ++v) x[v] = vec_load(row + v * kVec);
  x[V - 1] = vec_load(row + (V - 1) * kVec, last);
}
template <int V>
inline void store_row(float* row, int64_t last, const Vec (&x)[V]) {
  for (int v = 0; v + 1 < V; ++v) vec_store(row + v * kVec, x[v]);
  vec_store(row + (V - 1) * kVec, x[V - 1], last);
}

// c[r][panel] = (add ? c : 0) + bias + Σ_l a[r][l] b[l][panel]
template <int R, int V>
void tile(const float* const* a, const Mat& b, const Mat& bias, bool add, const Panel& panel, float* const* c) {
  Vec sum[R][V] = {};
  if (add)
    for (int r = 0; r < R; ++r) load_row<V>(c[r] + panel.column, panel.last, sum[r]);
  if (!bias.empty()) {
    Vec shift[V];
    load_row<V>(bias.data + panel.column, panel.last, shift);
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < V; ++v) sum[r][v] = sum[r][v] + shift[v];
  }
  const int64_t inner = b.rows, ldb = b.cols;
  const float* right = b.data + panel.column;
  for (int64_t l = 0; l < inner; ++l, right += ldb) {
    Vec y[V];
    load_row<V>(right, panel.last, y);
    for (int r = 0; r < R; ++r) {
      const Vec x = vec_spread(a[r][l]);
      for (int v = 0; v < V; ++v) sum[r][v] = vec_fma(x, y[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) store_row<V>(c[r] + panel.column, panel.last, sum[r]);
}

// dw[k0 + r][panel] = (add ? dw : 0) + Σ_l a[l][k0 + r] dy[l][panel] for l in [first, last)
template <int R, int V>
void outer_tile(const Mat& a, const int32_t* rows, int64_t k0, const Mat& dy, const Panel& panel, int64_t first,
                int64_t last, bool add, const Mat& dw) {
  Vec sum[R][V] = {};
  if (add)
    for (int r = 0; r < R; ++r) load_row<V>(dw.row(k0 + r) + panel.column, panel.last, sum[r]);
  for (int64_t l = first; l < last; ++l) {
    const float* left = a.row(rows ? rows[l] : l) + k0;
    Vec y[V];
    load_row<V>(dy.row(l) + panel.column, panel.last, y);
    for (int r = 0; r < R; ++r) {
      const Vec x = vec_spread(left[r]);
      for (int v = 0; v < V; ++v) sum[r][v] = vec_fma(x, y[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) store_row<V>(dw.row(k0 + r) + panel.column, panel.last, sum[r]);
}

// Calls f.operator()<R, V>() for a tile of that many rows and vectors.
template <int R, class F>
void with_vectors(int64_t vectors, F&& f) {
  switch (vectors) {
#ifdef __AVX512F__
    case 4: return f.template operator()<R, 4>();
    case 3: return f.template operator()<R, 3>();
#endif
    case 2: return f.template operator()<R, 2>();
    default: return f.template operator()<R, 1>();
  }
}
template <class F>
void with_shape(int64_t rows, int64_t vectors, F&& f) {
  switch (rows) {
    case 1: return with_vectors<1>(vectors, f);
    case 2: return with_vectors<2>(vectors, f);
    case 3: return with_vectors<3>(vectors, f);
    case 4: return with_vectors<4>(vectors, f);
    case 5: return with_vectors<5>(vectors, f);
    default: return with_vectors<kTileRows>(vectors, f);
  }
}

// Gathered rows lie anywhere in tables larger than caches: those of later tiles are asked for ahead.
constexpr int64_t kTilesAhead = 3;
void prefetch_rows(const Mat& a, const int32_t* rows, int64_t first, int64_t count, int64_t end) {
  for (int64_t i = first; i < std::min(first + count, end); ++i) prefetch(a.row(rows[i]), a.cols);
}

// Scratch that outlives a call, so that a steady state allocates nothing. No operation here calls itself.
std::vector<float>& scratch(size_t count) {
  static thread_local std::vector<float> memory;
  if (memory.size() < count) memory.resize(count);
  return memory;
}

}  // namespace

void gemm(const Mat& a, const int32_t* rows, const Mat& b, const Mat& bias, Activation act, bool add, Mat c) {
  parallel_ranges(c.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    for (int64_t p = 0; p < panels(b.cols); ++p) {
      const Panel columns = panel(b.cols, p);
      for (int64_t i = begin; i < end; i += kTileRows) {
        const int64_t count = std::min<int64_t>(end - i, kTileRows);
        if (rows && p == 0) prefetch_rows(a, rows, i + kTilesAhead * kTileRows, kTileRows, c.rows);
        const float* left[kTileRows];
        float* out[kTileRows];
        for (int64_t r = 0; r < count; ++r) {
          left[r] = a.row(rows ? rows[i + r] : i + r);
          out[r] = c.row(i + r);
        }
        with_shape(count, columns.vectors, [&]<int R, int V>() { tile<R, V>(left, b, bias, add, columns, out); });
      }
    }
    if (act == Activation::none) return;
    float* y = c.row(begin);
    for (int64_t i = 0, n = (end - begin) * c.cols; i < n; i += kLanes) {
      const int64_t lanes = std::min(n - i, kLanes);
      store(y + i, apply(act, load(y + i, lanes)), lanes);
    }
  });
}

void gemm_nt(const Mat& dy, const Mat& b, bool add, Mat dx) {
  const Mat t{scratch(static_cast<size_t>(b.size())).data(), b.cols, b.rows};
  // In squares, so that neither side is read or written across the grain for long.
  for (int64_t i0 = 0; i0 < b.rows; i0 += kLanes)
    for (int64_t j0 = 0; j0 < b.cols; j0 += kLanes)
      for (int64_t i = i0; i < std::min(i0 + kLanes, b.rows); ++i)
        for (int64_t j = j0; j < std::min(j0 + kLanes, b.cols); ++j) t.row(j)[i] = b.row(i)[j];
  gemm(dy, nullptr, t, {}, Activation::none, add, dx);
}

void gemm_tn(const Mat& a, const int32_t* rows, const Mat& dy, bool add, Mat dw) {
  // A long sum is cut into parts of its own (shape decides how many), summed in order at the end; a short one is cut
  // by rows of the result instead. Inside a part, tiles pass over chunks of rows that fit the L1 cache.
  constexpr int64_t kChunk = 64, kPartRows = 1024, kMostParts = 32, kResultRows = 8 * kTileRows;
  const int64_t m = dy.rows;
  const int64_t parts = std::clamp<int64_t>(m / kPartRows, 1, kMostParts);
  const int64_t group_rows = parts > 1 ? dw.rows : kResultRows, groups = (dw.rows + group_rows - 1) / group_rows;
  float* partial = parts > 1 ? scratch(static_cast<size_t>(parts * dw.size())).data() : nullptr;
  parallel_for(parts * groups, [&](int64_t block) {
    const int64_t part = block / groups, group = block % groups;
    const int64_t first = m * part / parts, last = m * (part + 1) / parts;
    const Mat out = parts > 1 ? Mat{partial + part * dw.size(), dw.rows, dw.cols} : dw;
    const int64_t k_begin = group * group_rows, k_end = std::min(dw.rows, k_begin + group_rows);
    bool add_to_out = add && parts == 1;
    for (int64_t l = first; l == first || l < last; l += kChunk) {
      const int64_t l_end = std::min(last, l + kChunk);
      int64_t ahead = l_end;
      for (int64_t p = 0; p < panels(dy.cols); ++p) {
        const Panel columns = panel(dy.cols, p);
        for (int64_t k = k_begin; k < k_end; k += kTileRows) {
          // What the next chunk needs, a few rows with every tile; a short sum that isn't gathered is in the L2 cache.
          for (const int64_t stop = std::min(last, ahead + 4); ahead < stop; ++ahead) {
            if (rows || parts > 1) prefetch(a.row(rows ? rows[ahead] : ahead) + k_begin, k_end - k_begin);
            if (parts > 1) prefetch(dy.row(ahead), dy.cols);
          }
          with_shape(std::min<int64_t>(k_end - k, kTileRows), columns.vectors, [&]<int R, int V>() {
            outer_tile<R, V>(a, rows, k, dy, columns, l, l_end, add_to_out, out);
          });
        }
      }
      add_to_out = true;
    }
  });
  if (parts == 1) return;
  parallel_ranges(dw.size(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float sum = add ? dw.data[i] : 0.0f;
      for (int64_t p = 0; p < parts; ++p) sum += partial[p * dw.size() + i];
      dw.data[i] = sum;
    }
  });
}

void column_sums(const Mat& x, bool add, Mat out) {
  // Parts of rows, then their sums in order.
  constexpr int64_t kPartRows = 512;
  const int64_t parts = (x.rows + kPartRows - 1) / kPartRows;
  float* partial = scratch(static_cast<size_t>(parts * x.cols)).data();
  parallel_for(parts, [&](int64_t part) {
    float* sum = partial + part * x.cols;
    std::fill_n(sum, x.cols, 0.0f);
    for (int64_t i = part * kPartRows; i < std::min(x.rows, (part + 1) * kPartRows); ++i)
      for (int64_t j = 0; j < x.cols; ++j) sum[j] += x.row(i)[j];
  });
  for (int64_t j = 0; j < x.cols; ++j) {
    float sum = add ? out.data[j] : 0.0f;
    for (int64_t p = 0; p < parts; ++p) sum += partial[p * x.cols + j];
    out.data[j] = sum;
  }
}

}  // namespace nd::cpu
