// The operations that only score against those that training uses, in every width and with logits that leave nothing
// to a softmax; and that a result depends on nothing but its own article, candidate and user.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "lib/tensor/grad.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

// Tables of tokens and parameters; `logit`: about how large the scores are that queries and keys make together.
class Tables {
 public:
  Tables(int64_t n, int64_t height, bool sums, float logit) : n_(n), logit_(logit), sums_(sums) {
    a.height = height;
    a.extras = sums ? 1 : 2;
    a.scale = 1 / std::sqrt(static_cast<float>(n));
    a.stack = tokens(kStacks * height);
    a.extra[0] = tokens(kAsked * (sums ? height : 1));
    if (!sums) a.extra[1] = tokens(kUsers);
    a.bias = noise(1, 1);
    a.gamma = noise(1, 1);
    a.beta = noise(1, 1);
    a.pool = arena_.mat(height + (sums ? 0 : 2), 1);
    for (int64_t t = 0; t < a.pool.rows; ++t) a.pool.data[t] = static_cast<float>(random_.normal());
    a.pool_bias = arena_.mat(1, 1);
    a.pool_bias.data[0] = 0.5f;
  }

  std::vector<float> crossed(std::vector<int32_t> read, std::vector<int32_t> asked, int32_t user) {
    StackAttention b = a;
    const auto index = [](const std::vector<int32_t>& row, int64_t rows) -> Index {
      return {static_cast<int64_t>(row.size()), rows, row.data()};
    };
    b.of = index(read, kStacks);
    b.extra_of[0] = index(asked, kAsked);
    const std::vector<int32_t> one{user};
    if (!sums_) b.extra_of[1] = index(one, kUsers);
    std::vector<float> z(read.size() * asked.size() * static_cast<size_t>(n_));
    const Mat out{z.data(), static_cast<int64_t>(read.size() * asked.size()), n_};
    const int64_t pair[] = {0, static_cast<int64_t>(asked.size())};
    if (sums_) ops::joined_attention(b, pair, out);
    else ops::crossed_attention(b, pair, out);
    return z;
  }
  // The same with every block written out.
  std::vector<float> plain(const std::vector<int32_t>& read, const std::vector<int32_t>& asked, int32_t user) {
    std::vector<int32_t> of, candidate, token[2];
    for (int32_t c : asked)
      for (int32_t s : read) {
        of.push_back(s);
        candidate.push_back(c);
        for (int64_t t = 0; t < a.height; ++t) {
          token[0].push_back(static_cast<int32_t>(s * a.height + t));
          token[1].push_back(static_cast<int32_t>(c * a.height + t));
        }
      }
    const auto blocks = static_cast<int64_t>(of.size());
    const std::vector<int32_t> same(of.size(), user);
    StackAttention b = a;
    if (sums_) {
      Tape tape(arena_, false);
      const auto sum = [&](const Mat& x, const Mat& y) {
        return grad::gather_sum(tape, {{tape.constant(x), make_index(arena_, token[0], x.rows)},
                                       {tape.constant(y), make_index(arena_, token[1], y.rows)}})
            ->value;
      };
      b.stack = {sum(a.stack.x, a.extra[0].x), sum(a.stack.query, a.extra[0].query), sum(a.stack.key, a.extra[0].key),
                 sum(a.stack.value, a.extra[0].value)};
      b.of = identity(blocks);
      b.extras = 0;
    } else {
      b.of = make_index(arena_, of, kStacks);
      b.extra_of[0] = make_index(arena_, candidate, kAsked);
      b.extra_of[1] = make_index(arena_, same, kUsers);
    }
    std::vector<float> z(static_cast<size_t>(blocks * n_));
    ops::stack_attention(b, arena_.mat(blocks * b.tokens(), b.tokens()), arena_.mat(blocks * b.tokens(), 2),
                         {z.data(), blocks, n_});
    return z;
  }

  static constexpr int64_t kStacks = 7, kAsked = 120, kUsers = 3;
  StackAttention a;

 private:
  Mat noise(int64_t rows, float size) {
    const Mat m = arena_.mat(rows, n_);
    for (int64_t i = 0; i < m.size(); ++i) m.data[i] = size * static_cast<float>(random_.normal());
    return m;
  }
  Tokens tokens(int64_t rows) {
    const float side = std::sqrt(logit_);
    return {noise(rows, 1), noise(rows, side), noise(rows, side), noise(rows, 1)};
  }

  Arena arena_;
  RandomSequence random_{3, "tables"};
  int64_t n_;
  float logit_;
  bool sums_;
};

std::vector<int32_t> first(int64_t n, int32_t from = 0) {
  std::vector<int32_t> rows(static_cast<size_t>(n));
  std::iota(rows.begin(), rows.end(), from);
  return rows;
}

class CrossedAttention : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kind, CrossedAttention, testing::Bool(),
                         [](const auto& info) { return info.param ? "sums" : "own_tokens"; });

