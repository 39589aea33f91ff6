// Register tiles of matrix products: the inner loops of gemm.cpp and of neighbour_attention.cpp.
//
// Every element is one chain of fused multiply-adds in the order of the inner index. So a row's bits depend neither on
// its neighbours nor on blocks nor on how wide the registers are.
#pragma once

#include <algorithm>
#include <vector>

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/mat.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {

// A tile of kTileRows rows by kTileVectors registers of sums fills the register file: 24 of 32 with AVX-512, 12 of 16
// with AVX2.
constexpr int kTileRows = 6;
#ifdef __AVX512F__
constexpr int kTileVectors = 4;
#else
constexpr int kTileVectors = 2;
#endif
constexpr int64_t kPanel = kTileVectors * kVec;

// Memory for `count` numbers from a cache line's start on. It outlives the call: a steady state allocates nothing.
inline float* aligned(std::vector<float>& memory, int64_t count) {
  constexpr size_t kLine = 64 / sizeof(float);
  memory.resize(std::max(memory.size(), static_cast<size_t>(count) + kLine));
  const size_t past = reinterpret_cast<uintptr_t>(memory.data()) / sizeof(float) % kLine;
  return memory.data() + (kLine - past) % kLine;
}

// Columns of the right factor and of the result that a tile covers: whole registers but for the last, which may be cut.
struct Panel {
  int64_t column, vectors, last;
};
inline int64_t panels(int64_t n) { return (n + kPanel - 1) / kPanel; }
inline Panel panel(int64_t n, int64_t index) {
  const int64_t column = index * kPanel, width = std::min(n - column, kPanel);
  const int64_t vectors = (width + kVec - 1) / kVec;
  return {column, vectors, width - (vectors - 1) * kVec};
}

// row[0 .. kVec V) without what is cut off.
template <int V>
[[gnu::always_inline]] inline void load_row(const float* row, int64_t last, Vec (&x)[V]) {
  unrolled<V - 1>([&](auto v) { x[v] = vec_load(row + v * kVec); });
  x[V - 1] = vec_load(row + (V - 1) * kVec, last);
}
template <int V>
[[gnu::always_inline]] inline void store_row(float* row, int64_t last, const Vec (&x)[V]) {
  unrolled<V - 1>([&](auto v) { vec_store(row + v * kVec, x[v]); });
  vec_store(row + (V - 1) * kVec, x[V - 1], last);
}

// A right factor as it lies (for a few rows on the left, which would not pay for a copy), or packed: copied so that a
// panel's rows lie one after another, each whole and at a cache line's start. Rows of a wide matrix would compete for a
// part of the L1 cache.
struct Right {
  int64_t rows, cols;
  float* data;
  bool packed;

  float* row(int64_t panel, int64_t l) const {
    return packed ? data + (panel * rows + l) * kPanel : data + l * cols + panel * kPanel;
  }
};
inline Right as_it_lies(const Mat& b) { return {b.rows, b.cols, b.data, false}; }
inline Right room_for(int64_t rows, int64_t cols, std::vector<float>& memory) {
  return {rows, cols, aligned(memory, panels(cols) * rows * kPanel), true};
}
inline Right pack(const Mat& b, std::vector<float>& memory) {
  constexpr int64_t kRows = 32;  // one thread's
  const Right packed = room_for(b.rows, b.cols, memory);
  parallel_ranges(b.rows, kRows, [&](int64_t begin, int64_t end) {
    for (int64_t p = 0; p < panels(b.cols); ++p) {
      const int64_t column = p * kPanel, width = std::min(b.cols - column, kPanel);
      for (int64_t l = begin; l < end; ++l) std::copy_n(b.row(l) + column, width, packed.row(p, l));
    }
  });
  return packed;
}

// The transpose of b, packed.
inline Right pack_transposed(const Mat& b, std::vector<float>& memory) {
  const Right t = room_for(b.cols, b.rows, memory);
  parallel_ranges(b.rows, kLanes, [&](int64_t i, int64_t end) {  // lanes of a row of t: a column's piece of b
    for (int64_t j = 0; j < b.cols; ++j) {
      float* const lanes = t.row(i / kPanel, j) + i % kPanel;
      if (end - i == kLanes) store(lanes, load_apart(b.row(i) + j, b.cols));
      else
        for (int64_t k = i; k < end; ++k) lanes[k - i] = b.row(k)[j];
    }
  });
  return t;
}

// c[r][panel] = (add ? c : 0) + bias + Σ_l a[r][l] right[l], over `inner` rows of a panel of b, from `right` on. Asks
// for the `laters` rows at `later` on the way, a few lines at a time: a burst of them would stop the multiplying.
template <int R, int V, bool kPacked>
[[gnu::always_inline]] inline void tile(const float* const* a, const Right& b, const float* right, int64_t inner,
                                        const Mat& bias, bool add, const Panel& panel, float* const* c,
                                        const float* const* later, int64_t laters) {
  const int64_t step = kPacked ? kPanel : b.cols;
  Vec sum[R][V] = {};
  if (add) unrolled<R>([&](auto r) { load_row<V>(c[r] + panel.column, panel.last, sum[r]); });
  if (!bias.empty()) {
    Vec shift[V];
    load_row<V>(bias.data + panel.column, panel.last, shift);
    unrolled<R>([&](auto r) { unrolled<V>([&](auto v) { sum[r][v] = sum[r][v] + shift[v]; }); });
  }
  for (int64_t l = 0; l < inner;) {
    for (int64_t r = 0; r < laters; ++r) __builtin_prefetch(later[r] + l);
    for (const int64_t stop = std::min(inner, l + kLanes); l < stop; ++l, right += step) {
      Vec y[V];
      load_row<V>(right, kPacked ? kVec : panel.last, y);
      unrolled<R>([&](auto r) {
        const Vec x = vec_spread(a[r][l]);
        unrolled<V>([&](auto v) { sum[r][v] = vec_fma(x, y[v], sum[r][v]); });
      });
    }
  }
  for (int64_t r = 0; r < laters; ++r) __builtin_prefetch(later[r] + inner - 1);  // a row may end in one line more
  unrolled<R>([&](auto r) { store_row<V>(c[r] + panel.column, panel.last, sum[r]); });
}

// dw[k0 + r][panel] = (add ? dw : 0) + Σ_l a[l0 + l][k0 + r] dy[l][panel], asking for `later` rows (of a.cols numbers)
// on the way as above.
template <int R, int V>
[[gnu::always_inline]] inline void outer_tile(const Mat& a, const int32_t* rows, int64_t l0, int64_t k0, const Mat& dy,
                                              const Panel& panel, bool add, const Mat& dw, const float* const* later,
                                              int64_t laters) {
  constexpr int64_t kPace = 4;  // rows of dy a line
  Vec sum[R][V] = {};
  if (add) unrolled<R>([&](auto r) { load_row<V>(dw.row(k0 + r) + panel.column, panel.last, sum[r]); });
  const float* const* const none_later = later + laters;
  int64_t line = 0;
  for (int64_t l = 0; l < dy.rows;) {
    if (later < none_later) {
      __builtin_prefetch(*later + line);
      line += kLanes;
      if (line >= a.cols) line = 0, ++later;
    }
    for (const int64_t stop = std::min(dy.rows, l + kPace); l < stop; ++l) {
      const float* left = a.row(rows ? rows[l0 + l] : l0 + l) + k0;
      Vec y[V];
      load_row<V>(dy.row(l) + panel.column, panel.last, y);
      unrolled<R>([&](auto r) {
        const Vec x = vec_spread(left[r]);
        unrolled<V>([&](auto v) { sum[r][v] = vec_fma(x, y[v], sum[r][v]); });
      });
    }
  }
  unrolled<R>([&](auto r) { store_row<V>(dw.row(k0 + r) + panel.column, panel.last, sum[r]); });
}

// Calls f.operator()<R, V>() for a tile of that many rows and vectors.
template <int R, class F>
void with_vectors(int64_t vectors, F&& f) {
  switch (vectors) {
#ifdef __AVX512F__
    case 4:
      return f.template operator()<R, 4>();
    case 3:
      return f.template operator()<R, 3>();
#endif
    case 2:
      return f.template operator()<R, 2>();
    default:
      return f.template operator()<R, 1>();
  }
}
template <class F>
void with_shape(int64_t rows, int64_t vectors, F&& f) {
  switch (rows) {
    case 1:
      return with_vectors<1>(vectors, f);
    case 2:
      return with_vectors<2>(vectors, f);
    case 3:
      return with_vectors<3>(vectors, f);
    case 4:
      return with_vectors<4>(vectors, f);
    case 5:
      return with_vectors<5>(vectors, f);
    default:
      return with_vectors<kTileRows>(vectors, f);
  }
}

// c[i - begin] = (add ? c : 0) + bias + a[i] b for i in [begin, end) and the panels [first, last), a[i] being a's row
// rows[i] where rows are given, of which there are `all`. Gathered rows lie anywhere in tables larger than the caches:
// the next end - begin of them are asked for on the way, evenly over all panels, which hides the wait.
inline void multiply_rows(const Mat& a, const int32_t* rows, int64_t begin, int64_t end, int64_t all, const Right& b,
                          int64_t first, int64_t last, const Mat& bias, bool add, const Mat& c) {
  constexpr int64_t kInner = 128;  // rows of a panel that stay in L1 while rows of a pass
  for (int64_t p = first; p < last; ++p) {
    const Panel columns = panel(b.cols, p);
    for (int64_t l = 0; l == 0 || l < b.rows; l += kInner) {
      const int64_t inner = std::min(b.rows - l, kInner);
      for (int64_t i = begin; i < end; i += kTileRows) {
        const int64_t count = std::min<int64_t>(end - i, kTileRows);
        const float *left[kTileRows], *later[kTileRows];
        float* out[kTileRows];
        for (int64_t r = 0; r < count; ++r) {
          left[r] = a.row(rows ? rows[i + r] : i + r) + l;
          out[r] = c.row(i - begin + r);
        }
        int64_t laters = 0;
        if (rows)
          for (int64_t r = p - first; r < count; r += last - first)
            later[laters++] = a.row(rows[std::min(i + r + end - begin, all - 1)]) + l;
        with_shape(count, columns.vectors, [&]<int R, int V>() {
          const Mat shift = l == 0 ? bias : Mat{};
          if (b.packed) tile<R, V, true>(left, b, b.row(p, l), inner, shift, add || l > 0, columns, out, later, laters);
          else tile<R, V, false>(left, b, b.row(p, l), inner, shift, add || l > 0, columns, out, later, laters);
        });
      }
    }
  }
}

// dw[k_begin .. k_end) = (add ? dw : 0) + Σ_l a[first + l]ᵀ dy[l], a[i] being a's row rows[i] where rows are given. A
// chunk of rows is read once for every tile of dw, so it should fit the L1 cache: kChunk rows do. Rows [next, next_end)
// of a, of the next chunk, are asked for on the way.
constexpr int64_t kChunk = 64;
inline void outer_products(const Mat& a, const int32_t* rows, int64_t first, const Mat& dy, int64_t k_begin,
                           int64_t k_end, bool add, const Mat& dw, int64_t next, int64_t next_end) {
  const int64_t tiles = panels(dw.cols) * ((k_end - k_begin + kTileRows - 1) / kTileRows);
  const float* later[kChunk];
  int64_t tile = 0;
  for (int64_t p = 0; p < panels(dw.cols); ++p) {
    const Panel columns = panel(dw.cols, p);
    for (int64_t k = k_begin; k < k_end; k += kTileRows, ++tile) {
      int64_t laters = 0;
      for (int64_t i = next + tile; i < next_end; i += tiles) later[laters++] = a.row(rows ? rows[i] : i);
      with_shape(std::min<int64_t>(k_end - k, kTileRows), columns.vectors,
                 [&]<int R, int V>() { outer_tile<R, V>(a, rows, first, k, dy, columns, add, dw, later, laters); });
    }
  }
}

// out = (add ? out : 0) + the matrices at `partial`, in their order.
inline void sum_parts(const float* partial, int64_t parts, bool add, const Mat& out) {
  parallel_ranges(out.size(), 2048, [&](int64_t begin, int64_t end) {
    if (!add) std::fill(out.data + begin, out.data + end, 0.0f);
    for (int64_t p = 0; p < parts; ++p) axpy(1.0f, partial + p * out.size() + begin, out.data + begin, end - begin);
  });
}

}  // namespace nd::cpu
