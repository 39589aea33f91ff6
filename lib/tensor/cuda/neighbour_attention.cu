// KRED's neighbour attention (ops.inc), forwards in one launch.
//
// A warp takes a set, 20 neighbours at a time, which is all of a head's by default: brings their rows into shared
// memory, multiplies them there with the layer (tiles.h), adds head's and relation's rows, makes scores, softmax and
// the weighted sum, and leaves behind only a bit a unit, the weights and the sum. Of more neighbours the maximum, the
// total and the sum so far go from tile to tile (Milakov and Gimelshein 2018).
//
// Why not cuBLAS: a neighbour with a row of k = 90 and n = 128 units takes k n = 11,520 multiply-adds, on an H100 at
// full rate (33.5 T/s) 0.34 ns. A product of gathered rows by cuBLAS would write and read those rows and what comes
// out, 8 (k + n) = 1.7 KB, at 3.35 TB/s 0.52 ns on top of its own time, even with TF32; here 4 k = 360 bytes come in,
// 0.11 ns, while other neighbours are multiplied. So the product is a float32 one, with --tf32 too. The layer, 46 KB,
// is read from the L1 cache, 512 bytes for 2,560 multiply-adds.
//
// Why bits and not a product once more backwards: a bit a unit is 16 bytes written and read by three kernels, 0.02 ns.
//
// Rows of more than 128 numbers are read from the table again and again, and units whose number is no multiple of eight
// are read one by one. Unproven.
#include <algorithm>

#include "lib/tensor/cuda/attention.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/products.h"
#include "lib/tensor/cuda/tiles.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {
namespace {

// One set by one warp. With kStaged its rows lie in shared memory, else they are read where they lie; with kFours all
// matrices are read in fours.
template <bool kStaged, bool kFours>
struct Forward {
  Index sets;
  Mat head, relation, x, layer, w, p, y;
  Index relation_of;
  const int32_t* tail;
  uint8_t* mask;

  static constexpr int64_t floats(int64_t inner) {
    return kTileRows * (kPartStride + 1) + (kStaged ? pair_floats(inner) : 0);
  }

  // Neighbours at .. at + n of a set, and a warp's memory for them. Rows beyond are the last one once more.
  struct Tile {
    int64_t set, at, n;
    float *parts, *weight, *pairs;
    ND_KERNEL int64_t item(int64_t row) const { return at + (row < n ? row : n - 1); }
  };
  ND_KERNEL const float* row_of(const Tile& t, int64_t row) const { return x.row(tail[t.item(row)]); }

  // The sixteen parts of each row's score, and its bits.
  template <int kRows>
  ND_KERNEL void score(const Warp& team, const Tile& t) const {
    if constexpr (kStaged)
      team.each(x.cols, [&](int64_t c) {
        ND_UNROLL
        for (int row = 0; row < kRows; ++row) t.pairs[pair_place(row, c)] = row_of(t, row)[c];
      });
    team.each(kLanes, [&](int64_t lane) {
      constexpr int kMine = kRows / 2;
      const int64_t cols = w.size(), bytes = 2 * mask_words(cols);
      for (int64_t first = 0; first < cols; first += kTileUnits) {
        const int64_t c = tile_unit(lane, first);
        float sum[kMine][kUnitsOfLane] = {};
        if constexpr (kStaged) {
          multiply_pairs<kFours>(t.pairs + pair_place(tile_row(lane, 0), 0), x.cols, layer.data, c, cols, sum);
        } else {
          const float* row[kMine];
          ND_UNROLL
          for (int j = 0; j < kMine; ++j) row[j] = row_of(t, tile_row(lane, j));
          multiply_rows<kFours>(row, x.cols, layer.data, c, cols, sum);
        }
        float of_head[kUnitsOfLane], second[kUnitsOfLane];
        load_units<kFours>(head.row(t.set), c, cols, of_head);
        load_units<kFours>(w.data, c, cols, second);
        ND_UNROLL
        for (int j = 0; j < kMine; ++j) {
          const int64_t row = tile_row(lane, j), i = t.item(row);
          float of_relation[kUnitsOfLane];
          load_units<kFours>(relation.row(relation_of.row_of(i)), c, cols, of_relation);
          unsigned bits = 0;
          float& part = t.parts[row * kPartStride + lane % kHalfWarp];
          float s = first == 0 ? 0.0f : part;
          ND_UNROLL
          for (int u = 0; u < kUnitsOfLane; ++u) {
            if (c + u >= cols) continue;
            const float unit = of_head[u] + of_relation[u] + sum[j][u];
            bits |= (unit > 0 ? 1u : 0u) << u;
            s = fmaf(relu(unit), second[u], s);
          }
          part = s;
          if (row < t.n && c / 8 < bytes) mask[i * bytes + c / 8] = static_cast<uint8_t>(bits);
        }
      }
    });
  }
  struct Score {
    const Forward& of;
    const Warp& team;
    const Tile& tile;
    template <int kRows>
    ND_KERNEL void operator()() const {
      of.score<kRows>(team, tile);
    }
  };

