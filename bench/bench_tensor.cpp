// The numeric core at the shapes of a KRED training step (kred.md 1; 64 documents of 24 entities with 20 neighbours
// each): products beside Eigen and, where it is installed, OpenBLAS; the attention's kernels in nanoseconds an item.
//
//   bench_tensor [threads]      (1 by default; Eigen and OpenBLAS always run on one)
#include <dlfcn.h>
#include <time.h>

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "lib/tensor/index.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

// With one thread the processor time this process got, which other processes disturb least; else seconds gone by.
double now() {
  timespec t{};
  clock_gettime(threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Seconds of the fastest of many runs: other processes only ever make a run slower.
template <class F>
double fastest(F&& f) {
  double best = 1e9;
  const double began = now();
  for (int i = 0; i < 5 || (i < 300 && now() - began < 0.5); ++i) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return best;
}

std::vector<float> numbers(int64_t n, const char* name) {
  const Random random(1, name);
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(random.uniform(i) - 0.5);
  return x;
}
std::vector<int32_t> drawn(int64_t n, int64_t rows, const char* name) {
  const Random random(1, name);
  std::vector<int32_t> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<int32_t>(random.below(rows, i));
  return x;
}

// --- Products ---

using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);

Sgemm open_blas() {
  void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  if (!library) return nullptr;
  if (auto* threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"))) threads(1);
  return reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
}

void products(int m, int k, int n, Sgemm blas) {
  using Map = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  auto a = numbers(int64_t{m} * k, "a"), b = numbers(int64_t{k} * n, "b"), c = numbers(int64_t{m} * n, "c");
  const Mat left{a.data(), m, k}, right{b.data(), k, n}, out{c.data(), m, n};
  Map x(a.data(), m, k), w(b.data(), k, n), y(c.data(), m, n);
  constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
  const double flop = 2e-9 * m * k * n;
  const auto line = [&](const char* what, double ours, double eigen, double open) {
    std::printf("%-10s %6d x %4d x %4d   ours %6.1f   Eigen %6.1f   OpenBLAS %6.1f   GFLOP/s\n", what, m, k, n,
                flop / ours, flop / eigen, open > 0 ? flop / open : 0.0);
  };
  const auto gemm_of = [&](int ta, int tb, int rows, int cols, int inner, const float* p, int lda, const float* q,
                           int ldb, float* r) {
    if (!blas) return 0.0;
    return fastest([&] { blas(kRowMajor, ta, tb, rows, cols, inner, 1, p, lda, q, ldb, 0, r, cols); });
  };
  line("gemm", fastest([&] { ops::gemm(left, nullptr, right, {}, Activation::none, false, out); }),
       fastest([&] { y.noalias() = x * w; }), gemm_of(kPlain, kPlain, m, n, k, a.data(), k, b.data(), n, c.data()));
  line("gemm_tn", fastest([&] { ops::gemm_tn(left, nullptr, out, false, right); }),
       fastest([&] { w.noalias() = x.transpose() * y; }),
       gemm_of(kTransposed, kPlain, k, n, m, a.data(), k, c.data(), n, b.data()));
  line("gemm_nt", fastest([&] { ops::gemm_nt(out, right, false, left); }),
       fastest([&] { x.noalias() = y * w.transpose(); }),
       gemm_of(kPlain, kTransposed, m, k, n, c.data(), n, b.data(), n, a.data()));
}

// --- Attention ---

struct Side {
  Mat table, gradient;
  Index index;
  std::vector<float> memory, gradient_memory;
};

void attention() {
  constexpr int64_t kHeads = 952, kNeighbours = 20, kItems = kHeads * kNeighbours, kHidden = 128, kDim = 90;
  constexpr int64_t kEntities = 200000, kRelations = 1000;
  Arena arena;
  const auto print = [](const char* what, double seconds, int64_t bytes) {
    std::printf("%-44s %7.1f ns an item   %6.1f GB/s\n", what, seconds * 1e9 / kItems,
                static_cast<double>(bytes) * kItems * 1e-9 / seconds);
  };

  // Distinct tails in order of first use, as a batch has them.
  const auto tail_entity = drawn(kItems, kEntities, "tails"), relation = drawn(kItems, kRelations, "relations");
  std::vector<int32_t> place(kEntities, -1), tails, tail_row;
  for (int32_t e : tail_entity) {
    if (place[e] < 0) {
      place[e] = static_cast<int32_t>(tails.size());
      tails.push_back(e);
    }
    tail_row.push_back(place[e]);
  }
  std::vector<int64_t> offsets;
  for (int64_t h = 0; h <= kHeads; ++h) offsets.push_back(h * kNeighbours);
  const Index segments = make_segments(arena, offsets);

  const auto entities = numbers(kEntities * kDim, "entities");
  const Mat x{const_cast<float*>(entities.data()), kEntities, kDim};
  const Index picked{kItems, kEntities, tail_entity.data(), nullptr, nullptr};
  const auto side = [&](const Index& index, const char* name) {
    Side s;
    s.memory = numbers(index.rows * kHidden, name);
    s.gradient_memory.resize(s.memory.size());
    s.index = index;
    s.table = {s.memory.data(), index.rows, kHidden};
    s.gradient = {s.gradient_memory.data(), index.rows, kHidden};
    return s;
  };
  const Side head = side(segments, "head");
  const Side rel = side(make_index(arena, relation, kRelations), "relation");
  const Side tail = side(make_index(arena, tail_row, static_cast<int64_t>(tails.size())), "tail");
  auto weight = numbers(kHidden, "w"), dweight = weight, item = numbers(kItems, "s"), ditem = item;
  const Mat w{weight.data(), kHidden, 1}, dw{dweight.data(), kHidden, 1};
  const Mat p{item.data(), kItems, 1}, dp{ditem.data(), kItems, 1};
  std::vector<uint16_t> mask(kItems * kHidden / 16);
  const Mat sums = arena.mat(kHeads, kDim);
  std::fill_n(sums.data, sums.size(), 0.5f);

  // What the memory can do: the rows read once, in order and at random.
  Mat copy = arena.mat(kItems, kDim);
  const Table rows{x, picked}, in_order{x, Index{kItems, kItems, nullptr, nullptr, nullptr}};
  print("copy of consecutive rows", fastest([&] { ops::gather_sum(std::span(&in_order, 1), copy); }), 8 * kDim);
  print("copy of random rows", fastest([&] { ops::gather_sum(std::span(&rows, 1), copy); }), 8 * kDim);

  auto w1 = numbers(kDim * kHidden, "w1");
  const Mat layer{w1.data(), kDim, kHidden};
  print("tails: gathered product",
        fastest([&] { ops::gemm(x, tails.data(), layer, {}, Activation::none, false, tail.table); }),
        4 * (kDim + kHidden));
  const std::vector<Table> tables = {{head.table, head.index}, {rel.table, rel.index}, {tail.table, tail.index}};
  print("relu_dot, three tables", fastest([&] { ops::relu_dot(tables, w, {}, mask.data(), dp); }), 12 * kHidden);
  print("segment_softmax", fastest([&] { ops::segment_softmax(segments, dp, p); }), 8);
  print("segment_sum of random rows", fastest([&] { ops::segment_sum(segments, p, x, picked, false, sums); }),
        4 * kDim);
  print("segment_sum_backward_weights",
        fastest([&] { ops::segment_sum_backward_weights(segments, sums, x, picked, false, dp); }), 4 * kDim);
  print("segment_softmax_backward", fastest([&] { ops::segment_softmax_backward(segments, p, dp, false, dp); }), 12);
  const auto backward = [&](const Side& s) {
    ops::relu_dot_backward(s.index, dp, mask.data(), s.table, w, false, s.gradient, false, dw);
  };
  print("relu_dot_backward, heads", fastest([&] { backward(head); }), kHidden / 8);
  print("relu_dot_backward, relations", fastest([&] { backward(rel); }), kHidden / 8);
  print("relu_dot_backward, tails", fastest([&] { backward(tail); }), 8 * kHidden);
  auto dw1 = w1;
  print("tails: gathered product, transposed", fastest([&] {
          ops::gemm_tn(x, tails.data(), tail.gradient, false, {dw1.data(), kDim, kHidden});
        }),
        4 * (kDim + kHidden));
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  nd::set_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  const auto blas = nd::open_blas();
  std::printf("%d thread(s) for ours%s\n", nd::threads(), blas ? "" : "; OpenBLAS is not installed");
  for (auto [m, k, n] :
       {std::array{18000, 90, 128}, {1536, 90, 128}, {952, 180, 90}, {64, 768, 128}, {1024, 1024, 1024}})
    nd::products(m, k, n, blas);
  nd::attention();
}
