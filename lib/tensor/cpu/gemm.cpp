// Matrix products for the shapes of these models: many rows, an inner side of about 100, an outer side of 128.
//
// Why not a library: the left factor's rows are gathered from tables without a copy, every element is one chain of
// fused multiply-adds over the inner index (so a row's bits do not depend on its neighbours, on blocks, or on how wide
// the registers are), and at these sizes the tile below is faster (bench/gemm compares it with Eigen and OpenBLAS).
#include <algorithm>
#include <vector>

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

// A tile of kTileRows rows by kTileVectors vectors of sums fills the register file: 24 of 32 with AVX-512, 12 of 16
// (each vector is two) with AVX2.
constexpr int kTileRows = 6;
#ifdef __AVX512F__
constexpr int kTileVectors = 4;
#else
constexpr int kTileVectors = 1;
#endif
constexpr int64_t kPanel = kTileVectors * kLanes;
constexpr int64_t kRowBlock = 16 * kTileRows;  // rows one thread takes at a time: their panel of b stays in L1

// sum[r][v] += Σ_l a[r][l] b[l][16 v ..]
template <int R, int V>
inline void tile_product(const float* const* a, const float* b, int64_t ldb, int64_t inner, Lanes (&sum)[R][V]) {
  for (int64_t l = 0; l < inner; ++l) {
    Lanes right[V];
    for (int v = 0; v < V; ++v) right[v] = load(b + l * ldb + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const Lanes left = spread(a[r][l]);
      for (int v = 0; v < V; ++v) sum[r][v] += left * right[v];
    }
  }
}

// One panel of columns of the right factor, padded with zeros to whole vectors where it has to be.
struct Panel {
  const float* b = nullptr;
  int64_t ldb = 0;
  int64_t column = 0, width = 0;  // width is the number of true columns
};

// Cuts b(k,n) into panels. Whole vectors are read where they are; a ragged last panel is copied and padded.
std::vector<Panel>& cut(const Mat& b, std::vector<Panel>& panels, std::vector<float>& padded) {
  panels.clear();
  int64_t column = 0;
  for (; column + kPanel <= b.cols; column += kPanel) panels.push_back({b.data + column, b.cols, column, kPanel});
  if (column == b.cols) return panels;
  const int64_t width = b.cols - column;
  if (width % kLanes == 0) {
    panels.push_back({b.data + column, b.cols, column, width});
    return panels;
  }
  const int64_t ldb = (width + kLanes - 1) / kLanes * kLanes;
  padded.assign(static_cast<size_t>(b.rows * ldb), 0.0f);
  for (int64_t l = 0; l < b.rows; ++l)
    std::copy_n(b.data + l * b.cols + column, width, padded.data() + l * ldb);
  panels.push_back({padded.data(), ldb, column, width});
  return panels;
}

struct Epilogue {
  const float* bias = nullptr;  // of the panel's first column
  Activation act = Activation::none;
  bool add = false;
};

template <int R, int V>
void finish(Lanes (&sum)[R][V], const Panel& panel, const Epilogue& e, float* const* c) {
  for (int v = 0; v < V; ++v) {
    const int64_t width = std::min(panel.width - v * kLanes, kLanes);
    const Lanes bias = e.bias ? load(e.bias + v * kLanes, width) : zeros();
    for (int r = 0; r < R; ++r) {
      float* out = c[r] + panel.column + v * kLanes;
      Lanes y = sum[r][v] + bias;
      if (e.add) y += load(out, width);
      y = apply(e.act, y);
      if (width == kLanes)
        store(out, y);
      else
        store(out, y, width);
    }
  }
}

template <int R, int V>
void tile(const float* const* a, const Panel& panel, int64_t inner, const Epilogue& e, float* const* c) {
  Lanes sum[R][V] = {};
  tile_product<R, V>(a, panel.b, panel.ldb, inner, sum);
  finish<R, V>(sum, panel, e, c);
}

template <int R>
void tile_of_width(const float* const* a, const Panel& panel, int64_t inner, const Epilogue& e, float* const* c) {
  switch ((panel.width + kLanes - 1) / kLanes) {
    case 1: return tile<R, 1>(a, panel, inner, e, c);
#ifdef __AVX512F__
    case 2: return tile<R, 2>(a, panel, inner, e, c);
    case 3: return tile<R, 3>(a, panel, inner, e, c);
    default: return tile<R, 4>(a, panel, inner, e, c);
#endif
  }
}

void any_tile(int64_t rows, const float* const* a, const Panel& panel, int64_t inner, const Epilogue& e,
              float* const* c) {
  switch (rows) {
    case 1: return tile_of_width<1>(a, panel, inner, e, c);
    case 2: return tile_of_width<2>(a, panel, inner, e, c);
    case 3: return tile_of_width<3>(a, panel, inner, e, c);
    case 4: return tile_of_width<4>(a, panel, inner, e, c);
    case 5: return tile_of_width<5>(a, panel, inner, e, c);
    default: return tile_of_width<6>(a, panel, inner, e, c);
  }
}

