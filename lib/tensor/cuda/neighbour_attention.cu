// KRED's neighbour attention (ops.inc), forwards in one launch, backwards in seven or so.
//
// Forwards a warp takes a set, 20 neighbours at a time, which is all of a head's by default: brings their rows into
// shared memory, multiplies them there with the layer (tiles.h), adds head's and relation's rows, makes scores, softmax
// and the weighted sum, and leaves behind only a bit a unit, the weights and the sum. Of more neighbours the maximum,
// the total and the sum so far go from tile to tile (Milakov and Gimelshein 2018).
//
// Why not cuBLAS: a neighbour with a row of k = 90 and n = 128 units takes k n = 11,520 multiply-adds, on an H100 at
// full rate (33.5 T/s) 0.34 ns. A product of gathered rows by cuBLAS would write and read those rows and what comes
// out, 8 (k + n) = 1.7 KB, at 3.35 TB/s 0.52 ns on top of its own time, even with TF32; here 4 k = 360 bytes come in,
// 0.11 ns, while other neighbours are multiplied. So the product is a float32 one, with --tf32 too. The layer, 46 KB,
// is read from the L1 cache, 512 bytes for 2,560 multiply-adds.
//
// Why bits and not a product once more backwards: a bit a unit is 16 bytes written and read by three kernels, 0.02 ns.
//
// Backwards a warp takes a set again, from the gradient of its sum to those of its scores and its head. The layer's
// gradient is as large a product as the forward one, of the rows with scores' gradients where bits are set: blocks each
// sum a part of the neighbours (tiles.h), 368 bytes of them in, and a few launches join the parts, 46 KB each.
//
// Rows of more than 128 numbers are read from the table again and again, and units whose number is no multiple of eight
// are read one by one. Unproven.
#include "lib/tensor/cuda/attention.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/reduce.h"
#include "lib/tensor/cuda/runs.h"
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

// The gradients of a set's scores, ds, and of its head, by one warp; share(r) is the head's part of w's gradient.
struct Backward {
  Index sets;
  Mat head, x, w, p, dy, ds, share;
  Into dhead;
  const int32_t* tail;
  const uint16_t* mask;

  static constexpr int64_t kApart = kLanes + 1;  // from row to row of the lanes' parts
  static constexpr int64_t kFloats = kTileRows * kApart;

  struct Dots {
    const Backward& of;
    const Warp& team;
    int64_t set, at, n;
    template <int kRows>
    ND_KERNEL void operator()() const {
      const Mat &x = of.x, &dy = of.dy;
      team.each(kLanes, [&](int64_t lane) {
        float sum[kRows] = {};
        for (int64_t c = lane; c < x.cols; c += kLanes) {
          const float d = dy.row(set)[c];
          ND_UNROLL
          for (int row = 0; row < kRows; ++row)
            sum[row] = fmaf(d, x.row(of.tail[at + (row < n ? row : n - 1)])[c], sum[row]);
        }
        ND_UNROLL
        for (int row = 0; row < kRows; ++row) team.memory[row * kApart + lane] = sum[row];
      });
    }
  };

  ND_KERNEL void operator()(const Warp& team, int64_t r) const {
    const int64_t begin = sets.begin(r), end = sets.end(r), cols = w.size(), words = mask_words(cols);
    for (int64_t at = begin; at < end; at += kTileRows) {
      const int64_t n = end - at < kTileRows ? end - at : kTileRows;
      with_rows_for(n, Dots{*this, team, r, at, n});
      team.each(n, [&](int64_t row) {
        float sum = 0;
        for (int l = 0; l < kLanes; ++l) sum += team.memory[row * kApart + l];
        ds.data[at + row] = sum;
      });
    }
    const float mean = team.sum(end - begin, [&](int64_t i) { return p.data[begin + i] * ds.data[begin + i]; });
    team.each(end - begin, [&](int64_t i) { ds.data[begin + i] = p.data[begin + i] * (ds.data[begin + i] - mean); });
    team.each(cols, [&](int64_t c) {
      float sum = 0;
      for (int64_t i = begin; i < end; ++i) sum += mask_bit(mask + i * words, c) ? ds.data[i] : 0.0f;
      put(dhead, r * cols + c, w.data[c] * sum);
      share.row(r)[c] = sum * head.row(r)[c];
    });
  }
};

// A part of the items' sum g(k,n) = Σ x[tail]ᵀ (ds ⊙ mask), by one block: of sums(parts, k n) a tile of a row.
struct LayerSums {
  Mat x, ds, sums;
  const int32_t* tail;
  const uint16_t* mask;
  int64_t items, cols, parts, down, across;  // tiles

  static constexpr int64_t kFloats = kSumItems * (kSumRows + kSumCols);

