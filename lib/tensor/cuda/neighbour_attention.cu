// KRED's neighbour attention (see ops.inc): neighbours' rows are gathered for one product by cuBLAS; scores, softmax
// and sums then take one warp each and read the table again, from the L2 cache where it fits. Which units were positive
// is kept as bits, so that nothing of the product outlives the call.
#include <algorithm>

#include "lib/tensor/cuda/attention.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/products.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {
namespace {

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
  const int64_t words = mask_words(w.size());
  const Index sets = call.in(segments), relations = call.in(relation.index);
  const int32_t* const tails = call.in(tail, segments.items);
  uint16_t* const positive = call.out(mask);
  const int64_t most = most_together(segments);
  const Mat all_rows = call.scratch(most, x.cols), all_hidden = call.scratch(most, w.size());
  for (int64_t r = 0; r < segments.rows;) {
    const int64_t r_end = together(segments, r), begin = segments.begin(r), items = segments.end(r_end - 1) - begin;
    const Mat rows = first_rows(all_rows, items), hidden = first_rows(all_hidden, items);
    gather_rows(x, tails + begin, rows);
    product(rows, layer, false, hidden);
    Tables tables{};
    tables.count = 3;
    // Items from `begin` on: an index without a row array counts from zero, as the product does.
    const auto from = [&](const int32_t* row, int64_t count) { return Index{items, count, row, nullptr, nullptr}; };
    tables.table[0] = {head, from(sets.row ? sets.row + begin : nullptr, head.rows)};
    if (!sets.row) tables.table[0].values.data = head.row(begin);
    tables.table[1] = {relation.values, from(relations.row ? relations.row + begin : nullptr, relation.values.rows)};
    if (!relations.row) tables.table[1].values.data = relation.values.row(begin);
    tables.table[2] = {hidden, from(nullptr, items)};
    score_items(tables, w, {}, positive + begin * words, {p.data + begin, items, 1, Device::cuda});
    r = r_end;
  }
  softmax_sets(sets, p, p);
  sum_sets(call, sets, p, x, tails, false, y);
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
