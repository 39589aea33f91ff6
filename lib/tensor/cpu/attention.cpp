// Additive attention over ragged sets: two-layer scores, softmax within a set, weighted sums.
//
// The first layer of every score is linear in each of its inputs, so it is applied to each table once (a matrix
// product over distinct rows) and an item only adds rows up; see ops.inc. The backward pass needs which units were
// positive, kept as one bit each, and never the units themselves.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/attention.h"
#include "lib/tensor/cpu/softmax.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kItemBlock = 256;    // items one thread takes at a time
constexpr int64_t kRowBlock = 64;      // table rows, likewise
constexpr int64_t kSegmentBlock = 16;  // sets, likewise

template <int N>
void relu_dot_of(std::span<const Table> t, const Mat& w, float bias, uint16_t* mask, Mat s) {
  const int64_t cols = w.size(), words = mask_words(cols);
  parallel_ranges(s.rows, kItemBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* rows[N];
      for (int j = 0; j < N; ++j) {
        rows[j] = t[j].values.row(t[j].index.row_of(i));
        if (t[j].values.size() > kNear && i + kAhead < s.rows)
          prefetch(t[j].values.row(t[j].index.row_of(i + kAhead)), cols);
      }
      s.data[i] = relu_dot_row<N>(rows, w.data, cols, mask + i * words) + bias;
    }
  });
}

}  // namespace

void relu_dot(std::span<const Table> tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s) {
  const float bias = b.empty() ? 0.0f : b.data[0];
  switch (tables.size()) {
    case 1:
      return relu_dot_of<1>(tables, w, bias, mask, s);
    case 2:
      return relu_dot_of<2>(tables, w, bias, mask, s);
    case 3:
      return relu_dot_of<3>(tables, w, bias, mask, s);
    case 4:
      return relu_dot_of<4>(tables, w, bias, mask, s);
    default:
      return relu_dot_of<5>(tables, w, bias, mask, s);
  }
}

void relu_dot_backward(const Index& index, const Mat& ds, const uint16_t* mask, const Mat& table, const Mat& w,
                       bool add_table, Mat dtable, bool add_w, Mat dw) {
  constexpr int64_t kManyParts = 8, kGroup = 4;  // words whose sums do not wait for each other
  const int64_t cols = table.cols, words = mask_words(cols), parts = (index.rows + kRowBlock - 1) / kRowBlock;
  const int64_t group = parts < kManyParts ? kGroup : words;  // a few rows are cut by words, too
  const int64_t groups = (words + group - 1) / group;
  static thread_local std::vector<float> memory;  // outlives the call: a steady state allocates nothing
  memory.assign(static_cast<size_t>(parts * cols), 0.0f);
  float* const partial = memory.data();
  parallel_for(parts * groups, [&](int64_t block) {
    const int64_t part = block / groups, first_word = block % groups * group;
    const int64_t last_word = std::min(words, first_word + group);
    float* dw_part = partial + part * cols;
    const int64_t last = std::min(index.rows, (part + 1) * kRowBlock);
    for (int64_t r = part * kRowBlock; r < last; ++r) {
      const int64_t begin = index.begin(r), end = index.end(r);
      const auto columns = [&]<int V>(int64_t v) {
        Lanes g[V];
        unrolled<V>([&](auto i) { g[i] = 0.0f; });
        for (int64_t p = begin; p < end; ++p) {
          const int64_t item = index.item_at(p);
          const Lanes x = ds.data[item];
          unrolled<V>([&](auto i) { g[i] = add_where(mask[item * words + v + i], g[i], x); });
        }
        unrolled<V>([&](auto i) {
          const int64_t c = (v + i) * kLanes, n = std::min(cols - c, kLanes);
          Lanes dt = g[i] * load(w.data + c, n);
          if (add_table) dt = dt + load(dtable.row(r) + c, n);
          store(dtable.row(r) + c, dt, n);
          store(dw_part + c, fma(g[i], load(table.row(r) + c, n), load(dw_part + c, n)), n);
        });
      };
      int64_t v = first_word;
      for (; v + kGroup <= last_word; v += kGroup) columns.template operator()<kGroup>(v);
      for (; v < last_word; ++v) columns.template operator()<1>(v);
    }
  });
  for (int64_t c = 0; c < cols; ++c) {
    float total = add_w ? dw.data[c] : 0.0f;
    for (int64_t p = 0; p < parts; ++p) total += partial[p * cols + c];
    dw.data[c] = total;
  }
}

void segment_softmax(const Index& segments, const Mat& s, Mat p) {
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      const int64_t begin = segments.begin(r), n = segments.end(r) - begin;
      if (n > 0) softmax(s.data + begin, n, 1.0f, p.data + begin);
    }
  });
}

