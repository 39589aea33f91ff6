// Additive attention over ragged sets: two-layer scores, softmax within a set, weighted sums.
//
// The first layer of every score is linear in each of its inputs, so it is applied to each table once (a matrix product
// over distinct rows) and an item only adds rows up; see ops.inc. One warp an item, a set or a part of a long one;
// lanes share out columns.
//
// A score of n units from 3 tables takes 12 n bytes and 4 n operations, read once more from the L1 cache for the mask:
// of n = 128 an H100's memory gives one every 0.5 ns where no row is met twice, its L2 cache (about twice as fast) one
// every 0.25.
//
// set_attention makes scores, softmax and sums in one launch, a block a set, as a batch has too few sets of too many
// items for a warp each: 64 articles of 24 entities are 1.5 thousand scores, half a microsecond of memory's time, so
// launches are what they cost. Backwards it is another for the scores' gradients, one or two for those of all tables
// (runs.h), and those that sum up w's. Unproven.
#include "lib/tensor/cuda/attention.h"

#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/reduce.h"
#include "lib/tensor/cuda/runs.h"
#include "lib/tensor/cuda/tiles.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {

void relu_dot(std::span<const Table> tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s) {
  Call call;
  const int64_t cols = w.size(), words = mask_words(cols);
  const Tables t = call.in(tables);
  uint16_t* const positive = call.out(mask);
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
        cols, [&](int64_t c) { return unit(c) > 0; }, positive + i * words);
  });
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
  const Index of = call.in(segments);
  teams<kWarp>(of.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    const int64_t begin = of.begin(r), n = of.end(r) - begin;
    const float most = team.max(n, [&](int64_t i) { return s.data[begin + i]; });
    team.each(n, [&](int64_t i) { p.data[begin + i] = expf(s.data[begin + i] - most); });
    const float total = team.sum(n, [&](int64_t i) { return p.data[begin + i]; });
    team.each(n, [&](int64_t i) { p.data[begin + i] /= total; });
  });
}

void segment_softmax_backward(const Index& segments, const Mat& p, const Mat& dp, bool add, Mat ds) {
  Call call;
  const Index of = call.in(segments);
  teams<kWarp>(of.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    const int64_t begin = of.begin(r), n = of.end(r) - begin;
    const float mean = team.sum(n, [&](int64_t i) { return p.data[begin + i] * dp.data[begin + i]; });
    team.each(n, [&](int64_t i) {
      const float g = p.data[begin + i] * (dp.data[begin + i] - mean);
      ds.data[begin + i] = add ? ds.data[begin + i] + g : g;
    });
  });
}

void segment_sum(const Index& segments, const Mat& p, const Mat& x, const Index& index, bool add, Mat y) {
  Call call;
  const int32_t* const row = call.in(index.row, index.items);
  sums_of_runs(
      call, call.in(segments), y.cols,
      [=] ND_KERNEL(float sum, int64_t i, int64_t c) { return fmaf(p.data[i], x.row(row ? row[i] : i)[c], sum); },
      [=] ND_KERNEL(int64_t r, int64_t c, float sum) {
        float& to = y.row(r)[c];
        to = add ? to + sum : sum;
      });
}

void segment_sum_backward_weights(const Index& segments, const Mat& dy, const Mat& x, const Index& index, bool add,
                                  Mat dp) {
  Call call;
  const Index of = call.in(segments);
  const int32_t* const row = call.in(index.row, index.items);
  teams<kWarp>(of.items, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    const float *d = dy.row(of.row_of(i)), *v = x.row(row ? row[i] : i);
    const float g = team.sum(x.cols, [&](int64_t c) { return d[c] * v[c]; });
    team.each(1, [&](int64_t) { dp.data[i] = add ? dp.data[i] + g : g; });
  });
}

void segment_sum_backward_values(const Index& segments, const Mat& p, const Mat& dy, const Index& index, bool add,
                                 Mat dx) {
  Call call;
  const Index of = call.in(segments);
  sum_runs(call, call.in(index), add, dx,
           [=] ND_KERNEL(int64_t item, int64_t c) { return p.data[item] * dy.row(of.row_of(item))[c]; });
}

namespace {

// One set of an attention by one block, so many items at a time: a half of a warp has one, each lane eight of its
// units.
constexpr int kItemsAtOnce = 32;
constexpr int64_t kPartFloats = kItemsAtOnce * kPartStride;

// Forwards: scores and their bits, softmax and sum. Values are summed up from their tables once, in shared memory where
// it has room for them. With more items than are looked at at once the maximum, the total and the sum so far go on.
template <bool kFours>
struct SetForward {
  Index sets;
  Tables keys, values;
  Mat w, p, x, y;
  uint8_t* mask;
  bool staged;

