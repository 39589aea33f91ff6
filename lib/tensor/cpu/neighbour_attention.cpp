// KRED's neighbour attention in one pass over the neighbours (see ops.inc).
//
// Neighbours' vectors lie anywhere in a table larger than the caches, and their first layer is most of a training
// step's arithmetic. So each vector is fetched once forward and once backward, asked for while other neighbours are
// worked on, and the layer's output never leaves the L1 cache. Scores and sums are those that
// gemm, relu_dot, segment_softmax and segment_sum would give, to the bit.
//
// The layer's gradient is made of sums of vectors where a unit was positive: on the tile unit where there is one
// (fixed_sums.h), else in floats (masked_sums.h). The tile unit makes such sums with three eight-bit products; the
// forward product would take six and a conversion of each result, which was tried and is no faster than floats.
#include <algorithm>
#include <optional>
#include <vector>

#include "lib/tensor/cpu/attention.h"
#include "lib/tensor/cpu/fixed_sums.h"
#include "lib/tensor/cpu/masked_sums.h"
#include "lib/tensor/cpu/softmax.h"
#include "lib/tensor/cpu/tiles.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kSegmentBlock = 16;  // sets one thread takes at a time

// The end of the sets from `first` on that are worked on together: as many as fill a chunk, and at least one.
int64_t together(const Index& segments, int64_t first, int64_t last) {
  int64_t end = first + 1;
  while (end < last && segments.end(end) - segments.begin(first) <= kChunk) ++end;
  return end;
}

// Calls f(begin, end) for pieces of [begin, end) of nearly equal size, none larger than a chunk.
template <class F>
void in_chunks(int64_t begin, int64_t end, F&& f) {
  const int64_t count = (end - begin + kChunk - 1) / kChunk;
  for (int64_t c = 0; c < count; ++c) f(begin + (end - begin) * c / count, begin + (end - begin) * (c + 1) / count);
}

// A chunk of rows.
Mat chunk_rows(int64_t rows, int64_t cols) {
  static thread_local std::vector<float> memory;
  return {aligned(memory, kChunk * cols), rows, cols};
}

}  // namespace

void neighbour_attention(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                         const int32_t* tail, const Mat& layer, const Mat& w, uint16_t* mask, Mat p, Mat y) {
  const int64_t cols = w.size(), words = mask_words(cols);
  static thread_local std::vector<float> memory;
  const Right right = pack(layer, memory);
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first, r_end; r < last; r = r_end) {
      r_end = together(segments, r, last);
      in_chunks(segments.begin(r), segments.end(r_end - 1), [&](int64_t begin, int64_t end) {
        const Mat product = chunk_rows(end - begin, cols);
        multiply_rows(x, tail, begin, end, segments.items, right, 0, panels(cols), {}, false, product);
        for (int64_t i = begin; i < end; ++i) {
          if (i + kAhead < end) prefetch(relation.values.row(relation.index.row_of(i + kAhead)), cols);
          p.data[i] = relu_dot_row<3>(
              {head.row(segments.row_of(i)), relation.values.row(relation.index.row_of(i)), product.row(i - begin)},
              w.data, cols, mask + i * words);
        }
      });
      for (int64_t segment = r; segment < r_end; ++segment) {
        const int64_t begin = segments.begin(segment), end = segments.end(segment);
        if (begin < end) softmax(p.data + begin, end - begin, 1.0f, p.data + begin);
        weighted_sum(
            begin, end, [&](int64_t i) { return p.data[i]; }, [&](int64_t i) { return x.row(tail[i]); }, y.cols, false,
            y.row(segment));
      }
    }
  });
}

void neighbour_attention_backward(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                                  const int32_t* tail, const Mat& layer, const Mat& w, const uint16_t* mask,
                                  const Mat& p, const Mat& dy, Mat ds, const NeighbourAttentionInto& out) {
  // Parts of sets, each with a sum of its own; shape alone decides how many.
  constexpr int64_t kPartItems = 512, kMostParts = 16;
  const int64_t cols = w.size(), parts = std::clamp<int64_t>(segments.items / kPartItems, 1, kMostParts);
  const UnitSums shape(mask_words(cols) * kLanes, x.cols);
  const bool on_tiles = fixed::enabled();
  const int64_t at_once = on_tiles ? fixed::kTogether : kTogether;
  static thread_local std::vector<float> memory;
  float* const sums = aligned(memory, (parts + 1) * shape.size());
  static thread_local std::vector<float> reaches;
  float* const reach = on_tiles ? aligned(reaches, segments.items) : nullptr;
  parallel_for(parts, [&](int64_t part) {
    const int64_t first = segments.rows * part / parts, last = segments.rows * (part + 1) / parts;
    const UnitSums sum = shape.at(sums + part * shape.size());
    std::fill_n(sum.data, sum.size(), 0.0f);
    Ahead ahead{x, tail};
    std::optional<fixed::Tiles> tiles;
    if (on_tiles) tiles.emplace();
    const int64_t items = segments.begin(last);
    int64_t summed = segments.begin(first);
    for (int64_t segment = first; segment < last; ++segment) {
      const int64_t begin = segments.begin(segment), end = segments.end(segment);
      for (int64_t i = begin; i < end; ++i) {
        if (on_tiles) {
          prefetch(x.row(tail[std::min(i + kAhead, items - 1)]), x.cols);
          reach[i] = fixed::largest(x.row(tail[i]), x.cols);
        }
        ds.data[i] = dot(dy.row(segment), x.row(tail[i]), x.cols);
      }
      softmax_backward(p.data + begin, ds.data + begin, end - begin, 1.0f, false, ds.data + begin);
      for (; summed + at_once <= end || (end == items && summed < end); summed += at_once) {
        const int64_t to = std::min(summed + at_once, end);
        if (on_tiles) {
          fixed::add_where_positive(x, tail, reach, mask, ds.data, summed, to, sum);
        } else {
          ahead.until(end, std::min(end + at_once, segments.items));
          add_where_positive(x, tail, mask, ds.data, summed, to, sum, ahead);
        }
      }
    }
  });

  const Mat dlayer = out.layer.mat, dw = out.w.mat;
  const UnitSums g = shape.at(sums + parts * shape.size());
  sum_parts(sums, parts, false, {g.data, g.panels * g.units, kColumns});
  parallel_ranges(cols, kLanes, [&](int64_t from, int64_t to) {
    for (int64_t c = from; c < to; ++c) {
      float total = out.w.add ? dw.data[c] : 0.0f;
      for (int64_t k = 0; k < layer.rows; ++k) {
        const float sum = g.row(k / kColumns, c)[k % kColumns], dl = sum * w.data[c];
        dlayer.row(k)[c] = out.layer.add ? dlayer.row(k)[c] + dl : dl;
        total += sum * layer.row(k)[c];
      }
      dw.data[c] = total;
    }
  });
  relu_dot_backward(segments, ds, mask, head, w, out.head.add, out.head.mat, true, dw);
  relu_dot_backward(relation.index, ds, mask, relation.values, w, out.relation.add, out.relation.mat, true, dw);
}

}  // namespace nd::cpu
