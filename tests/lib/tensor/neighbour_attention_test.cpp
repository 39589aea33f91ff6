// The fused attention against the operations it stands for: the same bits forward, the same gradients up to rounding.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lib/tensor/cpu/fixed_sums.h"
#include "lib/tensor/grad.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kHeads = 70, kRelations = 11, kEntities = 300, kInner = 90, kCols = 128;

// Inputs that both ways of computing take, with places for their gradients.
struct Inputs {
  Arena arena;
  Tape tape{arena};
  Mat x;
  Var head, relation, layer, w;
  Index segments, relation_of, tail_of;
  const int32_t* tail;
  bool started[4] = {};

  Inputs() {
    const Random random(1, "neighbour attention");
    uint64_t draw = 0;
    const auto filled = [&](int64_t rows, int64_t cols) {
      const Mat m = arena.mat(rows, cols);
      for (int64_t i = 0; i < m.size(); ++i) m.data[i] = static_cast<float>(random.uniform(draw++) - 0.5);
      return m;
    };
    x = filled(kEntities, kInner);
    const auto leaf = [&](int64_t rows, int64_t cols, int which) {
      return tape.leaf(filled(rows, cols), arena.mat(rows, cols), &started[which]);
    };
    head = leaf(kHeads, kCols, 0);
    relation = leaf(kRelations, kCols, 1);
    layer = leaf(kInner, kCols, 2);
    w = leaf(kCols, 1, 3);
    auto offsets = arena.array<int64_t>(kHeads + 1);
    offsets[0] = 0;
    for (int64_t h = 0; h < kHeads; ++h) offsets[h + 1] = offsets[h] + static_cast<int64_t>(random.below(40, 1, h));
    segments = make_segments(arena, offsets);
    auto r = arena.array<int32_t>(segments.items), t = arena.array<int32_t>(segments.items);
    for (int64_t i = 0; i < segments.items; ++i) {
      r[i] = static_cast<int32_t>(random.below(kRelations, 2, i));
      t[i] = static_cast<int32_t>(random.below(kEntities, 3, i));
    }
    relation_of = make_index(arena, r, kRelations);
    tail = t.data();
    tail_of = make_index(arena, t, kEntities);
  }

  Var fused(Var* weights) {
    return grad::neighbour_attention(tape, segments, head, {relation, relation_of}, {x, tail}, layer, w, weights);
  }
  Var composed(Var* weights) {
    Var table = grad::linear(tape, {{tape.constant(x), layer}}, nullptr, Activation::none, kEntities);
    Var s = grad::relu_dot(tape, {{head, segments}, {relation, relation_of}, {table, tail_of}}, w, nullptr);
    *weights = grad::segment_softmax(tape, segments, s);
    return grad::segment_sum(tape, segments, *weights, {tape.constant(x), tail_of});
  }
  // A loss in which every number counts differently.
  void backward(Var y) {
    const Random random(1, "loss");
    const Mat weights = arena.mat(kInner, 1);
    for (int64_t i = 0; i < kInner; ++i) weights.data[i] = static_cast<float>(random.uniform(i) - 0.5);
    Var each = grad::linear(tape, {{y, tape.constant(weights)}}, nullptr, Activation::none, kHeads);
    tape.backward(grad::rank_loss(tape, one_segment(kHeads), each, 1.0f));
  }
  Index one_segment(int64_t n) {
    auto offsets = arena.array<int64_t>(2);
    offsets[0] = 0;
    offsets[1] = n;
    return make_segments(arena, offsets);
  }
};

std::vector<uint32_t> bits(const Mat& m) {
  std::vector<uint32_t> all(static_cast<size_t>(m.size()));
  std::memcpy(all.data(), m.data, all.size() * sizeof(float));
  return all;
}

TEST(NeighbourAttentionForward, GivesTheBitsOfTheOperationsItStandsFor) {
  Inputs in;
  Var fused_weights = nullptr, weights = nullptr;
  const Var fused = in.fused(&fused_weights), composed = in.composed(&weights);
  EXPECT_EQ(bits(fused->value), bits(composed->value));
  EXPECT_EQ(bits(fused_weights->value), bits(weights->value));
}

// With the tile unit, where there is one, or without.
class NeighbourAttention : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !cpu::fixed::available()) GTEST_SKIP() << "this machine has no tile unit";
    cpu::fixed::enabled() = GetParam();
  }
  void TearDown() override { cpu::fixed::enabled() = cpu::fixed::available(); }
};
INSTANTIATE_TEST_SUITE_P(, NeighbourAttention, testing::Bool(),
                         [](const auto& on_tiles) { return on_tiles.param ? "OnTiles" : "InFloats"; });

TEST_P(NeighbourAttention, GivesTheirGradients) {
  Inputs a, b;
  Var weights = nullptr;
  a.backward(a.fused(nullptr));
  b.backward(b.composed(&weights));
  for (auto member : {&Inputs::head, &Inputs::relation, &Inputs::layer, &Inputs::w}) {
    const Mat got = (a.*member)->grad, expected = (b.*member)->grad;
    float most = 0;
    for (int64_t i = 0; i < expected.size(); ++i) most = std::max(most, std::fabs(expected.data[i]));
    ASSERT_GT(most, 0);
    for (int64_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(got.data[i], expected.data[i], 1e-5f * most) << i;
  }
}

}  // namespace
}  // namespace nd