  static constexpr int64_t floats(int64_t inner, bool staged) {
    return kPartFloats + kItemsAtOnce * (staged ? 1 + inner : 1);
  }

  ND_KERNEL float value(int64_t item, int64_t c) const {
    float sum = values.table[0].values.row(values.table[0].index.row_of(item))[c];
    for (int j = 1; j < values.count; ++j) sum += values.table[j].values.row(values.table[j].index.row_of(item))[c];
    if (!x.empty()) x.row(item)[c] = sum;
    return sum;
  }
  // A lane's part of an item's score.
  ND_KERNEL float part(int64_t item, int64_t lane) const {
    const int64_t cols = w.size(), bytes = 2 * mask_words(cols);
    float score = 0;
    for (int64_t first = 0; first < cols; first += kTileUnits) {
      const int64_t c = tile_unit(lane, first);
      float unit[kUnitsOfLane], more[kUnitsOfLane], second[kUnitsOfLane];
      load_units<kFours>(keys.table[0].values.row(keys.table[0].index.row_of(item)), c, cols, unit);
      for (int j = 1; j < keys.count; ++j) {
        load_units<kFours>(keys.table[j].values.row(keys.table[j].index.row_of(item)), c, cols, more);
        ND_UNROLL
        for (int u = 0; u < kUnitsOfLane; ++u) unit[u] += more[u];
      }
      load_units<kFours>(w.data, c, cols, second);
      unsigned bits = 0;
      ND_UNROLL
      for (int u = 0; u < kUnitsOfLane; ++u) {
        if (c + u >= cols) continue;
        bits |= (unit[u] > 0 ? 1u : 0u) << u;
        score = fmaf(relu(unit[u]), second[u], score);
      }
      if (c / 8 < bytes) mask[item * bytes + c / 8] = static_cast<uint8_t>(bits);
    }
    return score;
  }

  ND_KERNEL void operator()(const Block& team, int64_t r) const {
    const int64_t begin = sets.begin(r), end = sets.end(r);
    const int inner = static_cast<int>(y.cols);
    float *const parts = team.memory, *const weight = parts + kPartFloats, *const rows = weight + kItemsAtOnce,
                 *const sum = y.row(r);
    float most = -INFINITY, total = 0;
    for (int64_t at = begin; at < end; at += kItemsAtOnce) {
      const int64_t n = end - at < kItemsAtOnce ? end - at : kItemsAtOnce;
      team.each(n * kHalfWarp, [&](int64_t i) {
        const int64_t item = i / kHalfWarp, lane = i % kHalfWarp;
        parts[item * kPartStride + lane] = part(at + item, lane);
      });
      team.each(staged ? n * inner : 0, [&](int64_t i) {
        const int number = static_cast<int>(i);
        rows[number] = value(at + number / inner, number % inner);
      });
      team.each(
          n, [&](int64_t item) { weight[item] = p.data[at + item] = sum_of(parts + item * kPartStride, kHalfWarp); });
      const float before = most;
      most = fmaxf(before, team.max(n, [&](int64_t item) { return weight[item]; }));
      const float kept = expf(before - most);
      team.each(n, [&](int64_t item) { weight[item] = expf(weight[item] - most); });
      total = fmaf(total, kept, team.sum(n, [&](int64_t item) { return weight[item]; }));
      team.each(inner, [&](int64_t c) {
        float s = at == begin ? 0.0f : sum[c] * kept;
        for (int64_t item = 0; item < n; ++item)
          s = fmaf(weight[item], staged ? rows[item * inner + c] : value(at + item, c), s);
        sum[c] = s;
      });
    }
    team.each(inner, [&](int64_t c) { sum[c] = begin < end ? sum[c] / total : 0.0f; });
    team.each(end - begin, [&](int64_t i) { p.data[begin + i] = expf(p.data[begin + i] - most) / total; });
  }
};

// Backwards: the scores' gradients, and share(r), the set's part of w's.
struct SetBackward {
  Index sets;
  Tables keys;
  Mat w, p, x, dy, ds, share;
  const int32_t* row;  // of x for each item, or its own
  const uint16_t* mask;

