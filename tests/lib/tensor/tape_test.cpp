#include "lib/tensor/tape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lib/tensor/grad.h"

namespace nd {
namespace {

struct Leaf {
  std::vector<float> value, grad;
  int64_t rows, cols;
  bool started = false;

  Leaf(int64_t rows, int64_t cols, float x) : value(rows * cols, x), grad(rows * cols, NAN), rows(rows), cols(cols) {}
  Var on(Tape& tape) { return tape.leaf({value.data(), rows, cols}, {grad.data(), rows, cols}, &started); }
};

TEST(Tape, RunsClosuresBackwards) {
  Arena arena;
  Tape tape(arena);
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) tape.record([&order, i] { order.push_back(i); });
  const Var loss = tape.result(1, 1, true);
  tape.backward(loss);
  EXPECT_EQ(order, (std::vector<int>{4, 3, 2, 1, 0}));
  EXPECT_EQ(loss->grad.data[0], 1);
  tape.reset();
  order.clear();
  tape.backward(tape.result(1, 1, true));
  EXPECT_TRUE(order.empty());
}

TEST(Tape, ALeafThatStandsOnItTwiceGathersOneGradient) {
  Arena arena;
  Tape tape(arena);
  Leaf x(1, 1, 3), w(1, 1, 2);
  const Var y1 = grad::linear(tape, {{x.on(tape), w.on(tape)}}, nullptr, Activation::none, 1);
  const Var y2 = grad::linear(tape, {{y1, w.on(tape)}}, nullptr, Activation::none, 1);  // y = x w²
  tape.backward(y2);
  EXPECT_FLOAT_EQ(y2->value.data[0], 12);
  EXPECT_FLOAT_EQ(x.grad[0], 4);
  EXPECT_FLOAT_EQ(w.grad[0], 12);
}

TEST(Tape, ALossThatDependsOnNothingWantedLeavesGradientsUnstarted) {
  Arena arena;
  Tape tape(arena);
  Leaf x(1, 1, 3), w(1, 1, 2);
  const Var frozen = tape.constant({x.value.data(), 1, 1});
  grad::linear(tape, {{frozen, w.on(tape)}}, nullptr, Activation::none, 1);  // recorded, but not part of the loss
  const Var loss = grad::activate(tape, Activation::tanh, frozen);
  EXPECT_FALSE(loss->wanted);
  tape.backward(loss);
  EXPECT_FALSE(w.started);

  Leaf other(1, 1, 1);
  tape.backward(grad::activate(tape, Activation::tanh, other.on(tape)));
  EXPECT_TRUE(other.started);
  EXPECT_FALSE(w.started);
}

TEST(Tape, WithoutRecordingOnlyValuesAreMade) {
  Arena arena;
  Tape tape(arena, false);
  Leaf x(4, 3, 0.5f), w(3, 2, 2);
  const Var y = grad::linear(tape, {{x.on(tape), w.on(tape)}}, nullptr, Activation::tanh, 4);
  EXPECT_FALSE(y->wanted);
  EXPECT_FLOAT_EQ(y->value.data[0], std::tanh(3.0f));
  tape.backward(y);
  EXPECT_FALSE(x.started);
  EXPECT_FALSE(w.started);
}

TEST(Tape, ASteadyStateAsksForNoMemory) {
  Arena arena;
  Tape tape(arena);
  Leaf w(40, 64, 0.01f), b(1, 64, 0.1f), w2(64, 1, 0.3f);
  std::vector<float> x(30000 * 40, 0.25f);
  size_t held = 0;
  for (int step = 0; step < 6; ++step) {
    tape.reset();
    w.started = b.started = w2.started = false;
    const int64_t m = 30000 - 1000 * (step % 3);
    const Var y = grad::linear(tape, {{tape.constant({x.data(), m, 40}), w.on(tape)}}, b.on(tape), Activation::relu, m);
    const Var s = grad::relu_dot(tape, {{y, identity(m)}}, w2.on(tape), nullptr);
    const std::vector<int64_t> offsets = {0, m / 2, m};
    tape.backward(grad::rank_loss(tape, make_segments(arena, offsets), s, 10));
    if (step == 1) {
      tape.reset();
      held = arena.held();
    }
    EXPECT_TRUE(step < 2 || arena.held() == held) << "step " << step;
  }
}

TEST(Tape, MistakesInUseAreTold) {
  Arena arena;
  Tape tape(arena);
  Leaf x(4, 3, 1), w(3, 2, 1), table(9, 3, 1), v(2, 1, 1);
  const std::vector<int32_t> rows = {0, 8, 3, 3};
  const auto none = Activation::none;
  const auto linear = [&](std::initializer_list<grad::Term> terms, int64_t m) {
    return grad::linear(tape, terms, nullptr, none, m);
  };
  const grad::Term term{x.on(tape), w.on(tape)};
  EXPECT_NO_THROW(linear({term, term, term}, 4));
  EXPECT_THROW(linear({term, term, term, term}, 4), std::logic_error);
  EXPECT_THROW(linear({term}, 5), std::logic_error);                      // m rows
  EXPECT_THROW(linear({{x.on(tape), v.on(tape)}}, 4), std::logic_error);  // inner sizes
  EXPECT_THROW(linear({{table.on(tape), w.on(tape), rows.data()}}, 4),
               std::logic_error);  // gradient of a gathered table
  EXPECT_NO_THROW(linear({{tape.constant({table.value.data(), 9, 3}), w.on(tape), rows.data()}}, 4));

  const grad::Rows each{x.on(tape), identity(4)};
  EXPECT_NO_THROW(grad::gather_sum(tape, {each, each, each, each}));
  EXPECT_THROW(grad::gather_sum(tape, {each, each, each, each, each, each}), std::logic_error);
  EXPECT_THROW(grad::gather_sum(tape, {each, {w.on(tape), identity(3)}}), std::logic_error);
  EXPECT_THROW(grad::gather_sum(tape, {{x.on(tape), identity(5)}}), std::logic_error);

  // Sets whose items are not in their order, and a gradient by rows that the index cannot give.
  const Index mixed = make_index(arena, rows, 9);
  Leaf s(4, 1, 1);
  EXPECT_THROW(grad::segment_softmax(tape, mixed, s.on(tape)), std::logic_error);
  const Index forward_only{4, 9, rows.data(), nullptr, nullptr};
  const Var picked = grad::gather_sum(tape, {{table.on(tape), forward_only}});
  const std::vector<int32_t> label = {0, 1, 2, 0};
  EXPECT_THROW(tape.backward(grad::cross_entropy(tape, picked, label.data())), std::logic_error);
}

}  // namespace
}  // namespace nd
