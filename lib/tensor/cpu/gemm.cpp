// Matrix products for the shapes of these models: many rows, an inner side of about 100, an outer side of 128.
//
// Why not a library: the left factor's rows are gathered from tables without a copy, a row's bits do not
// depend on its neighbours (tiles.h), and at these sizes this is as fast (bench/bench_tensor compares it with Eigen and
// OpenBLAS).
#include <algorithm>
#include <vector>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/cpu/tiles.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

// Rows one thread takes at a time: their panel of b stays in L1. A short matrix is cut finer, so that all have work.
int64_t row_block(int64_t rows) {
  constexpr int64_t kMost = 16, kLeast = 6, kCuts = 16;  // in tiles
  return std::clamp<int64_t>(rows / (kCuts * kTileRows), kLeast, kMost) * kTileRows;
}

constexpr int64_t kManyBlocks = 8;  // enough for a crew
constexpr int64_t kFewRows = 96;    // of a left factor: copying the right one costs as much as this many use

// Scratch that outlives a call, so that a steady state allocates nothing. No operation here calls itself.
std::vector<float>& scratch(size_t count) {
  static thread_local std::vector<float> memory;
  if (memory.size() < count) memory.resize(count);
  return memory;
}

// c = act((add ? c : 0) + bias + a b)
void multiply(const Mat& a, const int32_t* rows, const Right& b, const Mat& bias, Activation act, bool add, Mat c) {
  const int64_t block = row_block(c.rows), blocks = (c.rows + block - 1) / block;
  // A few rows are cut by panels, too.
  const int64_t cuts = blocks < kManyBlocks ? panels(c.cols) : 1;
  parallel_for(blocks * cuts, [&](int64_t part) {
    const int64_t begin = part / cuts * block, end = std::min(begin + block, c.rows);
    const int64_t first = panels(c.cols) * (part % cuts) / cuts, last = panels(c.cols) * (part % cuts + 1) / cuts;
    multiply_rows(a, rows, begin, end, c.rows, b, first, last, bias, add, {c.row(begin), end - begin, c.cols});
    if (act == Activation::none) return;
    const int64_t from = first * kPanel, to = std::min(last * kPanel, c.cols);
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = from; j < to; j += kLanes) {
        const int64_t lanes = std::min(to - j, kLanes);
        store(c.row(i) + j, apply(act, load(c.row(i) + j, lanes)), lanes);
      }
  });
}

}  // namespace

void gemm(const Mat& a, const int32_t* rows, const Mat& b, const Mat& bias, Activation act, bool add, Mat c) {
  static thread_local std::vector<float> memory;
  multiply(a, rows, c.rows > kFewRows ? pack(b, memory) : as_it_lies(b), bias, act, add, c);
}

void gemm_nt(const Mat& dy, const Mat& b, bool add, Mat dx) {
  static thread_local std::vector<float> memory;
  multiply(dy, nullptr, pack_transposed(b, memory), {}, Activation::none, add, dx);
}

void gemm_tn(const Mat& a, const int32_t* rows, const Mat& dy, bool add, Mat dw) {
  // A long sum is cut into parts of its own (shape decides how many), summed in order at the end; a short one is cut
  // by rows of the result instead. Inside a part, tiles pass over chunks of rows that fit the L1 cache.
  constexpr int64_t kFewRows = 512, kPartRows = 256, kMostParts = 32, kResultRows = 8 * kTileRows;
  const int64_t m = dy.rows;
  const int64_t parts = m < kFewRows ? 1 : std::clamp<int64_t>(m / (4 * kPartRows) * 4, 4, kMostParts);
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
      const int64_t next_end = rows ? std::min(last, l_end + kChunk) : l_end;  // the machine sees plain order coming
      outer_products(a, rows, l, {dy.row(l), l_end - l, dy.cols}, k_begin, k_end, add_to_out, out, l_end, next_end);
      add_to_out = true;
    }
  });
  if (parts > 1) sum_parts(partial, parts, add, dw);
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
