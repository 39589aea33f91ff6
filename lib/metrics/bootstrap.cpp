#include "lib/metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/io/error.h"
#include "lib/metrics/blocks.h"

namespace nd::metrics {
namespace {

// Eight estimates side by side make a row of 32 bytes, half a cache line: a draw then costs one load and one vector
// add.
constexpr size_t kLanes = 8;
using Row = std::array<float, kLanes>;
using Sums = std::array<double, kLanes>;

// The splitmix64 finaliser (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): a
// bijection that scatters a counter. lib/tensor's Philox is out of reach from this leaf, and needs more than this does.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}
constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;

// Sum of the influences of one resample. Draws come from 32 random bits each, so their bias is below m / 2^32.
Sums resample(const std::vector<Row>& rows, uint64_t seed, uint64_t number) {
  const uint64_t m = rows.size();
  const uint64_t key = mix(mix(seed + kGolden) + number * kGolden);
  constexpr uint64_t kBatch = 64;  // draws made at once, so that the generator vectorises
  uint32_t drawn[kBatch];
  Sums even{}, odd{};  // two chains of additions instead of one
  for (uint64_t done = 0; done < m; done += kBatch) {
    for (uint64_t j = 0; j < kBatch / 2; ++j) {
      const uint64_t bits = mix(key + (done / 2 + j) * kGolden);
      drawn[j] = static_cast<uint32_t>((bits >> 32) * m >> 32);
      drawn[j + kBatch / 2] = static_cast<uint32_t>((bits & 0xFFFFFFFF) * m >> 32);
    }
    const uint64_t count = std::min(kBatch, m - done);
    for (uint64_t j = 0; j + 1 < count; j += 2) {
      const Row& a = rows[drawn[j]];
      const Row& b = rows[drawn[j + 1]];
      for (size_t lane = 0; lane < kLanes; ++lane) even[lane] += static_cast<double>(a[lane]);
      for (size_t lane = 0; lane < kLanes; ++lane) odd[lane] += static_cast<double>(b[lane]);
    }
    if (count % 2 == 1)
      for (size_t lane = 0; lane < kLanes; ++lane) even[lane] += static_cast<double>(rows[drawn[count - 1]][lane]);
  }
  for (size_t lane = 0; lane < kLanes; ++lane) even[lane] += odd[lane];
  return even;
}

// Of sorted values, interpolated between neighbours.
double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

std::vector<Interval> bootstrap(std::span<const Estimate> estimates, const Bootstrap& options, int threads) {
  if (options.resamples < 1) throw Error("expected at least 1 resample, found " + std::to_string(options.resamples));
  std::vector<Interval> intervals;
  const size_t m = estimates.empty() ? 0 : estimates[0].influence.size();
  if (m >= uint64_t{1} << 32) throw Error("intervals take fewer than 2^32 impressions");
  const auto resamples = static_cast<size_t>(options.resamples);
  std::vector<Row> rows(m);
  std::vector<Sums> sums(resamples);
  for (size_t first = 0; first < estimates.size(); first += kLanes) {
    const size_t lanes = std::min(kLanes, estimates.size() - first);
    for (size_t i = 0; i < m; ++i) {
      rows[i] = {};
      for (size_t lane = 0; lane < lanes; ++lane) rows[i][lane] = estimates[first + lane].influence[i];
    }
    for_blocks(options.resamples, 16, threads, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        sums[static_cast<size_t>(b)] = resample(rows, options.seed, static_cast<uint64_t>(b));
    });
    std::vector<double> values(resamples);
    for (size_t lane = 0; lane < lanes; ++lane) {
      const double value = estimates[first + lane].value;
      for (size_t b = 0; b < resamples; ++b) values[b] = value + sums[b][lane];
      if (std::isnan(value)) {
        intervals.push_back({value, value});
        continue;
      }
      std::sort(values.begin(), values.end());
      const double tail = (1 - options.confidence) / 2;
      intervals.push_back({quantile(values, tail), quantile(values, 1 - tail)});
    }
  }
  return intervals;
}

}  // namespace nd::metrics
