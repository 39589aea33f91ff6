#include "lib/tensor/grad/into.h"
#include "lib/tensor/grad/rows_list.h"

namespace nd::grad {

Var segment_softmax(Tape& tape, const Index& segments, Var s) {
  Var p = tape.result(segments.items, 1, s->wanted);
  ops::segment_softmax(segments, s->value, p->value);
  if (p->wanted)
    tape.record([&tape, segments, s, p] {
      if (!p->started) return;
      const auto g = tape.gradient(s);
      ops::segment_softmax_backward(segments, p->value, p->grad, g.add, g.mat);
    });
  return p;
}

Var segment_sum(Tape& tape, const Index& segments, Var p, const Rows& x) {
  Var y = tape.result(segments.rows, x.table->value.cols, p->wanted || x.table->wanted);
  ops::segment_sum(segments, p->value, x.table->value, x.index, false, y->value);
  if (y->wanted)
    tape.record([&tape, segments, p, x, y] {
      if (!y->started) return;
      if (p->wanted) {
        const auto g = tape.gradient(p);
        ops::segment_sum_backward_weights(segments, y->grad, x.table->value, x.index, g.add, g.mat);
      }
      if (x.table->wanted) {
        const auto g = tape.gradient(x.table);
        ops::segment_sum_backward_values(segments, p->value, y->grad, x.index, g.add, g.mat);
      }
    });
  return y;
}

Var segment_sum(Tape& tape, const Index& segments, Var p, std::span<const Rows> tables) {
  const RowsList list(tables);
  Var y = tape.result(segments.rows, list.tables[0].values.cols, p->wanted || list.wanted);
  if (!y->wanted) {  // nobody will read the items' rows again
    for (size_t j = 0; j < list.count; ++j)
      ops::segment_sum(segments, p->value, list.tables[j].values, list.tables[j].index, j > 0, y->value);
    return y;
  }
  const Mat x = tape.arena().mat(segments.items, y->value.cols);
  ops::gather_sum(list.span(), x);
  ops::segment_sum(segments, p->value, x, identity(segments.items), false, y->value);
  tape.record([&tape, segments, p, list, x, y] {
    if (!y->started) return;
    if (p->wanted) {
      const auto g = tape.gradient(p);
      ops::segment_sum_backward_weights(segments, y->grad, x, identity(segments.items), g.add, g.mat);
    }
    for (size_t j = 0; j < list.count; ++j) {
      if (!list.rows[j].table->wanted) continue;
      const auto g = tape.gradient(list.rows[j].table);
      ops::segment_sum_backward_values(segments, p->value, y->grad, list.rows[j].index, g.add, g.mat);
    }
  });
  return y;
}

Var set_attention(Tape& tape, const Index& segments, std::span<const Rows> keys, Var w, std::span<const Rows> values,
                  Var* weights) {
  const RowsList key(keys), value(values);
  const int64_t items = segments.items;
  const Mat p = tape.arena().mat(items, 1);
  uint16_t* mask = tape.arena().array<uint16_t>(items * ((w->value.size() + 15) / 16)).data();
  Var y = tape.result(segments.rows, value.tables[0].values.cols, key.wanted || value.wanted || w->wanted);
  const Mat x = y->wanted && value.count > 1 ? tape.arena().mat(items, y->value.cols) : Mat{};
  ops::set_attention(segments, key.span(), w->value, value.span(), mask, p, x, y->value);
  if (weights) *weights = tape.constant(p);
  if (y->wanted)
    tape.record([&tape, segments, key, value, w, mask, p, x, y] {
      if (!y->started) return;
      const Mat ds = tape.arena().mat(segments.items, 1);
      SetAttentionInto out;
      for (size_t j = 0; j < value.count; ++j) out.value[j] = into(tape, value.rows[j].table);
      for (size_t j = 0; j < key.count; ++j) out.key[j] = always(tape, key.rows[j].table);
      out.w = always(tape, w);
      ops::set_attention_backward(segments, key.span(), w->value, value.span(), mask, p, x, y->grad, ds, out);
    });
  return y;
}

Var segment_max(Tape& tape, const Index& segments, Var x) {
  Var y = tape.result(segments.rows, x->value.cols, x->wanted);
  int32_t* from = tape.arena().array<int32_t>(y->value.size()).data();
  ops::segment_max(segments, x->value, from, y->value);
  if (y->wanted)
    tape.record([&tape, segments, x, from, y] {
      if (!y->started) return;
      const auto g = tape.gradient(x);
      ops::segment_max_backward(segments, from, y->grad, g.add, g.mat);
    });
  return y;
}

}  // namespace nd::grad
