// Training steps whose sizes change ask for no memory once the largest have been seen: none of the GPU, none that it
// copies from.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/device.h"
#include "lib/tensor/grad.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kEntities = 300, kRelations = 9, kInner = 96, kHidden = 128;
constexpr int64_t kBallast = 5 << 20;  // floats: with them a step is larger than what an arena holds ready

// A step as KRED's: neighbour attention, attention over sets, a ranking loss, all gradients and Adam. Two arenas by
// turns, as training has them.
class Steps {
 public:
  Steps()
      : arenas_{Arena(Device::cuda), Arena(Device::cuda)},
        x_(filled(kEntities, kInner)),
        layer_(kInner, kHidden, *this),
        other_(kInner, kHidden, *this),
        relation_(kRelations, kHidden, *this),
        w_(kHidden, 1, *this),
        last_(kInner, 1, *this) {}

  float run(int64_t sets, bool recorded) {
    const uint64_t step = step_++;
    Arena& arena = arenas_[step % 2];
    if (late_[step % 2].at) value_of(late_[step % 2]);
    Tape tape(arena);
    tape.reset();
    const Random random(7, "steady");
    const auto offsets = arena.array<int64_t>(sets + 1);
    offsets[0] = 0;
    for (int64_t r = 0; r < sets; ++r)
      offsets[r + 1] = offsets[r] + 1 + static_cast<int64_t>(random.below(40, step, r));
    const Index segments = make_segments(arena, offsets);
    const auto rows = [&](int64_t count, int64_t most) {
      const auto row = arena.array<int32_t>(count);
      for (int64_t i = 0; i < count; ++i) row[i] = static_cast<int32_t>(random.below(most, step + 1000, i));
      return row;
    };
    const auto heads = rows(sets, kEntities), tails = rows(segments.items, kEntities);
    const Index relation = make_index(arena, rows(segments.items, kRelations), kRelations);
    const auto one = arena.array<int64_t>(2);
    one[0] = 0;
    one[1] = sets;
    const Index all = make_segments(arena, one);

    Recording recording(recorded);
    arena.mat(kBallast, 1);
    const Var x = tape.constant(x_), w = w_.on(tape), layer = layer_.on(tape), relations = relation_.on(tape);
    const Var head = grad::linear(tape, {{x, other_.on(tape), heads.data()}}, nullptr, Activation::none, sets);
    const Var one_hop =
        grad::neighbour_attention(tape, segments, head, {relations, relation}, {x_, tails.data()}, layer, w, nullptr);
    const Var keys = grad::linear(tape, {{one_hop, other_.on(tape)}}, nullptr, Activation::relu, sets);
    const Var pooled =
        grad::set_attention(tape, all, {{keys, identity(sets)}}, w, {{one_hop, identity(sets)}}, nullptr);
    const Var every = grad::gather_sum(tape, {{one_hop, identity(sets)}, {pooled, all}});
    const Var s = grad::linear(tape, {{every, last_.on(tape)}}, nullptr, Activation::none, sets);
    const Var loss = grad::rank_loss(tape, all, s, 1);
    tape.backward(loss);
    std::vector<AdamParameter> parameters;
    for (Leaf* leaf : {&layer_, &other_, &relation_, &w_, &last_}) {
      parameters.push_back({leaf->g, leaf->m, leaf->v, leaf->x});
      leaf->started = false;
    }
    ops::adam({}, parameters);
    late_[step % 2] = value_later(arena, loss->value);
    recording.start();
    return value_of(late_[step % 2]);
  }

 private:
  struct Leaf {
    Mat x, g, m, v;
    bool started = false;
    Leaf(int64_t rows, int64_t cols, Steps& steps)
        : x(steps.filled(rows, cols)),
          g(steps.kept_.mat(rows, cols)),
          m(steps.kept_.mat(rows, cols)),
          v(steps.kept_.mat(rows, cols)) {
      fill(m, 0);
      fill(v, 0);
    }
    Var on(Tape& tape) { return tape.leaf(x, g, &started); }
  };
  Mat filled(int64_t rows, int64_t cols) {
    const Mat m = kept_.mat(rows, cols);
    std::vector<float> values(static_cast<size_t>(rows * cols));
    RandomSequence random(1, "values");
    for (float& value : values) value = 0.3f * static_cast<float>(random.normal());
    copy_in(values.data(), m);
    return m;
  }

  Arena kept_{Device::cuda}, arenas_[2];
  Mat x_;
  Leaf layer_, other_, relation_, w_, last_;
  LateValue late_[2];
  uint64_t step_ = 0;
};

class Steady : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_EQ(pick_device("cuda"), Device::cuda);
    use_device(Device::cuda);
  }
  void TearDown() override { use_device(Device::cpu); }
};
INSTANTIATE_TEST_SUITE_P(, Steady, testing::Bool(),
                         [](const auto& info) { return info.param ? "Recorded" : "AtOnce"; });

TEST_P(Steady, StepsAskForNoMemory) {
  Steps steps;
  const uint64_t at_first = cuda::allocations();
  for (int i = 0; i < 6; ++i) steps.run(120, GetParam());
  const uint64_t warm = cuda::allocations();
  EXPECT_GT(warm, at_first) << "nothing was counted";
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(std::isfinite(steps.run(80 + 2 * i, GetParam())));
  EXPECT_EQ(cuda::allocations(), warm);
}

}  // namespace
}  // namespace nd