TEST_P(CrossedAttention, IsThatOfEveryBlockWrittenOut) {
  for (const float logit : {1.0f, 80.0f})
    for (const int64_t n : {16, 48, 64, 128})
      for (const int64_t height : {1, 6})
        for (const int64_t candidates : {0, 1, 15, 16, 33}) {
          Tables t(n, height, GetParam(), logit);
          const auto read = std::vector<int32_t>{3, 0, 3, 6};
          const auto got = t.crossed(read, first(candidates), 1), expected = t.plain(read, first(candidates), 1);
          float most = 1;
          for (float v : expected) most = std::max(most, std::fabs(v));
          for (size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], expected[i], 1e-5 * most)
                << "number " << i << ", logits " << logit << ", width " << n << ", " << height << " tokens, "
                << candidates << " candidates";
        }
}

TEST_P(CrossedAttention, OfOneTokenMuchLargerThanAllOthersIsThatToken) {
  Tables t(64, 3, GetParam(), 1);
  for (const float size : {-1e4f, 1e4f}) {
    for (int64_t i = 0; i < t.a.extra[0].key.size(); ++i) t.a.extra[0].key.data[i] *= size;
    const auto got = t.crossed(first(3), first(20), 0), expected = t.plain(first(3), first(20), 0);
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-5);
  }
}

TEST_P(CrossedAttention, BitsDependOnNothingElse) {
  Tables t(64, 5, GetParam(), 2);
  set_threads(1);
  const auto all = t.crossed({0, 1, 2}, first(100), 2);
  set_threads(3);
  EXPECT_EQ(all, t.crossed({0, 1, 2}, first(100), 2));
  set_threads(0);
  for (const int32_t c : {0, 15, 16, 63, 64, 99}) {
    const auto alone = t.crossed({0, 1, 2}, {c}, 2);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + c * 3 * 64)) << c;
    const auto behind = t.crossed({2}, {119, 118, c}, 2);
    EXPECT_TRUE(std::equal(behind.begin() + 2 * 64, behind.end(), all.begin() + (c * 3 + 2) * 64)) << c;
  }
}

TEST(EncoderLayer, IsThatOfItsPartsOneAfterAnother) {
  for (const float logit : {1.0f, 80.0f})
    for (const int64_t n : {16, 64, 80})
      for (const int64_t T : {1, 10, 17, 130}) {
        Arena arena;
        Tape tape(arena, false);
        RandomSequence random(4, "encoder");
        const auto noise = [&](int64_t rows, int64_t cols, double size) {
          const Mat m = arena.mat(rows, cols);
          for (int64_t i = 0; i < m.size(); ++i) m.data[i] = static_cast<float>(size * random.normal());
          return m;
        };
        const int64_t m = 100, rows = T * (T > 100 ? 7 : 27);
        const double side = 1 / std::sqrt(static_cast<double>(n));
        EncoderLayer layer;
        layer.tokens = T;
        layer.scale = static_cast<float>(side);
        for (Mat* w : {&layer.score_w, &layer.value_w}) *w = noise(n, n, side);
        for (int64_t i = 0; i < layer.score_w.size(); ++i) layer.score_w.data[i] *= logit;
        layer.inner_w = noise(n, m, side);
        layer.outer_w = noise(m, n, 0.1);
        layer.inner_b = noise(1, m, 0.5);
        for (Mat* b :
             {&layer.score_b, &layer.value_b, &layer.outer_b, &layer.gamma1, &layer.beta1, &layer.gamma2, &layer.beta2})
          *b = noise(1, n, 0.5);
        const Mat x = noise(rows, n, 1);
        const auto constant = [&](const Mat& v) { return tape.constant(v); };
        const auto linear = [&](Var v, const Mat& w, const Mat& b) {
          return grad::linear(tape, {{v, constant(w)}}, constant(b), Activation::none, rows);
        };
        const Var in = constant(x);
        const Var y = grad::block_attention(tape, {T, 1, layer.scale}, linear(in, layer.score_w, layer.score_b), in,
                                            linear(in, layer.value_w, layer.value_b));
        const Var h = grad::layer_norm(tape, in, y, {}, constant(layer.gamma1), constant(layer.beta1));
        const Var inner = grad::gelu(tape, linear(h, layer.inner_w, layer.inner_b));
        const Var expected = grad::layer_norm(tape, h, linear(inner, layer.outer_w, layer.outer_b), {},
                                              constant(layer.gamma2), constant(layer.beta2));
        const auto of_layer = [&](int64_t begin, int64_t count) {
          std::vector<float> z(x.row(begin), x.row(begin) + count * n);
          ops::encoder_layer(layer, {z.data(), count, n});
          return z;
        };
        const auto got = of_layer(0, rows);
        for (int64_t i = 0; i < rows * n; ++i)
          ASSERT_NEAR(got[static_cast<size_t>(i)], expected->value.data[i], 1e-5)
              << i << " of width " << n << ", " << T << " tokens, logits " << logit;
        const auto alone = of_layer(5 * T, T);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), got.begin() + 5 * T * n));
      }
}

}  // namespace
}  // namespace nd
