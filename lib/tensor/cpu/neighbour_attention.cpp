// KRED's neighbour attention in one pass over the neighbours (see ops.inc).
//
// Neighbours' vectors lie anywhere in a table larger than the caches, and their first layer is most of a training
// step's arithmetic. So each vector is fetched once forward and once backward, asked for while other neighbours are
// multiplied, and neither the layer's output nor its gradient leaves the L1 cache. Scores and sums are those that
// gemm, relu_dot, segment_softmax and segment_sum would give, to the bit.
#include <algorithm>
#include <vector>

#include "lib/tensor/cpu/attention.h"
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

// Memory for a chunk of rows. It outlives the call: a steady state allocates nothing.
Mat chunk_rows(int64_t rows, int64_t cols) {
  static thread_local std::vector<float> memory;
  memory.resize(std::max(memory.size(), static_cast<size_t>(kChunk * cols)));
  return {memory.data(), rows, cols};
}

}  // namespace

void neighbour_attention(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                         const int32_t* tail, const Mat& layer, const Mat& w, uint16_t* mask, Mat p, Mat y) {
  const int64_t cols = w.size(), words = mask_words(cols);
  parallel_ranges(segments.rows, kSegmentBlock, [&](int64_t first, int64_t last) {
    for (int64_t r = first, r_end; r < last; r = r_end) {
      r_end = together(segments, r, last);
      in_chunks(segments.begin(r), segments.end(r_end - 1), [&](int64_t begin, int64_t end) {
        const Mat product = chunk_rows(end - begin, cols);
        multiply_rows(x, tail, begin, end, segments.items, layer, {}, false, product);
        for (int64_t i = begin; i < end; ++i) {
          if (i + kAhead < end) prefetch(relation.values.row(relation.index.row_of(i + kAhead)), cols);
          p.data[i] = relu_dot_row<3>({head.row(segments.row_of(i)), relation.values.row(relation.index.row_of(i)),
                                       product.row(i - begin)},
                                      w.data, cols, mask + i * words);
        }
      });
      for (int64_t segment = r; segment < r_end; ++segment) {
        const int64_t begin = segments.begin(segment), end = segments.end(segment);
        if (begin < end) softmax(p.data + begin, end - begin, p.data + begin);
        weighted_sum(
            begin, end, [&](int64_t i) { return p.data[i]; }, [&](int64_t i) { return x.row(tail[i]); }, y.cols, false,
            y.row(segment));
      }
    }
  });
}

void neighbour_attention_backward(const Index& segments, const Mat& x, const int32_t* tail, const Mat& layer,
                                  const Mat& w, const uint16_t* mask, const Mat& p, const Mat& dy, Mat ds,
                                  bool add_layer, Mat dlayer, bool add_w, Mat dw) {
  // Parts of sets, each with a sum of its own; shape alone decides how many.
  constexpr int64_t kPartItems = 512, kMostParts = 32;
  const int64_t cols = w.size(), words = mask_words(cols), size = layer.size();
  const int64_t parts = std::clamp<int64_t>(segments.items / kPartItems, 1, kMostParts);
  static thread_local std::vector<float> memory;
  memory.resize(std::max(memory.size(), static_cast<size_t>((parts + 1) * size)));
  float* const partial = memory.data();
  parallel_for(parts, [&](int64_t part) {
    const int64_t first = segments.rows * part / parts, last = segments.rows * (part + 1) / parts;
    const Mat sum{partial + part * size, layer.rows, cols};
    std::fill_n(sum.data, size, 0.0f);
    for (int64_t r = first, r_end; r < last; r = r_end) {
      r_end = together(segments, r, last);
      for (int64_t segment = r; segment < r_end; ++segment) {
        const int64_t begin = segments.begin(segment), end = segments.end(segment);
        for (int64_t i = begin; i < end; ++i) ds.data[i] = dot(dy.row(segment), x.row(tail[i]), x.cols);
        softmax_backward(p.data + begin, ds.data + begin, end - begin, false, ds.data + begin);
      }
      in_chunks(segments.begin(r), segments.end(r_end - 1), [&](int64_t begin, int64_t end) {
        const Mat g = chunk_rows(end - begin, cols);
        for (int64_t i = begin; i < end; ++i) spread_where(mask + i * words, ds.data[i], cols, g.row(i - begin));
        outer_products(x, tail, begin, g, 0, layer.rows, true, sum, end, std::min(segments.items, end + kChunk));
      });
    }
  });

  const Mat g{partial + parts * size, layer.rows, cols};
  sum_parts(partial, parts, false, g);
  if (!add_w) std::fill_n(dw.data, cols, 0.0f);
  for (int64_t k = 0; k < layer.rows; ++k)
    for (int64_t c = 0; c < cols; ++c) {
      const float dl = g.row(k)[c] * w.data[c];
      dlayer.row(k)[c] = add_layer ? dlayer.row(k)[c] + dl : dl;
      dw.data[c] += g.row(k)[c] * layer.row(k)[c];
    }
}

}  // namespace nd::cpu
