// Shape checks, once for all backends, and the hand-over to the backend of the data's device.
//
// A failed check is a mistake in our own code, not in anybody's input, so it says where instead of what to do.
#include "lib/tensor/ops.h"

#include <stdexcept>
#include <string>

#include "lib/tensor/device.h"

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
bool moves(const RowGradients& gradients, const Mat& x) {
  return gradients.g.cols == x.cols && x.cols % 16 == 0 && gradients.runs.by_row() &&
         static_cast<int64_t>(gradients.row.size()) == gradients.runs.rows;
}
// Segments are runs of items as they come; an index whose items are reordered is none.
bool runs(const Index& segments) { return segments.by_row() && !segments.item; }
bool fits(std::span<const Table> tables, int64_t items, int64_t cols) {
  if (tables.empty() || tables.size() > 5) return false;
  for (const Table& t : tables)
    if (t.index.items != items || t.values.cols != cols || !reads(t.index, t.values)) return false;
  return true;
}
bool may_drop(const Dropout& drop) { return drop.rate >= 0 && drop.rate < 1; }
bool takes(const Into& gradient, const Mat& x) { return gradient.mat.empty() || same(gradient.mat, x); }
bool fits(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, const Mat& p) {
  return a.tokens > 0 && a.heads > 0 && query.rows % a.tokens == 0 && query.cols % a.heads == 0 && same(query, key) &&
         same(query, value) && is(p, query.rows * a.heads, a.tokens);
}
bool is(const Tokens& t, int64_t rows, int64_t cols) {
  return is(t.x, rows, cols) && is(t.query, rows, cols) && is(t.key, rows, cols) && is(t.value, rows, cols);
}
bool same(const Tokens& t, const TokensInto& d) {
  return same(t.x, d.x.mat) && same(t.query, d.query.mat) && same(t.key, d.key.mat) && same(t.value, d.value.mat);
}
bool fits(const StackAttention& a, const Mat& p, const Mat& stat) {
  const int64_t n = a.gamma.cols, blocks = a.of.items, tokens = a.tokens();
  if (a.height < 0 || tokens < 1 || a.extras < 0 || a.extras > 2 || n % 16 != 0) return false;
  if (!a.of.by_row() || !is(a.stack, a.of.rows * a.height, n)) return false;
  for (int j = 0; j < a.extras; ++j)
    if (a.extra_of[j].items != blocks || !is(a.extra[j], a.extra_of[j].rows, n)) return false;
  return is(a.bias, 1, n) && is(a.gamma, 1, n) && is(a.beta, 1, n) && is(a.pool, tokens, 1) && is(a.pool_bias, 1, 1) &&
         is(p, blocks * tokens, tokens) && is(stat, blocks * tokens, 2) &&
         (!a.joins() || (a.extras == 0 && a.joined_of.items == blocks && a.joined_of.by_row() &&
                         is(a.joined, a.joined_of.rows * a.height, n)));
}
bool fits(const TransformerLayer& a, const Mat& x) {
  using L = TransformerLayer;
  const int64_t n = x.cols, f = a.part[L::inner_w].cols;
  if (a.tokens < 1 || x.rows % a.tokens != 0 || n % 16 != 0) return false;
  for (L::Part w : {L::query_w, L::key_w, L::value_w})
    if (!is(a.part[w], n, n)) return false;
  for (L::Part row :
       {L::query_b, L::key_b, L::value_b, L::output_b, L::gamma1, L::beta1, L::outer_b, L::gamma2, L::beta2})
    if (!is(a.part[row], 1, n)) return false;
  return is(a.part[L::inner_w], n, f) && is(a.part[L::inner_b], 1, f) && is(a.part[L::outer_w], f, n) &&
         may_drop(a.drop_weights) && may_drop(a.drop_attention) && may_drop(a.drop_outer);
}
bool holds(const TransformerKept& kept, const TransformerLayer& a, const Mat& x) {
  return same(kept.query, x) && same(kept.key, x) && same(kept.value, x) && is(kept.p, x.rows, a.tokens) &&
         same(kept.unit1, x) && same(kept.unit2, x) && is(kept.inner, x.rows, a.part[TransformerLayer::inner_w].cols) &&
         is(kept.inverse, x.rows, 2);
}
// Every article of an instance with every one of its candidates.
bool crosses(const StackAttention& a, std::span<const int64_t> pair, const Mat& z) {
  const int64_t n = z.cols, instances = static_cast<int64_t>(pair.size()) - 1, pairs = a.extra_of[0].items;
  if (instances < 0 || pair.front() != 0 || pair.back() != pairs) return false;
  if (instances == 0 ? a.of.items > 0 : a.of.items % instances != 0 || z.rows != pairs * (a.of.items / instances))
    return false;
  return n % 16 == 0 && n <= 128 && a.height >= 0 && is(a.stack, a.of.rows * a.height, n) && is(a.bias, 1, n) &&
         is(a.gamma, 1, n) && is(a.beta, 1, n) && is(a.pool_bias, 1, 1);
}

}  // namespace

