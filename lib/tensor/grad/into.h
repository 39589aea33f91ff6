// Where a closure's kernel writes gradients. Called in the order in which it does: where one value takes part twice,
// the second gradient is added to the first.
#pragma once

#include "lib/tensor/grad.h"

namespace nd::grad {

// A gradient's place, nowhere for what wants none.
inline Into into(Tape& tape, Var v) {
  if (!v || !v->wanted) return {};
  const auto g = tape.gradient(v);
  return {g.mat, g.add};
}
// The same for kernels that always write: what is not wanted goes to scratch.
inline Into always(Tape& tape, Var v) {
  return v->wanted ? into(tape, v) : Into{tape.arena().mat(v->value.rows, v->value.cols), false};
}

}  // namespace nd::grad