  ND_KERNEL void operator()(const Warp& team, int64_t r) const {
    const int64_t begin = sets.begin(r), end = sets.end(r);
    float *const parts = team.memory, *const weight = parts + kTileRows * kPartStride, *const sum = y.row(r);
    float most = -INFINITY, total = 0;
    for (int64_t at = begin; at < end; at += kTileRows) {
      const Tile tile{r, at, end - at < kTileRows ? end - at : kTileRows, parts, weight, weight + kTileRows};
      with_rows_for(tile.n, Score{*this, team, tile});
      team.each(tile.n, [&](int64_t row) {
        float s = 0;
        for (int l = 0; l < kHalfWarp; ++l) s += parts[row * kPartStride + l];
        weight[row] = p.data[at + row] = s;
      });
      const float before = most;
      most = fmaxf(before, team.max(tile.n, [&](int64_t row) { return weight[row]; }));
      const float kept = expf(before - most);
      team.each(tile.n, [&](int64_t row) { weight[row] = expf(weight[row] - most); });
      total = fmaf(total, kept, team.sum(tile.n, [&](int64_t row) { return weight[row]; }));
      team.each(y.cols, [&](int64_t c) {
        float s = at == begin ? 0.0f : sum[c] * kept;
        for (int64_t row = 0; row < tile.n; ++row)
          s = fmaf(weight[row], kStaged ? tile.pairs[pair_place(row, c)] : row_of(tile, row)[c], s);
        sum[c] = s;
      });
    }
    team.each(y.cols, [&](int64_t c) { sum[c] = begin < end ? sum[c] / total : 0.0f; });
    team.each(end - begin, [&](int64_t i) { p.data[begin + i] = expf(p.data[begin + i] - most) / total; });
  }
};

// Sets from `first` on that are worked on together: so many that their gathered rows take a bounded piece of memory,
// and at least one. `segments` on the host.
int64_t together(const Index& segments, int64_t first) {
  constexpr int64_t kItems = 1 << 18;
  int64_t end = first + 1;
  while (end < segments.rows && segments.end(end) - segments.begin(first) <= kItems) ++end;
  return end;
}
// The most items that are worked on together.
int64_t most_together(const Index& segments) {
  int64_t most = 0;
  for (int64_t r = 0, end; r < segments.rows; r = end) {
    end = together(segments, r);
    most = std::max(most, segments.end(end - 1) - segments.begin(r));
  }
  return most;
}
Mat first_rows(const Mat& x, int64_t rows) { return {x.data, rows, x.cols, x.device}; }

}  // namespace

void neighbour_attention(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                         const int32_t* tail, const Mat& layer, const Mat& w, uint16_t* mask, Mat p, Mat y) {
  Call call;
  const auto launch = [&]<bool kStaged, bool kFours>() {
    using Kernel = Forward<kStaged, kFours>;
    const Kernel forward{call.in(segments),
                         head,
                         relation.values,
                         x,
                         layer,
                         w,
                         p,
                         y,
                         call.in(relation.index),
                         call.in(tail, segments.items),
                         reinterpret_cast<uint8_t*>(call.out(mask))};
    teams<kWarp, kBlocksOfTiles>(segments.rows, Kernel::floats(x.cols), forward);
  };
  const bool fours = w.size() % 8 == 0 && in_fours(head.data) && in_fours(relation.values.data) &&
                     in_fours(layer.data) && in_fours(w.data);
  if (!fours) launch.template operator()<false, false>();
  else if (!fits<kWarp>(Forward<true, true>::floats(x.cols))) launch.template operator()<false, true>();
  else launch.template operator()<true, true>();
}

void neighbour_attention_backward(const Index& segments, const Mat& x, const int32_t* tail, const Mat& layer,
                                  const Mat& w, const uint16_t* mask, const Mat& p, const Mat& dy, Mat ds,
                                  bool add_layer, Mat dlayer, bool add_w, Mat dw) {
  Call call;
  const int64_t cols = w.size(), words = mask_words(cols);
  const Index sets = call.in(segments);
  const int32_t* const tails = call.in(tail, segments.items);
  const uint16_t* const positive = call.in(mask, segments.items * words);
  dot_items(sets, dy, x, tails, false, ds);
  softmax_sets_backward(sets, p, ds, false, ds);

  // g(k,n) = Σ x[tail]ᵀ (ds ⊙ mask): the layer's gradient is g ⊙ w, its share of w's the column sums of g ⊙ layer.
  const int64_t most = most_together(segments);
  const Mat all_rows = call.scratch(most, x.cols), all_scaled = call.scratch(most, cols);
  const Mat g = call.scratch(layer.rows, cols);
  set_all(g, 0.0f);
  for (int64_t r = 0; r < segments.rows;) {
    const int64_t r_end = together(segments, r), begin = segments.begin(r), items = segments.end(r_end - 1) - begin;
    const Mat rows = first_rows(all_rows, items), scaled = first_rows(all_scaled, items);
    gather_rows(x, tails + begin, rows);
    each(scaled.size(), [=] ND_KERNEL(int64_t at) {
      const int64_t item = begin + at / cols;
      scaled.data[at] = mask_bit(positive + item * words, at % cols) ? ds.data[item] : 0.0f;
    });
    product_tn(rows, scaled, true, g);
    r = r_end;
  }
  each(g.size(), [=] ND_KERNEL(int64_t i) {
    const float sum = g.data[i], dl = sum * w.data[i % cols];
    dlayer.data[i] = add_layer ? dlayer.data[i] + dl : dl;
    g.data[i] = sum * layer.data[i];
  });
  sum_rows(call, g.data, g.rows, cols, cols, add_w, dw.data);
}

}  // namespace nd::cuda