#define ND_CALL(device, call)                                                  \
  do {                                                                         \
    if ((device) == Device::cpu) return cpu::call;                             \
    if constexpr (kHasCuda) return cuda::call;                                 \
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
void gelu(const Mat& x, Mat y) {
  check(same(x, y), "gelu");
  ND_CALL(y.device, gelu(x, y));
}
void gelu_backward(const Mat& x, const Mat& dy, bool add, Mat dx) {
  check(same(x, dy) && same(x, dx), "gelu_backward");
  ND_CALL(dx.device, gelu_backward(x, dy, add, dx));
}
void dropout(const Dropout& drop, const Mat& x, bool add, Mat y) {
  check(same(x, y) && may_drop(drop), "dropout");
  ND_CALL(y.device, dropout(drop, x, add, y));
}
void put_rows(const Mat& x, const int32_t* row, Mat y) {
  check(x.cols == y.cols, "put_rows");
  ND_CALL(y.device, put_rows(x, row, y));
}
void squared_norm(const Mat& x, bool add, Mat out) {
  check(is(out, 1, 1), "squared_norm");
  ND_CALL(x.device, squared_norm(x, add, out));
}
void axpy(float a, const Mat& x, Mat y) {
  check(same(x, y), "axpy");
  ND_CALL(y.device, axpy(a, x, y));
}
void copy_columns(const Mat& x, int64_t from, int64_t n, bool add, Mat y, int64_t to) {
  check(x.rows == y.rows && from >= 0 && to >= 0 && n >= 0 && from + n <= x.cols && to + n <= y.cols, "copy_columns");
  ND_CALL(y.device, copy_columns(x, from, n, add, y, to));
}
void layer_norm(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& beta, Mat stat, Mat y) {
  check(same(x, y) && (r.empty() || same(x, r)) && may_drop(drop) && is(gamma, 1, x.cols) && is(beta, 1, x.cols) &&
            is(stat, x.rows, 2),
        "layer_norm");
  ND_CALL(y.device, layer_norm(x, r, drop, gamma, beta, stat, y));
}
void layer_norm_backward(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& stat,
                         const Mat& dy, Into dx, Into dr, Into dgamma, Into dbeta) {
  check(same(x, dy) && (r.empty() || same(x, r)) && is(gamma, 1, x.cols) && is(stat, x.rows, 2) && takes(dx, x) &&
            takes(dr, r) && takes(dgamma, gamma) && takes(dbeta, gamma),
        "layer_norm_backward");
  ND_CALL(dy.device, layer_norm_backward(x, r, drop, gamma, stat, dy, dx, dr, dgamma, dbeta));
}
void block_attention(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat y) {
  check(fits(a, query, key, value, p) && same(query, y) && may_drop(a.drop), "block_attention");
  ND_CALL(y.device, block_attention(a, query, key, value, p, y));
}
void block_attention_backward(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, const Mat& p,
                              const Mat& dy, Into dquery, Into dkey, Into dvalue) {
  check(fits(a, query, key, value, p) && same(query, dy) && same(query, dquery.mat) && same(query, dkey.mat) &&
            same(query, dvalue.mat),
        "block_attention_backward");
  ND_CALL(dy.device, block_attention_backward(a, query, key, value, p, dy, dquery, dkey, dvalue));
}
void stack_attention(const StackAttention& a, Mat p, Mat stat, Mat z) {
  check(fits(a, p, stat) && is(z, a.of.items, a.gamma.cols) && may_drop(a.drop_weights) && may_drop(a.drop_output),
        "stack_attention");
  ND_CALL(z.device, stack_attention(a, p, stat, z));
}
void stack_attention_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                              const StackAttentionInto& out) {
  const int64_t n = a.gamma.cols;
  check(fits(a, p, stat) && is(dz, a.of.items, n) && same(a.stack, out.stack) &&
            (!a.joins() || same(a.joined, out.joined)),
        "stack_attention_backward");
  for (int j = 0; j < a.extras; ++j) check(is(out.extra[j], a.of.items, n), "stack_attention_backward extra");
  check(takes(out.bias, a.bias) && takes(out.gamma, a.gamma) && takes(out.beta, a.beta) && takes(out.pool, a.pool) &&
            takes(out.pool_bias, a.pool_bias),
        "stack_attention_backward parameters");
  ND_CALL(dz.device, stack_attention_backward(a, p, stat, dz, out));
}
void crossed_attention(const StackAttention& a, std::span<const int64_t> pair, Mat z) {
  check(crosses(a, pair, z) && a.extras == 2 && a.extra_of[1].items == static_cast<int64_t>(pair.size()) - 1 &&
            is(a.extra[1], a.extra[1].x.rows, z.cols) && is(a.extra[0], a.extra[0].x.rows, z.cols) &&
            is(a.pool, a.height + 2, 1),
        "crossed_attention");
  ND_CALL(z.device, crossed_attention(a, pair, z));
}
void joined_attention(const StackAttention& a, std::span<const int64_t> pair, Mat z) {
  check(crosses(a, pair, z) && a.extras == 1 && is(a.extra[0], a.extra_of[0].rows * a.height, z.cols) && a.height > 0 &&
            is(a.pool, a.height, 1),
        "joined_attention");
  ND_CALL(z.device, joined_attention(a, pair, z));
}
void encoder_layer(const EncoderLayer& a, Mat x) {
  const int64_t n = x.cols, m = a.inner_w.cols;
  check(a.tokens > 0 && x.rows % a.tokens == 0 && n % 16 == 0 && is(a.score_w, n, n) && is(a.score_b, 1, n) &&
            is(a.value_w, n, n) && is(a.value_b, 1, n) && is(a.inner_w, n, m) && is(a.inner_b, 1, m) &&
            is(a.outer_w, m, n) && is(a.outer_b, 1, n) && is(a.gamma1, 1, n) && is(a.beta1, 1, n) &&
            is(a.gamma2, 1, n) && is(a.beta2, 1, n),
        "encoder_layer");
  ND_CALL(x.device, encoder_layer(a, x));
}
void transformer_layer(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, Mat y) {
  check(fits(a, x) && same(x, y) && (kept.query.empty() || holds(kept, a, x)) &&
            (kept.p.empty() || is(kept.p, x.rows, a.tokens)),
        "transformer_layer");
  ND_CALL(y.device, transformer_layer(a, x, kept, y));
}
void transformer_layer_backward(const TransformerLayer& a, const Mat& x, const TransformerKept& kept, const Mat& dy,
                                Into dx, const Into (&dpart)[TransformerLayer::kParts]) {
  check(fits(a, x) && same(x, dy) && holds(kept, a, x) && takes(dx, x), "transformer_layer_backward");
  for (int i = 0; i < TransformerLayer::kParts; ++i)
    check(takes(dpart[i], a.part[i]), "transformer_layer_backward part");
  ND_CALL(dy.device, transformer_layer_backward(a, x, kept, dy, dx, dpart));
}
void mix_tokens(const Mat& x, const Mat& w, const Mat& bias, Mat y) {
  check(w.rows > 0 && x.rows % w.rows == 0 && is(bias, 1, w.cols) && is(y, x.rows / w.rows * w.cols, x.cols),
        "mix_tokens");
  ND_CALL(y.device, mix_tokens(x, w, bias, y));
}
void mix_tokens_backward(const Mat& x, const Mat& w, const Mat& dy, Into dx, Into dw, Into dbias) {
  check(w.rows > 0 && x.rows % w.rows == 0 && is(dy, x.rows / w.rows * w.cols, x.cols) && takes(dx, x) &&
            takes(dw, w) && (dbias.mat.empty() || is(dbias.mat, 1, w.cols)),
        "mix_tokens_backward");
  ND_CALL(dy.device, mix_tokens_backward(x, w, dy, dx, dw, dbias));
}
void shift_tokens(int64_t tokens, int64_t by, const Mat& x, bool add, Mat y) {
  check(tokens > 0 && x.rows % tokens == 0 && same(x, y), "shift_tokens");
  ND_CALL(y.device, shift_tokens(tokens, by, x, add, y));
}
void lstm(int64_t tokens, bool reverse, const Mat& a, const Mat& u, Mat gates, Mat cell, Mat h) {
  check(tokens > 0 && a.rows % tokens == 0 && is(u, h.cols, 4 * h.cols) && is(a, h.rows, 4 * h.cols) &&
            same(a, gates) && same(h, cell),
        "lstm");
  ND_CALL(h.device, lstm(tokens, reverse, a, u, gates, cell, h));
}
void lstm_backward(int64_t tokens, bool reverse, const Mat& u, const Mat& gates, const Mat& cell, const Mat& dh,
                   Mat da) {
  check(tokens > 0 && dh.rows % tokens == 0 && is(u, dh.cols, 4 * dh.cols) && is(gates, dh.rows, 4 * dh.cols) &&
            same(dh, cell) && same(gates, da),
        "lstm_backward");
  ND_CALL(da.device, lstm_backward(tokens, reverse, u, gates, cell, dh, da));
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
void segment_sum(const Index& segments, const Mat& p, const Mat& x, const Index& index, bool add, Mat y) {
  check(runs(segments) && is(p, segments.items, 1) && index.items == segments.items && is(y, segments.rows, x.cols) &&
            reads(index, x),
        "segment_sum");
  ND_CALL(y.device, segment_sum(segments, p, x, index, add, y));
}
void segment_sum_backward_weights(const Index& segments, const Mat& dy, const Mat& x, const Index& index, bool add,
                                  Mat dp) {
  check(runs(segments) && is(dp, segments.items, 1) && index.items == segments.items && is(dy, segments.rows, x.cols) &&
            reads(index, x),
        "segment_sum_backward_weights");
  ND_CALL(dp.device, segment_sum_backward_weights(segments, dy, x, index, add, dp));
}
void segment_sum_backward_values(const Index& segments, const Mat& p, const Mat& dy, const Index& index, bool add,
                                 Mat dx) {
  check(runs(segments) && is(p, segments.items, 1) && index.items == segments.items && dy.rows == segments.rows &&
            dx.cols == dy.cols && sums_into(index, dx),
        "segment_sum_backward_values");
  ND_CALL(dx.device, segment_sum_backward_values(segments, p, dy, index, add, dx));
}
void set_attention(const Index& segments, std::span<const Table> keys, const Mat& w, std::span<const Table> values,
                   uint16_t* mask, Mat p, Mat x, Mat y) {
  check(runs(segments) && w.cols == 1 && fits(keys, segments.items, w.rows) && fits(values, segments.items, y.cols) &&
            is(p, segments.items, 1) && (x.empty() || is(x, segments.items, y.cols)) && y.rows == segments.rows,
        "set_attention");
  ND_CALL(y.device, set_attention(segments, keys, w, values, mask, p, x, y));
}
void set_attention_backward(const Index& segments, std::span<const Table> keys, const Mat& w,
                            std::span<const Table> values, const uint16_t* mask, const Mat& p, const Mat& x,
                            const Mat& dy, Mat ds, const SetAttentionInto& out) {
  const auto sums_into_all = [](std::span<const Table> tables, const Into* into, bool all) {
    for (const Table& t : tables) {
      const Mat& d = (into++)->mat;
      if ((all || !d.empty()) && !(sums_into(t.index, d) && same(t.values, d))) return false;
    }
    return true;
  };
  bool apart = true;
  for (const Into& a : out.key)
    for (const Into& b : out.value) apart = apart && (a.mat.empty() || a.mat.data != b.mat.data);
  for (int j = 1; j < 5; ++j)
    for (int i = 0; i < j; ++i)
      apart = apart && (out.key[j].mat.empty() || out.key[i].mat.data != out.key[j].mat.data) &&
              (out.value[j].mat.empty() || out.value[i].mat.data != out.value[j].mat.data);
  check(apart && runs(segments) && w.cols == 1 && fits(keys, segments.items, w.rows) &&
            fits(values, segments.items, dy.cols) && sums_into_all(keys, out.key, true) &&
            sums_into_all(values, out.value, false) && same(w, out.w.mat) && is(p, segments.items, 1) && same(p, ds) &&
            dy.rows == segments.rows && (x.empty() ? values.size() == 1 : is(x, segments.items, dy.cols)),
        "set_attention_backward");
  ND_CALL(ds.device, set_attention_backward(segments, keys, w, values, mask, p, x, dy, ds, out));
}
void neighbour_attention(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                         const int32_t* tail, const Mat& layer, const Mat& w, uint16_t* mask, Mat p, Mat y) {
  check(runs(segments) && is(head, segments.rows, w.rows) && w.cols == 1 && is(layer, x.cols, w.rows) &&
            fits({&relation, 1}, segments.items, w.rows) && is(p, segments.items, 1) && is(y, segments.rows, x.cols),
        "neighbour_attention");
  ND_CALL(y.device, neighbour_attention(segments, head, relation, x, tail, layer, w, mask, p, y));
}
void neighbour_attention_backward(const Index& segments, const Mat& head, const Table& relation, const Mat& x,
                                  const int32_t* tail, const Mat& layer, const Mat& w, const uint16_t* mask,
                                  const Mat& p, const Mat& dy, Mat ds, const NeighbourAttentionInto& out) {
  check(runs(segments) && sums_into(relation.index, relation.values) && is(head, segments.rows, w.rows) &&
            w.cols == 1 && is(layer, x.cols, w.rows) && fits({&relation, 1}, segments.items, w.rows) &&
            same(head, out.head.mat) && same(relation.values, out.relation.mat) && same(layer, out.layer.mat) &&
            same(w, out.w.mat) && is(p, segments.items, 1) && same(p, ds) && is(dy, segments.rows, x.cols),
        "neighbour_attention_backward");
  ND_CALL(ds.device, neighbour_attention_backward(segments, head, relation, x, tail, layer, w, mask, p, dy, ds, out));
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
void two_means_loss(const Mat& z, const uint8_t* positive, Mat loss) {
  check(z.cols == 1 && is(loss, 1, 1), "two_means_loss");
  ND_CALL(z.device, two_means_loss(z, positive, loss));
}
void two_means_loss_backward(const Mat& z, const uint8_t* positive, const Mat& dloss, bool add, Mat dz) {
  check(z.cols == 1 && same(z, dz) && is(dloss, 1, 1), "two_means_loss_backward");
  ND_CALL(z.device, two_means_loss_backward(z, positive, dloss, add, dz));
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
void adam(const AdamStep& step, std::span<const AdamParameter> parameters) {
  if (parameters.empty()) return;
  for (const AdamParameter& p : parameters) check(same(p.g, p.x) && same(p.m, p.x) && same(p.v, p.x), "adam");
  check(step.longest == 0 || is(step.squared_norm, 1, 1), "adam: norm");
  ND_CALL(parameters[0].x.device, adam(step, parameters));
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
void adam_rows(const AdamStep& step, const RowGradients& gradients, Mat m, Mat v, Mat x) {
  check(same(m, x) && same(v, x) && moves(gradients, x), "adam_rows");
  ND_CALL(x.device, adam_rows(step, gradients, m, v, x));
}
void adagrad_rows(float lr, int64_t dim, const RowGradients& gradients, Mat squares, Mat x) {
  check(is(squares, x.rows, 1) && dim > 0 && dim <= x.cols && moves(gradients, x), "adagrad_rows");
  ND_CALL(x.device, adagrad_rows(lr, dim, gradients, squares, x));
}
void sgd_rows(float lr, const RowGradients& gradients, Mat x) {
  check(moves(gradients, x), "sgd_rows");
  ND_CALL(x.device, sgd_rows(lr, gradients, x));
}
void cap_rows(const RowGradients& gradients, Mat x) {
  check(moves(gradients, x), "cap_rows");
  ND_CALL(x.device, cap_rows(gradients, x));
}
void l1_distances(const Mat& a, const Mat& b, Mat c) {
  check(a.cols == b.rows && is(c, a.rows, b.cols) && b.cols % 16 == 0, "l1_distances");
  ND_CALL(c.device, l1_distances(a, b, c));
}
void draw_apart(Device device, const ApartDraws& draws, const Index& sets, int32_t* out) {
  check(runs(sets), "draw_apart");
  ND_CALL(device, draw_apart(device, draws, sets, out));
}
void rank_in_sets(const Index& sets, const Mat& s, const int32_t* id, Mat rank) {
  check(runs(sets) && is(rank, sets.items, 1) && (s.empty() || (same(s, rank) && id)), "rank_in_sets");
  ND_CALL(rank.device, rank_in_sets(sets, s, id, rank));
}
void pick_ranked(const Index& sets, const Mat& rank, const int32_t* id, const int32_t* first, const Index& picks,
                 int32_t* out) {
  check(runs(sets) && is(rank, sets.items, 1) && runs(picks) && picks.rows == sets.rows, "pick_ranked");
  ND_CALL(rank.device, pick_ranked(sets, rank, id, first, picks, out));
}
void rows_of(Device device, std::span<const int32_t> table, std::span<const int32_t> item, int64_t height,
             int32_t* out) {
  ND_CALL(device, rows_of(device, table, item, height, out));
}
void sort_items(Device device, std::span<const int32_t> row, int64_t rows, int64_t* offsets, int32_t* item) {
  ND_CALL(device, sort_items(device, row, rows, offsets, item));
}

#undef ND_CALL
}  // namespace nd::ops