// dw rows [k0, k0 + R) of one panel: sum[r][v] += Σ_l a[l][k0 + r] dy[l][16 v ..]
template <int R, int V>
void outer_tile(const Mat& a, const int32_t* rows, int64_t k0, const Panel& dy, int64_t first, int64_t last,
                bool fresh, Mat out) {
  Lanes sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) {
      const int64_t width = std::min(dy.width - v * kLanes, kLanes);
      sum[r][v] = fresh ? zeros() : load(out.row(k0 + r) + dy.column + v * kLanes, width);
    }
  for (int64_t l = first; l < last; ++l) {
    const float* left = a.row(rows ? rows[l] : l) + k0;
    Lanes right[V];
    for (int v = 0; v < V; ++v) right[v] = load(dy.b + l * dy.ldb + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const Lanes x = spread(left[r]);
      for (int v = 0; v < V; ++v) sum[r][v] += x * right[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      store(out.row(k0 + r) + dy.column + v * kLanes, sum[r][v], std::min(dy.width - v * kLanes, kLanes));
}

template <int R>
void outer_tile_of_width(const Mat& a, const int32_t* rows, int64_t k0, const Panel& dy, int64_t first, int64_t last,
                         bool fresh, Mat out) {
  switch ((dy.width + kLanes - 1) / kLanes) {
    case 1: return outer_tile<R, 1>(a, rows, k0, dy, first, last, fresh, out);
#ifdef __AVX512F__
    case 2: return outer_tile<R, 2>(a, rows, k0, dy, first, last, fresh, out);
    case 3: return outer_tile<R, 3>(a, rows, k0, dy, first, last, fresh, out);
    default: return outer_tile<R, 4>(a, rows, k0, dy, first, last, fresh, out);
#endif
  }
}

void any_outer_tile(int64_t count, const Mat& a, const int32_t* rows, int64_t k0, const Panel& dy, int64_t first,
                    int64_t last, bool fresh, Mat out) {
  switch (count) {
    case 1: return outer_tile_of_width<1>(a, rows, k0, dy, first, last, fresh, out);
    case 2: return outer_tile_of_width<2>(a, rows, k0, dy, first, last, fresh, out);
    case 3: return outer_tile_of_width<3>(a, rows, k0, dy, first, last, fresh, out);
    case 4: return outer_tile_of_width<4>(a, rows, k0, dy, first, last, fresh, out);
    case 5: return outer_tile_of_width<5>(a, rows, k0, dy, first, last, fresh, out);
    default: return outer_tile_of_width<6>(a, rows, k0, dy, first, last, fresh, out);
  }
}

// Calls to the same op never nest, so its scratch can outlive the call.
struct Scratch {
  std::vector<Panel> panels;
  std::vector<float> padded, transposed, partial;
};
Scratch& scratch() {
  static thread_local Scratch s;
  return s;
}

}  // namespace

void gemm(const Mat& a, const int32_t* rows, const Mat& b, const Mat& bias, Activation act, bool add, Mat c) {
  Scratch& s = scratch();
  const auto& panels = cut(b, s.panels, s.padded);
  parallel_ranges(c.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    for (const Panel& panel : panels) {
      const Epilogue e{bias.empty() ? nullptr : bias.data + panel.column, act, add};
      for (int64_t i = begin; i < end; i += kTileRows) {
        const int64_t count = std::min<int64_t>(end - i, kTileRows);
        const float* left[kTileRows];
        float* out[kTileRows];
        for (int64_t r = 0; r < count; ++r) {
          left[r] = a.row(rows ? rows[i + r] : i + r);
          out[r] = c.row(i + r);
        }
        any_tile(count, left, panel, b.rows, e, out);
      }
    }
  });
}

void gemm_nt(const Mat& dy, const Mat& b, bool add, Mat dx) {
  auto& t = scratch().transposed;
  t.resize(static_cast<size_t>(b.size()));
  for (int64_t i = 0; i < b.rows; ++i)
    for (int64_t j = 0; j < b.cols; ++j) t[j * b.rows + i] = b.row(i)[j];
  gemm(dy, nullptr, Mat{t.data(), b.cols, b.rows}, {}, Activation::none, add, dx);
}

void gemm_tn(const Mat& a, const int32_t* rows, const Mat& dy, bool add, Mat dw) {
  // A long sum is cut into parts of its own (shape decides how many), summed in order at the end; a short one is cut
  // by rows of the result instead. Inside a part, chunks of rows keep dy's panel in L1 while tiles pass over it.
  constexpr int64_t kChunk = 128, kPartRows = 1024, kMostParts = 32, kResultRows = 8 * kTileRows;
  Scratch& s = scratch();
  const auto& panels = cut(dy, s.panels, s.padded);
  const int64_t m = dy.rows;
  const int64_t parts = std::clamp<int64_t>(m / kPartRows, 1, kMostParts);
  const int64_t groups = (dw.rows + kResultRows - 1) / kResultRows;
  auto& partial = s.partial;
  if (parts > 1) partial.resize(static_cast<size_t>(parts * dw.size()));
  parallel_for(parts * groups, [&](int64_t block) {
    const int64_t part = block / groups, group = block % groups;
    const int64_t first = m * part / parts, last = m * (part + 1) / parts;
    const Mat out = parts > 1 ? Mat{partial.data() + part * dw.size(), dw.rows, dw.cols} : dw;
    const int64_t k_end = std::min(dw.rows, (group + 1) * kResultRows);
    for (int64_t l = first; l == first || l < last; l += kChunk) {
      const bool fresh = l == first && (parts > 1 || !add);
      for (const Panel& panel : panels)
        for (int64_t k = group * kResultRows; k < k_end; k += kTileRows)
          any_outer_tile(std::min<int64_t>(k_end - k, kTileRows), a, rows, k, panel, l, std::min(last, l + kChunk), fresh,
                         out);
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
  auto& partial = scratch().partial;
  partial.assign(static_cast<size_t>(parts * x.cols), 0.0f);
  parallel_for(parts, [&](int64_t part) {
    float* sum = partial.data() + part * x.cols;
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
