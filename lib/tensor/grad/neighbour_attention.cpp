#include "lib/tensor/grad/into.h"

namespace nd::grad {

Var neighbour_attention(Tape& tape, const Index& segments, Var head, const Rows& relation, const FrozenRows& tail,
                        Var layer, Var w, Var* weights) {
  const bool wanted = head->wanted || relation.table->wanted || layer->wanted || w->wanted;
  const Table relation_table{relation.table->value, relation.index};
  const Mat p = tape.arena().mat(segments.items, 1);
  uint16_t* mask = tape.arena().array<uint16_t>(segments.items * ((w->value.size() + 15) / 16)).data();
  Var y = tape.result(segments.rows, tail.x.cols, wanted);
  ops::neighbour_attention(segments, head->value, relation_table, tail.x, tail.row, layer->value, w->value, mask, p,
                           y->value);
  if (weights) *weights = tape.constant(p);
  if (y->wanted)
    tape.record([&tape, segments, head, relation, tail, layer, w, mask, p, y] {
      if (!y->started) return;
      const Mat ds = tape.arena().mat(segments.items, 1);
      NeighbourAttentionInto out;
      out.layer = always(tape, layer);
      out.w = always(tape, w);
      out.head = always(tape, head);
      out.relation = always(tape, relation.table);
      ops::neighbour_attention_backward(segments, head->value, {relation.table->value, relation.index}, tail.x,
                                        tail.row, layer->value, w->value, mask, p, y->grad, ds, out);
    });
  return y;
}

}  // namespace nd::grad