  ND_KERNEL void operator()(const Block& team, int64_t number) const {
    const int64_t part = number / (down * across), k0 = number / across % down * kSumRows,
                  c0 = number % across * kSumCols;
    const int64_t last = items * (part + 1) / parts, words = mask_words(cols);
    float *const rows = team.memory, *const scaled = rows + kSumItems * kSumRows;
    Block::Own<LaneSums> own{};
    for (int64_t at = items * part / parts; at < last; at += kSumItems) {
      const int n = static_cast<int>(last - at < kSumItems ? last - at : kSumItems);
      team.each(n * kSumRows, [&](int64_t i) {
        const int item = static_cast<int>(i) / kSumRows, k = static_cast<int>(i) % kSumRows;
        rows[i] = k0 + k < x.cols ? x.row(tail[at + item])[k0 + k] : 0.0f;
      });
      team.each(n * kSumCols, [&](int64_t i) {
        const int item = static_cast<int>(i) / kSumCols, c = static_cast<int>(i) % kSumCols;
        const bool positive = c0 + c < cols && mask_bit(mask + (at + item) * words, c0 + c);
        scaled[i] = positive ? ds.data[at + item] : 0.0f;
      });
      team.each_own(own, [&](int64_t lane, LaneSums& sum) {
        const float *of_row = rows + sum_row(lane, 0), *of_col = scaled + sum_col(lane, 0);
        for (int item = 0; item < n; ++item, of_row += kSumRows, of_col += kSumCols) {
          Four row[kLaneRows / 4], col[kLaneCols / 4];
          ND_UNROLL
          for (int q = 0; q < kLaneRows / 4; ++q) row[q] = *reinterpret_cast<const Four*>(of_row + 4 * q);
          ND_UNROLL
          for (int q = 0; q < kLaneCols / 4; ++q) col[q] = *reinterpret_cast<const Four*>(of_col + sum_col(0, 4 * q));
          ND_UNROLL
          for (int j = 0; j < kLaneRows; ++j) {
            ND_UNROLL
            for (int u = 0; u < kLaneCols; ++u)
              sum.at[j][u] = fmaf(row[j / 4].at[j % 4], col[u / 4].at[u % 4], sum.at[j][u]);
          }
        }
      });
    }
    team.each_own(own, [&](int64_t lane, LaneSums& sum) {
      ND_UNROLL
      for (int j = 0; j < kLaneRows; ++j) {
        ND_UNROLL
        for (int u = 0; u < kLaneCols; ++u)
          if (const int64_t k = k0 + sum_row(lane, j), c = c0 + sum_col(lane, u); k < x.cols && c < cols)
            sums.row(part)[k * cols + c] = sum.at[j][u];
      }
    });
  }
};

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

void neighbour_attention_backward(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                                  const int32_t* tail, const Mat& layer, const Mat& w, const uint16_t* mask,
                                  const Mat& p, const Mat& dy, Mat ds, const NeighbourAttentionInto& out) {
  Call call;
  const int64_t cols = w.size(), words = mask_words(cols), items = segments.items;
  const Index sets = call.in(segments), relations = call.in(relation.index);
  const int32_t* const tails = call.in(tail, items);
  const uint16_t* const positive = call.in(mask, items * words);

  // What a head's or a relation's row has to do with w's gradient, a row each.
  const Mat shares = call.scratch(head.rows + relation.values.rows, cols);
  teams<kWarp>(sets.rows, Backward::kFloats, Backward{sets, head, x, w, p, dy, ds, shares, out.head, tails, positive});
  const Mat table = relation.values, of_relations = {shares.row(head.rows), table.rows, cols, Device::cuda};
  const Into into = out.relation;
  sums_of_runs(
      call, relations, cols,
      [=] ND_KERNEL(float sum, int64_t item, int64_t c) {
        return mask_bit(positive + item * words, c) ? sum + ds.data[item] : sum;
      },
      [=] ND_KERNEL(int64_t r, int64_t c, float sum) {
        put(into, r * cols + c, w.data[c] * sum);
        of_relations.row(r)[c] = sum * table.row(r)[c];
      });
  sum_rows(call, shares.data, shares.rows, cols, out.w);

  // The layer's gradient is g ⊙ w, its share of w's the column sums of g ⊙ layer.
  const int64_t parts = sum_parts_of(items), size = layer.size();
  const int64_t down = (x.cols + kSumRows - 1) / kSumRows, across = (cols + kSumCols - 1) / kSumCols;
  const Mat sums = call.scratch(parts, size);
  teams<kBlock, kBlocksOfTiles>(parts * down * across, LayerSums::kFloats,
                                LayerSums{x, ds, sums, tails, positive, items, cols, parts, down, across});
  const RowSums g = fewer_rows(call, sums.data, parts, size, size);
  const Into dlayer = out.layer;
  const Mat dw = out.w.mat;
  float* const of_layer = call.scratch(size);
  teams<kWarp>(cols, 0, [=] ND_KERNEL(const Warp& team, int64_t c) {
    team.each(layer.rows, [&](int64_t k) {
      const int64_t at = k * cols + c;
      float sum = 0;
      for (int64_t part = 0; part < g.rows; ++part) sum += g.x[part * g.stride + at];
      put(dlayer, at, sum * w.data[c]);
      of_layer[at] = sum * layer.data[at];
    });
    const float sum = team.sum(layer.rows, [&](int64_t k) { return of_layer[k * cols + c]; });
    team.each(1, [&](int64_t) { dw.data[c] += sum; });
  });
}

}  // namespace nd::cuda
