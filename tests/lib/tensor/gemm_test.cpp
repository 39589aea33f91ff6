// A row of a product has the same bits whatever surrounds it: an article's vector must not depend on its batch.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

std::vector<float> numbers(int64_t n, const char* name) {
  std::vector<float> x(static_cast<size_t>(n));
  const Random random(5, name);
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(random.normal(i));
  return x;
}

// act(rows of a times b + bias), added to 0.25 or not.
struct Product {
  int64_t k, n;
  std::vector<float> b = numbers(k * n, "b"), bias = numbers(n, "bias");

  std::vector<float> operator()(const float* a, const int32_t* rows, int64_t m, Activation act, bool add) {
    std::vector<float> c(static_cast<size_t>(m * n), 0.25f);
    ops::gemm({const_cast<float*>(a), m, k}, rows, {b.data(), k, n}, {bias.data(), 1, n}, act, add, {c.data(), m, n});
    return c;
  }
};

class RowOfAProduct : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Columns, RowOfAProduct, testing::Values(1, 5, 16, 17, 90, 128, 130));

TEST_P(RowOfAProduct, DependsOnNothingButItself) {
  const int64_t n = GetParam(), k = 90, most = 300;
  const std::vector<float> table = numbers(most * k, "a");
  Product product{k, n};
  for (Activation act : {Activation::none, Activation::tanh})
    for (bool add : {false, true}) {
      // Each row by itself is what every other arrangement must give.
      std::vector<std::vector<float>> alone;
      for (int64_t i = 0; i < most; ++i) alone.push_back(product(&table[i * k], nullptr, 1, act, add));
      const auto expect = [&](const std::vector<float>& c, int64_t at, int64_t row) {
        ASSERT_EQ(std::memcmp(&c[at * n], alone[row].data(), n * sizeof(float)), 0) << "row " << row << " at " << at;
      };
      for (int64_t m : {2, 5, 6, 7, 95, 96, 97, 193, 300}) {
        SCOPED_TRACE(std::to_string(m) + " rows");
        for (int64_t first : {int64_t{0}, most - m}) {
          const auto c = product(&table[first * k], nullptr, m, act, add);
          for (int64_t i = 0; i < m; ++i) expect(c, i, first + i);
        }
        std::vector<int32_t> rows;
        for (int64_t i = 0; i < m; ++i) rows.push_back(static_cast<int32_t>(i * 37 % most));
        const auto c = product(table.data(), rows.data(), m, act, add);
        for (int64_t i = 0; i < m; ++i) expect(c, i, rows[i]);
      }
    }
}

TEST_P(RowOfAProduct, OfATransposedFactorDependsOnNothingButItself) {
  const int64_t n = GetParam(), k = 33, most = 200;
  std::vector<float> dy = numbers(most * n, "dy"), b = numbers(k * n, "b"), all(most * k), one(k);
  ops::gemm_nt({dy.data(), most, n}, {b.data(), k, n}, false, {all.data(), most, k});
  for (int64_t i = 0; i < most; ++i) {
    ops::gemm_nt({dy.data() + i * n, 1, n}, {b.data(), k, n}, false, {one.data(), 1, k});
    ASSERT_EQ(std::memcmp(all.data() + i * k, one.data(), k * sizeof(float)), 0) << "row " << i;
  }
}

}  // namespace
}  // namespace nd
