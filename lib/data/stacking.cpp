#include "lib/data/stacking.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lib/tensor/parallel.h"

namespace nd {

void normalise(std::span<float> row) {
  const auto n = static_cast<double>(row.size());
  double mean = 0, square = 0;
  for (const float x : row) mean += static_cast<double>(x);
  mean /= n;
  for (const float x : row) square += (static_cast<double>(x) - mean) * (static_cast<double>(x) - mean);
  const double deviation = std::max(std::sqrt(square / n), 1e-8);
  for (float& x : row) x = static_cast<float>((static_cast<double>(x) - mean) / deviation);
}

Stacks padded_stacks(const Strings& id, std::span<const int64_t> begin, const Matrix& rows, int64_t height) {
  const int64_t dim = rows.cols;
  std::vector<float> x(static_cast<size_t>(id.size() * height * dim), 0.0f);
  parallel_ranges(id.size(), 64, [&](int64_t first, int64_t last) {
    std::vector<double> mean(static_cast<size_t>(dim));
    for (int64_t a = first; a < last; ++a) {
      const int64_t real = begin[a + 1] - begin[a];
      if (real == 0) continue;
      std::ranges::fill(mean, 0.0);
      float* stack = x.data() + a * height * dim;
      for (int64_t i = 0; i < real; ++i) {
        const auto row = rows[begin[a] + i];
        std::ranges::copy(row, stack + i * dim);
        for (int64_t j = 0; j < dim; ++j) mean[j] += static_cast<double>(row[j]) / static_cast<double>(real);
      }
      for (int64_t i = real; i < height; ++i)
        for (int64_t j = 0; j < dim; ++j) stack[i * dim + j] = static_cast<float>(mean[j]);
      for (int64_t i = 0; i < height; ++i) normalise({stack + i * dim, static_cast<size_t>(dim)});
    }
  });
  StringsBuilder label;
  for (int64_t i = 1; i <= height; ++i) label.push(std::to_string(i));
  return {id, label.take(), {std::move(x), id.size() * height, dim}};
}

}  // namespace nd