void segment_softmax_backward(const Index& segments, const Mat& p, const Mat& dp, bool add, Mat ds) {
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      const int64_t begin = segments.begin(r);
      softmax_backward(p.data + begin, dp.data + begin, segments.end(r) - begin, 1.0f, add, ds.data + begin);
    }
  });
}

void segment_sum(const Index& segments, const Mat& p, const Mat& x, const Index& index, bool add, Mat y) {
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      const auto row = [&](int64_t i) {
        if (i + kAhead < segments.items) prefetch(x.row(index.row_of(i + kAhead)), x.cols);
        return x.row(index.row_of(i));
      };
      weighted_sum(
          segments.begin(r), segments.end(r), [&](int64_t i) { return p.data[i]; }, row, y.cols, add, y.row(r));
    }
  });
}

void segment_sum_backward_weights(const Index& segments, const Mat& dy, const Mat& x, const Index& index, bool add,
                                  Mat dp) {
  parallel_ranges(segments.items, kItemBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (i + kAhead < segments.items) prefetch(x.row(index.row_of(i + kAhead)), x.cols);
      const float g = dot(dy.row(segments.row_of(i)), x.row(index.row_of(i)), x.cols);
      dp.data[i] = add ? dp.data[i] + g : g;
    }
  });
}

void segment_sum_backward_values(const Index& segments, const Mat& p, const Mat& dy, const Index& index, bool add,
                                 Mat dx) {
  // A few rows, with many items each, are cut by columns.
  const int64_t piece = index.rows < kRowBlock ? 3 * kLanes : dx.cols, pieces = (dx.cols + piece - 1) / piece;
  parallel_for((index.rows + kRowBlock - 1) / kRowBlock * pieces, [&](int64_t block) {
    const int64_t first = block / pieces * kRowBlock, last = std::min(index.rows, first + kRowBlock);
    const int64_t column = block % pieces * piece, width = std::min(piece, dx.cols - column);
    for (int64_t r = first; r < last; ++r) {
      weighted_sum(
          index.begin(r), index.end(r), [&](int64_t at) { return p.data[index.item_at(at)]; },
          [&](int64_t at) { return dy.row(segments.row_of(index.item_at(at))) + column; }, width, add,
          dx.row(r) + column);
    }
  });
}

void set_attention(const Index& segments, std::span<const Table> keys, const Mat& w, std::span<const Table> values,
                   uint16_t* mask, Mat p, Mat x, Mat y) {
  relu_dot(keys, w, {}, mask, p);
  segment_softmax(segments, p, p);
  if (!x.empty()) {
    gather_sum(values, x);
    return segment_sum(segments, p, x, identity(segments.items), false, y);
  }
  for (size_t j = 0; j < values.size(); ++j) segment_sum(segments, p, values[j].values, values[j].index, j > 0, y);
}

void set_attention_backward(const Index& segments, std::span<const Table> keys, const Mat& w,
                            std::span<const Table> values, const uint16_t* mask, const Mat& p, const Mat& x,
                            const Mat& dy, Mat ds, const SetAttentionInto& out) {
  if (x.empty()) segment_sum_backward_weights(segments, dy, values[0].values, values[0].index, false, ds);
  else segment_sum_backward_weights(segments, dy, x, identity(segments.items), false, ds);
  for (size_t j = 0; j < values.size(); ++j)
    if (const Into& to = out.value[j]; !to.mat.empty())
      segment_sum_backward_values(segments, p, dy, values[j].index, to.add, to.mat);
  segment_softmax_backward(segments, p, ds, false, ds);
  for (size_t j = 0; j < keys.size(); ++j)
    relu_dot_backward(keys[j].index, ds, mask, keys[j].values, w, out.key[j].add, out.key[j].mat, j > 0 || out.w.add,
                      out.w.mat);
}

void segment_max(const Index& segments, const Mat& x, int32_t* from, Mat y) {
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r)
      for (int64_t c = 0; c < x.cols; ++c) {
        int64_t best = -1;
        for (int64_t i = segments.begin(r); i < segments.end(r); ++i)
          if (best < 0 || x.row(i)[c] > x.row(best)[c]) best = i;
        from[r * x.cols + c] = static_cast<int32_t>(best);
        y.row(r)[c] = best < 0 ? 0.0f : x.row(best)[c];
      }
  });
}

void segment_max_backward(const Index& segments, const int32_t* from, const Mat& dy, bool add, Mat dx) {
  if (!add) std::fill_n(dx.data, dx.size(), 0.0f);
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r)
      for (int64_t c = 0; c < dy.cols; ++c)
        if (const int32_t i = from[r * dy.cols + c]; i >= 0) dx.row(i)[c] += dy.row(r)[c];
  });
}

}  // namespace nd::cpu
