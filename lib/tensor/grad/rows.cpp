#include "lib/tensor/grad/rows_list.h"

namespace nd::grad {
Var gather_sum(Tape& tape, std::span<const Rows> tables) {
  const RowsList list(tables);
  Var y = tape.result(list.rows[0].index.items, list.rows[0].table->value.cols, list.wanted);
  ops::gather_sum(list.span(), y->value);
  if (y->wanted)
    tape.record([&tape, list, y] {
      if (!y->started) return;
      for (size_t j = 0; j < list.count; ++j) {
        if (!list.rows[j].table->wanted) continue;
        const auto g = tape.gradient(list.rows[j].table);
        ops::scatter_sum(y->grad, list.rows[j].index, g.add, g.mat);
      }
    });
  return y;
}

Var relu_dot(Tape& tape, std::span<const Rows> tables, Var w, Var b) {
  const RowsList list(tables);
  const int64_t items = list.rows[0].index.items;
  Var s = tape.result(items, 1, list.wanted || w->wanted || (b && b->wanted));
  uint16_t* mask = tape.arena().array<uint16_t>(items * ((w->value.size() + 15) / 16)).data();
  ops::relu_dot(list.span(), w->value, b ? b->value : Mat{}, mask, s->value);
  if (s->wanted)
    tape.record([&tape, list, w, b, mask, s] {
      if (!s->started) return;
      // Frozen tables still have a share in w's gradient, and a frozen w in theirs: what is not wanted goes to scratch.
      for (size_t j = 0; j < list.count; ++j) {
        const Var table = list.rows[j].table;
        const auto gt = table->wanted ? tape.gradient(table)
                                      : Tape::Slot{tape.arena().mat(table->value.rows, table->value.cols), false};
        const auto gw = w->wanted ? tape.gradient(w) : Tape::Slot{tape.arena().mat(w->value.rows, 1), false};
        ops::relu_dot_backward(list.rows[j].index, s->grad, mask, table->value, w->value, gt.add, gt.mat, gw.add,
                               gw.mat);
      }
      if (b && b->wanted) {
        const auto g = tape.gradient(b);
        ops::column_sums(s->grad, g.add, g.mat);
      }
    });
  return s;
}

Var row_dots(Tape& tape, const Rows& a, const Rows& b, bool cosine) {
  Var s = tape.result(a.index.items, 1, a.table->wanted || b.table->wanted);
  ops::row_dots(a.table->value, a.index, b.table->value, b.index, cosine, s->value);
  if (s->wanted)
    tape.record([&tape, a, b, cosine, s] {
      if (!s->started) return;
      const auto side = [&](const Rows& x, const Rows& other) {
        if (!x.table->wanted) return;
        const auto g = tape.gradient(x.table);
        ops::row_dots_backward(x.table->value, x.index, other.table->value, other.index, cosine, s->value, s->grad,
                               g.add, g.mat);
      };
      side(a, b);
      side(b, a);
    });
  return s;
}

}  // namespace nd::grad