  ND_KERNEL void operator()(const Block& team, int64_t r) const {
    const int64_t begin = sets.begin(r), end = sets.end(r), words = mask_words(w.size());
    float* const parts = team.memory;
    for (int64_t at = begin; at < end; at += kItemsAtOnce) {
      const int64_t n = end - at < kItemsAtOnce ? end - at : kItemsAtOnce;
      team.each(n * kHalfWarp, [&](int64_t i) {
        const int64_t item = i / kHalfWarp, lane = i % kHalfWarp;
        const float *const d = dy.row(r), *const v = x.row(row ? row[at + item] : at + item);
        float sum = 0;
        for (int64_t c = lane; c < x.cols; c += kHalfWarp) sum = fmaf(d[c], v[c], sum);
        parts[item * kPartStride + lane] = sum;
      });
      team.each(n, [&](int64_t item) { ds.data[at + item] = sum_of(parts + item * kPartStride, kHalfWarp); });
    }
    const float mean = team.sum(end - begin, [&](int64_t i) { return p.data[begin + i] * ds.data[begin + i]; });
    team.each(end - begin, [&](int64_t i) { ds.data[begin + i] = p.data[begin + i] * (ds.data[begin + i] - mean); });
    team.each(w.size(), [&](int64_t c) {
      float sum = 0;
      for (int64_t i = begin; i < end; ++i) {
        if (!mask_bit(mask + i * words, c)) continue;
        float unit = 0;
        for (int j = 0; j < keys.count; ++j) unit += keys.table[j].values.row(keys.table[j].index.row_of(i))[c];
        sum = fmaf(ds.data[i], unit, sum);
      }
      share.row(r)[c] = sum;
    });
  }
};

// Gradients of tables' rows, of keys and then of values.
struct TableSums {
  Into to[ManyRuns::kMost];
  int keys;
  Index sets;
  Mat w, p, dy, ds;
  const uint16_t* mask;
  int64_t words;

  ND_KERNEL float add(int j, float sum, int64_t item, int64_t c) const {
    if (j < keys) return mask_bit(mask + item * words, c) ? sum + ds.data[item] : sum;
    return fmaf(p.data[item], dy.row(sets.row_of(item))[c], sum);
  }
  ND_KERNEL void put(int j, int64_t r, int64_t c, float sum) const {
    cuda::put(to[j], r * (j < keys ? w.size() : dy.cols) + c, j < keys ? w.data[c] * sum : sum);
  }
};

}  // namespace

void set_attention(const Index& segments, std::span<const Table> keys, const Mat& w, std::span<const Table> values,
                   uint16_t* mask, Mat p, Mat x, Mat y) {
  Call call;
  bool fours = w.size() % kUnitsOfLane == 0 && in_fours(w.data);
  for (const Table& key : keys) fours = fours && in_fours(key.values.data);
  const auto launch = [&]<bool kFours>() {
    using Kernel = SetForward<kFours>;
    const bool staged = fits<kBlock>(Kernel::floats(y.cols, true));
    const Kernel forward{call.in(segments),
                         call.in(keys),
                         call.in(values),
                         w,
                         p,
                         x,
                         y,
                         reinterpret_cast<uint8_t*>(call.out(mask)),
                         staged};
    teams<kBlock>(segments.rows, Kernel::floats(y.cols, staged), forward);
  };
  if (fours) launch.template operator()<true>();
  else launch.template operator()<false>();
}

void set_attention_backward(const Index& segments, std::span<const Table> keys, const Mat& w,
                            std::span<const Table> values, const uint16_t* mask, const Mat& p, const Mat& x,
                            const Mat& dy, Mat ds, const SetAttentionInto& out) {
  Call call;
  const int64_t cols = w.size(), words = mask_words(cols), items = segments.items;
  const Index sets = call.in(segments);
  const Tables key = call.in(keys), value = call.in(values);
  const uint16_t* const positive = call.in(mask, items * words);
  const Mat share = call.scratch(sets.rows, cols);
  const Mat rows = x.empty() ? values[0].values : x;
  teams<kBlock>(
      sets.rows, kPartFloats,
      SetBackward{sets, key, w, p, rows, dy, ds, share, x.empty() ? value.table[0].index.row : nullptr, positive});
  sum_rows(call, share.data, share.rows, cols, out.w);

  TableSums sums{{}, key.count, sets, w, p, dy, ds, positive, words};
  ManyRuns runs;
  for (int j = 0; j < key.count; ++j) {
    sums.to[runs.count] = out.key[j];
    runs.add(call, key.table[j].index, cols);
  }
  for (int j = 0; j < value.count; ++j)
    if (!out.value[j].mat.empty()) {
      sums.to[runs.count] = out.value[j];
      runs.add(call, value.table[j].index, dy.cols);
    }
  sums_of_many_runs(
      runs, [=] ND_KERNEL(int j, float sum, int64_t item, int64_t c) { return sums.add(j, sum, item, c); },
      [=] ND_KERNEL(int j, int64_t r, int64_t c, float sum) { sums.put(j, r, c, sum); });
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
