#include "lib/tensor/grad.h"

namespace nd::grad {

Var rank_loss(Tape& tape, const Index& segments, Var s, float gamma) {
  Var loss = tape.result(1, 1, s->wanted);
  const Mat p = tape.arena().mat(segments.items, 1);
  ops::rank_loss(segments, s->value, gamma, p, loss->value);
  if (loss->wanted)
    tape.record([&tape, segments, s, gamma, p, loss] {
      if (!loss->started) return;
      const auto g = tape.gradient(s);
      ops::rank_loss_backward(segments, p, gamma, loss->grad, g.add, g.mat);
    });
  return loss;
}

Var cross_entropy(Tape& tape, Var x, const int32_t* label) {
  Var loss = tape.result(1, 1, x->wanted);
  const Mat p = tape.arena().mat(x->value.rows, x->value.cols);
  ops::cross_entropy(x->value, label, p, loss->value);
  if (loss->wanted)
    tape.record([&tape, x, label, p, loss] {
      if (!loss->started) return;
      const auto g = tape.gradient(x);
      ops::cross_entropy_backward(p, label, loss->grad, g.add, g.mat);
    });
  return loss;
}

Var two_means_loss(Tape& tape, Var z, const uint8_t* positive) {
  Var loss = tape.result(1, 1, z->wanted);
  ops::two_means_loss(z->value, positive, loss->value);
  if (loss->wanted)
    tape.record([&tape, z, positive, loss] {
      if (!loss->started) return;
      const auto g = tape.gradient(z);
      ops::two_means_loss_backward(z->value, positive, loss->grad, g.add, g.mat);
    });
  return loss;
}

}  // namespace nd::grad
