// Shape checks, once for all backends, and the hand-over to the backend of the data's device.
//
// A failed check is a mistake in our own code, not in anybody's input, so it says where instead of what to do.
#include "lib/tensor/ops.h"

#include <stdexcept>
#include <string>

namespace nd::ops {
namespace {

void check(bool holds, const char* what) {
  if (!holds) throw std::logic_error(std::string("shape error: ") + what);
}
bool same(const Mat& a, const Mat& b) { return a.rows == b.rows && a.cols == b.cols; }
bool is(const Mat& a, int64_t rows, int64_t cols) { return a.rows == rows && a.cols == cols; }
// Items of rows of x, to be read item by item, or row by row.
bool reads(const Index& index, const Mat& x) { return index.rows <= x.rows; }
bool sums_into(const Index& index, const Mat& dx) { return index.by_row() && index.rows == dx.rows; }
// Segments are runs of items as they come; an index whose items are reordered is none.
bool runs(const Index& segments) { return segments.by_row() && !segments.item; }
bool fits(std::span<const Table> tables, int64_t items, int64_t cols) {
  if (tables.empty() || tables.size() > 4) return false;
  for (const Table& t : tables)
    if (t.index.items != items || t.values.cols != cols || !reads(t.index, t.values)) return false;
  return true;
}

}  // namespace

// The one place that knows which backends a build has.
#define ND_CALL(device, call)                                                   \
  do {                                                                          \
    if ((device) == Device::cpu) return cpu::call;                              \
    throw std::logic_error("this build has no backend for the data's device"); \
  } while (false)

void gemm(const Mat& a, const int32_t* rows, const Mat& b, const Mat& bias, Activation act, bool add, Mat c) {
  check(a.cols == b.rows && c.cols == b.cols && (rows || a.rows == c.rows), "gemm");
  check(bias.empty() || is(bias, 1, b.cols), "gemm bias");
  ND_CALL(c.device, gemm(a, rows, b, bias, act, add, c));
}
void gemm_nt(const Mat& dy, const Mat& b, bool add, Mat dx) {
  check(dy.cols == b.cols && is(dx, dy.rows, b.rows), "gemm_nt");
  ND_CALL(dx.device, gemm_nt(dy, b, add, dx));
}
void gemm_tn(const Mat& a, const int32_t* rows, const Mat& dy, bool add, Mat dw) {
  check(is(dw, a.cols, dy.cols) && (rows || a.rows == dy.rows), "gemm_tn");
  ND_CALL(dw.device, gemm_tn(a, rows, dy, add, dw));
}
void column_sums(const Mat& x, bool add, Mat out) {
  check(is(out, 1, x.cols), "column_sums");
  ND_CALL(out.device, column_sums(x, add, out));
}
void activate_backward(Activation act, const Mat& y, const Mat& dy, bool add, Mat dx) {
  check(same(y, dy) && same(y, dx), "activate_backward");
  ND_CALL(dx.device, activate_backward(act, y, dy, add, dx));
}
void activate(Activation act, const Mat& x, Mat y) {
  check(same(x, y), "activate");
  ND_CALL(y.device, activate(act, x, y));
}
void axpy(float a, const Mat& x, Mat y) {
  check(same(x, y), "axpy");
  ND_CALL(y.device, axpy(a, x, y));
}
void copy_columns(const Mat& x, int64_t from, int64_t n, bool add, Mat y, int64_t to) {
  check(x.rows == y.rows && from >= 0 && to >= 0 && n >= 0 && from + n <= x.cols && to + n <= y.cols, "copy_columns");
  ND_CALL(y.device, copy_columns(x, from, n, add, y, to));
}
void gather_sum(std::span<const Table> tables, Mat y) {
  check(fits(tables, y.rows, y.cols), "gather_sum");
  ND_CALL(y.device, gather_sum(tables, y));
}
void scatter_sum(const Mat& dy, const Index& index, bool add, Mat dtable) {
  check(dy.rows == index.items && dtable.cols == dy.cols && sums_into(index, dtable), "scatter_sum");
  ND_CALL(dtable.device, scatter_sum(dy, index, add, dtable));
}
void relu_dot(std::span<const Table> tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s) {
  check(s.cols == 1 && w.cols == 1 && fits(tables, s.rows, w.rows) && (b.empty() || is(b, 1, 1)), "relu_dot");
  ND_CALL(s.device, relu_dot(tables, w, b, mask, s));
}
void relu_dot_backward(const Index& index, const Mat& ds, const uint16_t* mask, const Mat& table, const Mat& w,
                       bool add_table, Mat dtable, bool add_w, Mat dw) {
  check(is(ds, index.items, 1) && w.cols == 1 && same(w, dw) && table.cols == w.rows && same(table, dtable) &&
            sums_into(index, dtable),
        "relu_dot_backward");
  ND_CALL(ds.device, relu_dot_backward(index, ds, mask, table, w, add_table, dtable, add_w, dw));
}
void segment_softmax(const Index& segments, const Mat& s, Mat p) {
  check(runs(segments) && is(s, segments.items, 1) && same(s, p), "segment_softmax");
  ND_CALL(p.device, segment_softmax(segments, s, p));
}
void segment_softmax_backward(const Index& segments, const Mat& p, const Mat& dp, bool add, Mat ds) {
  check(runs(segments) && is(p, segments.items, 1) && same(p, dp) && same(p, ds), "segment_softmax_backward");
  ND_CALL(ds.device, segment_softmax_backward(segments, p, dp, add, ds));
}
void segment_sum(const Index& segments, const Mat& p, const Mat& x, const Index& index, Mat y) {
  check(runs(segments) && is(p, segments.items, 1) && index.items == segments.items && is(y, segments.rows, x.cols) && reads(index, x),
        "segment_sum");
  ND_CALL(y.device, segment_sum(segments, p, x, index, y));
}
void segment_sum_backward_weights(const Index& segments, const Mat& dy, const Mat& x, const Index& index, bool add,
                                  Mat dp) {
  check(runs(segments) && is(dp, segments.items, 1) && index.items == segments.items && is(dy, segments.rows, x.cols) && reads(index, x),
        "segment_sum_backward_weights");
  ND_CALL(dp.device, segment_sum_backward_weights(segments, dy, x, index, add, dp));
}
void segment_sum_backward_values(const Index& segments, const Mat& p, const Mat& dy, const Index& index, bool add,
                                 Mat dx) {
  check(runs(segments) && is(p, segments.items, 1) && index.items == segments.items && dy.rows == segments.rows && dx.cols == dy.cols &&
            sums_into(index, dx),
        "segment_sum_backward_values");
  ND_CALL(dx.device, segment_sum_backward_values(segments, p, dy, index, add, dx));
}
void neighbour_attention(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                         const int32_t* tail, const Mat& layer, const Mat& w, uint16_t* mask, Mat p, Mat y) {
  check(runs(segments) && is(head, segments.rows, w.rows) && w.cols == 1 && is(layer, x.cols, w.rows) &&
            fits({&relation, 1}, segments.items, w.rows) && is(p, segments.items, 1) && is(y, segments.rows, x.cols),
        "neighbour_attention");
  ND_CALL(y.device, neighbour_attention(segments, head, relation, x, tail, layer, w, mask, p, y));
}
void neighbour_attention_backward(const Index& segments, const Mat& x, const int32_t* tail, const Mat& layer,
                                  const Mat& w, const uint16_t* mask, const Mat& p, const Mat& dy, Mat ds,
                                  bool add_layer, Mat dlayer, bool add_w, Mat dw) {
  check(runs(segments) && is(layer, x.cols, w.rows) && same(layer, dlayer) && same(w, dw) && w.cols == 1 &&
            is(p, segments.items, 1) && same(p, ds) && is(dy, segments.rows, x.cols),
        "neighbour_attention_backward");
  ND_CALL(ds.device, neighbour_attention_backward(segments, x, tail, layer, w, mask, p, dy, ds, add_layer, dlayer,
                                                  add_w, dw));
}
void segment_max(const Index& segments, const Mat& x, int32_t* from, Mat y) {
  check(runs(segments) && x.rows == segments.items && is(y, segments.rows, x.cols), "segment_max");
  ND_CALL(y.device, segment_max(segments, x, from, y));
}
void segment_max_backward(const Index& segments, const int32_t* from, const Mat& dy, bool add, Mat dx) {
  check(runs(segments) && is(dx, segments.items, dy.cols) && dy.rows == segments.rows, "segment_max_backward");
  ND_CALL(dx.device, segment_max_backward(segments, from, dy, add, dx));
}
void rank_loss(const Index& segments, const Mat& s, float gamma, Mat p, Mat loss) {
  check(runs(segments) && is(s, segments.items, 1) && same(s, p) && is(loss, 1, 1) && segments.rows > 0, "rank_loss");
  ND_CALL(s.device, rank_loss(segments, s, gamma, p, loss));
}
void rank_loss_backward(const Index& segments, const Mat& p, float gamma, const Mat& dloss, bool add, Mat ds) {
  check(runs(segments) && is(p, segments.items, 1) && same(p, ds) && is(dloss, 1, 1), "rank_loss_backward");
  ND_CALL(ds.device, rank_loss_backward(segments, p, gamma, dloss, add, ds));
}
void cross_entropy(const Mat& x, const int32_t* label, Mat p, Mat loss) {
  check(same(x, p) && is(loss, 1, 1) && x.rows > 0, "cross_entropy");
  ND_CALL(x.device, cross_entropy(x, label, p, loss));
}
void cross_entropy_backward(const Mat& p, const int32_t* label, const Mat& dloss, bool add, Mat dx) {
  check(same(p, dx) && is(dloss, 1, 1), "cross_entropy_backward");
  ND_CALL(dx.device, cross_entropy_backward(p, label, dloss, add, dx));
}
void row_dots(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, Mat s) {
  check(a.cols == b.cols && is(s, ia.items, 1) && ib.items == ia.items && reads(ia, a) && reads(ib, b), "row_dots");
  ND_CALL(s.device, row_dots(a, ia, b, ib, cosine, s));
}
void row_dots_backward(const Mat& a, const Index& ia, const Mat& b, const Index& ib, bool cosine, const Mat& s,
                       const Mat& ds, bool add, Mat da) {
  check(a.cols == b.cols && same(s, ds) && is(s, ia.items, 1) && ib.items == ia.items && reads(ib, b) && same(a, da) &&
            sums_into(ia, da),
        "row_dots_backward");
  ND_CALL(da.device, row_dots_backward(a, ia, b, ib, cosine, s, ds, add, da));
}
void adam(const AdamStep& step, const Mat& g, Mat m, Mat v, Mat x) {
  check(same(g, m) && same(g, v) && same(g, x), "adam");
  ND_CALL(x.device, adam(step, g, m, v, x));
}
void transe_loss(const TranseLoss& form, const Mat& entity, const Mat& relation, const TranseBatch& batch, Mat dquery,
                 Mat danswer, Mat dreplacement, uint8_t* used, Mat loss) {
  const int64_t triples = batch.triples(), width = entity.cols;
  const auto is_row = [&](const auto& of_triple) { return static_cast<int64_t>(of_triple.size()) == triples; };
  check(width % 16 == 0 && relation.cols == width && is(loss, 1, 1), "transe_loss");
  check(is_row(batch.relation) && is_row(batch.sign) && is_row(batch.answer) && batch.chunk.back() == triples &&
            static_cast<int64_t>(batch.replacement.size()) == batch.chunks() * batch.drawn && batch.drawn > 0,
        "transe_loss batch");
  check(is(dquery, triples, width) && is(danswer, triples, width) &&
            is(dreplacement, batch.chunks() * batch.drawn, width),
        "transe_loss gradients");
  ND_CALL(entity.device, transe_loss(form, entity, relation, batch, dquery, danswer, dreplacement, used, loss));
}
void adam_rows(const AdamStep& step, const Mat& g, const float* sign, const Index& runs, const int32_t* row, Mat m,
               Mat v, Mat x) {
  check(same(m, x) && same(v, x) && g.cols == x.cols && x.cols % 16 == 0, "adam_rows");
  ND_CALL(x.device, adam_rows(step, g, sign, runs, row, m, v, x));
}
void sgd_rows(float lr, const Mat& g, const float* sign, const Index& runs, const int32_t* row, Mat x) {
  check(g.cols == x.cols && x.cols % 16 == 0, "sgd_rows");
  ND_CALL(x.device, sgd_rows(lr, g, sign, runs, row, x));
}
void cap_rows(const int32_t* row, int64_t count, Mat x) { ND_CALL(x.device, cap_rows(row, count, x)); }
void l1_distances(const Mat& a, const Mat& b, Mat c) {
  check(a.cols == b.rows && is(c, a.rows, b.cols) && b.cols % 16 == 0, "l1_distances");
  ND_CALL(c.device, l1_distances(a, b, c));
}

#undef ND_CALL
}  // namespace nd::ops
