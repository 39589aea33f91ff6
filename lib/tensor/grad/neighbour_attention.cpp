#include "lib/tensor/grad.h"

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
      // One closure makes all four gradients; what nobody wants goes to scratch.
      const auto slot = [&](Var v) {
        return v->wanted ? tape.gradient(v) : Tape::Slot{tape.arena().mat(v->value.rows, v->value.cols), false};
      };
      const Mat ds = tape.arena().mat(segments.items, 1);
      const auto gl = slot(layer), gw = slot(w), gh = slot(head);
      ops::neighbour_attention_backward(segments, tail.x, tail.row, layer->value, w->value, mask, p, y->grad, ds,
                                        gl.add, gl.mat, gw.add, gw.mat);
      ops::relu_dot_backward(segments, ds, mask, head->value, w->value, gh.add, gh.mat, true, gw.mat);
      const auto gr = slot(relation.table);
      ops::relu_dot_backward(relation.index, ds, mask, relation.table->value, w->value, gr.add, gr.mat, true, gw.mat);
    });
  return y;
}

}  // namespace nd::grad
