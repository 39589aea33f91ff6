// The part of a case that trains: the same for every model.
#pragma once

#include <vector>

#include "lib/nn/parameters.h"
#include "tests/parity/case_file.h"

namespace nd {

// Writes the parameters, takes 20 optimiser steps over the batches in turn, and writes the first step's loss, scores
// and gradients, every step's loss and the parameters after. loss_of(tape, batch, &scores); trained(parameter): whether
// these steps move it.
template <class Loss, class Trained>
void write_steps(CaseFile& file, Parameters& parameters, const OptimiserOptions& optimiser, int64_t batches,
                 Loss&& loss_of, Trained&& trained) {
  constexpr int64_t kSteps = 20;
  const auto each = [&](auto&& f) {
    for (Parameter& p : parameters.all())
      if (trained(p)) f(p);
  };
  each([&](const Parameter& p) { file.mat("param." + p.name, p.value); });
  std::vector<int32_t> order;
  std::vector<float> losses;
  Arena arena;
  Tape tape(arena);
  for (int64_t s = 0; s < kSteps; ++s) {
    order.push_back(static_cast<int32_t>(s % batches));
    tape.reset();
    parameters.clear_gradients();
    Var scores = nullptr;
    Var loss = loss_of(tape, order.back(), &scores);
    tape.backward(loss);
    if (s == 0) {
      const Mat& x = scores->value;
      file.floats("out.loss", loss->value.data, {1});
      file.floats("out.score", x.data,
                  x.cols == 1 ? std::vector<int64_t>{x.rows} : std::vector<int64_t>{x.rows, x.cols});
      each([&](const Parameter& p) {
        if (p.started) file.mat("grad." + p.name, p.grad);
      });
    }
    losses.push_back(loss->value.data[0]);
    parameters.step(optimiser, s + 1);
  }
  file.column("steps", order);
  file.floats("out.losses", losses.data(), {kSteps});
  each([&](const Parameter& p) { file.mat("after." + p.name, p.value); });
}

}  // namespace nd
