// D-HAN's operations that only score, on the GPU against the CPU's, which crossed_attention_test.cpp compares with
// blocks written out: instances with no candidate, one and many, blocks of one token and of more than shared memory
// holds, and scores that leave nothing to a softmax.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lib/tensor/ops.h"
#include "tests/lib/tensor/cuda/parity.h"

namespace nd {
namespace {

using namespace parity;

class CrossedOnCuda : public OnBoth {};

// Instances of `length` articles with so many candidates each; blocks of `height` tokens of n numbers; `size` of
// queries and keys.
struct Form {
  int64_t length, height, n;
  std::vector<int64_t> candidates;
  float size = 1;
};

Floats attention(Place& place, const Form& f, bool sums) {
  const int64_t stacks = 7, asked = 11, users = 3, instances = static_cast<int64_t>(f.candidates.size());
  const auto mat = [&](int64_t rows, const std::string& name, float size = 1) {
    return rows > 0 ? place.mat(noise(rows, f.n, name, size), rows) : place.result(0, f.n);
  };
  const auto tokens = [&](int64_t rows, const std::string& name) -> Tokens {
    return {mat(rows, name + "x"), mat(rows, name + "q", f.size), mat(rows, name + "k", f.size), mat(rows, name + "v")};
  };
  std::vector<int64_t> pair{0};
  for (const int64_t c : f.candidates) pair.push_back(pair.back() + c);
  const auto of = drawn(instances * f.length, stacks, "of"), candidate = drawn(pair.back(), asked, "candidate"),
             user = drawn(instances, users, "user");
  const auto index = [](const std::vector<int32_t>& row, int64_t rows) -> Index {
    return {static_cast<int64_t>(row.size()), rows, row.data()};
  };
  StackAttention a;
  a.height = f.height;
  a.scale = 0.25f;
  a.stack = tokens(stacks * f.height, "stack");
  a.of = index(of, stacks);
  a.extras = sums ? 1 : 2;
  a.extra[0] = tokens(asked * (sums ? f.height : 1), "asked");
  a.extra_of[0] = index(candidate, asked);
  if (!sums) {
    a.extra[1] = tokens(users, "user");
    a.extra_of[1] = index(user, users);
  }
  a.bias = mat(1, "bias");
  a.gamma = mat(1, "gamma");
  a.beta = mat(1, "beta");
  const int64_t all = f.height + (sums ? 0 : 2);
  a.pool = place.mat(noise(all, 1, "pool"), all);
  a.pool_bias = place.mat({0.5f}, 1);
  const Mat z = place.result(pair.back() * f.length, f.n);
  if (sums) ops::joined_attention(a, pair, z);
  else ops::crossed_attention(a, pair, z);
  return values_of(z);
}

TEST_F(CrossedOnCuda, AttentionIsTheCpus) {
  const std::vector<std::vector<int64_t>> candidates = {{}, {0}, {1}, {0, 31, 0, 0, 32, 33, 1, 0}, {129}};
  for (const bool sums : {false, true})
    for (const int64_t n : {16, 128})
      for (const int64_t height : {1, 5, 32})
        for (const auto& c : candidates) {
          const Form form{3, height, n, c, height == 5 ? 9.0f : 1.0f};
          expect_parity("width " + std::to_string(n) + ", height " + std::to_string(height),
                        [&](Place& place) { return attention(place, form, sums); });
        }
  for (const bool sums : {false, true})
    expect_parity("140 tokens", [&](Place& place) { return attention(place, {2, 140, 16, {3, 2}}, sums); });
}

TEST_F(CrossedOnCuda, AttentionWithoutTokensInAStackIsTheCpus) {
  expect_parity("no tokens", [&](Place& place) { return attention(place, {3, 0, 32, {4, 2}}, false); });
}

TEST_F(CrossedOnCuda, EncoderLayerIsTheCpus) {
  for (const int64_t n : {16, 80})
    for (const int64_t tokens : {1, 10, 33})
      for (const int64_t blocks : {0, 1, 33}) {
        const auto layer = [&](Place& place) {
          const float side = 1 / std::sqrt(static_cast<float>(n));
          const auto mat = [&](int64_t rows, int64_t cols, const std::string& name, float size) {
            return place.mat(noise(rows, cols, name, size), rows);
          };
          const auto row = [&](const std::string& name) { return mat(1, n, name, 0.5f); };
          EncoderLayer a;
          a.tokens = tokens;
          a.scale = side;
          a.score_w = mat(n, n, "score", 3 * side);
          a.value_w = mat(n, n, "value", side);
          a.inner_w = mat(n, 100, "inner", side);
          a.outer_w = mat(100, n, "outer", 0.1f);
          a.inner_b = mat(1, 100, "inner_b", 0.5f);
          a.score_b = row("score_b");
          a.value_b = row("value_b");
          a.outer_b = row("outer_b");
          a.gamma1 = row("gamma1");
          a.beta1 = row("beta1");
          a.gamma2 = row("gamma2");
          a.beta2 = row("beta2");
          const int64_t rows = blocks * tokens;
          const Mat x = rows > 0 ? place.mat(noise(rows, n, "x"), rows) : place.result(0, n);
          ops::encoder_layer(a, x);
          return values_of(x);
        };
        expect_parity(std::to_string(tokens) + " tokens of " + std::to_string(n), layer);
      }
}

}  // namespace
}  // namespace nd
