// Sums of the rows of items for each of many units, where the unit's bit is set in the item's mask: what the gradient
// of a layer behind a relu is made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/cpu/tiles.h"
#include "lib/tensor/mat.h"

namespace nd::cpu {

// The layer's gradient adds up, for each of its units, the rows of the items where the unit was positive: half of them,
// and which is chance. So all sums of some of four rows are made once, and a unit adds the one that its four bits name:
// a quarter of an addition an item, and no branch (Arlazarov et al. 1970, "the four Russians").
constexpr int64_t kFour = 4, kSubsets = 1 << kFour;
// As many fours, and as many columns of the sums, as stay in the L1 cache together; and as many items as pay for
// getting those columns there.
constexpr int64_t kFours = 6, kMostLanes = 3, kColumns = kMostLanes * kLanes, kTogether = 3 * kFours * kFour;
constexpr int64_t kPace = 4;  // units done between asking for rows to come

// A sum for each unit, cut into panels of kColumns columns: all units' first columns, then all units' next ones.
struct UnitSums {
  int64_t units, panels;
  float* data;

  UnitSums(int64_t units, int64_t cols) : units(units), panels((cols + kColumns - 1) / kColumns), data(nullptr) {}
  int64_t size() const { return panels * units * kColumns; }
  UnitSums at(float* place) const {
    UnitSums s = *this;
    s.data = place;
    return s;
  }
  float* row(int64_t panel, int64_t unit) const { return data + (panel * units + unit) * kColumns; }
};

// Rows to come, asked for a line at a time (see multiply_rows).
struct Ahead {
  const Mat& x;
  const int32_t* tail;
  int64_t next = 0, end = 0, column = 0;

  void until(int64_t from, int64_t to) {
    if (next < from) next = from, column = 0;
    end = to;
  }
  int64_t lines() const { return std::max<int64_t>(end - next, 0) * (x.cols / kLanes + 2); }
  void ask() {
    if (next >= end) return;
    __builtin_prefetch(x.row(tail[next]) + std::min(column, x.cols - 1));  // a row may end in one line more
    column += kLanes;
    if (column >= x.cols + kLanes - 1) column = 0, ++next;
  }
};

// The sums of all subsets of four scaled rows, V lanes of them; subset s has row j where bit j of s is set.
template <int V>
inline void sum_subsets(const float* const (&row)[kFour], const float (&scale)[kFour], int64_t last, float* out) {
  unrolled<V>([&](auto v) {
    Lanes sum[kSubsets];
    sum[0] = 0.0f;
    unrolled<kFour>([&](auto j) {
      const Lanes x = Lanes(scale[j]) * load(row[j] + v * kLanes, v + 1 < V ? kLanes : last);
      unrolled<(1 << j)>([&](auto s) { sum[(1 << j) + s] = sum[s] + x; });
    });
    unrolled<kSubsets>([&](auto s) { store(out + s * kColumns + v * kLanes, sum[s]); });
  });
}

// One panel of add_where_positive, V lanes wide. `at` says where the subset of each of kLanes units lies, for the fours
// of a pass one after another, then for the next units. Asks for `lines` lines to come before every kPace units.
template <int V>
inline void add_subsets(const Mat& x, const int32_t* tail, const float* scale, int64_t begin, int64_t end,
                        const uint16_t* at, int64_t panel, const UnitSums& sums, Ahead& ahead, int64_t lines) {
  static thread_local std::vector<float> memory;
  float* const subsets = aligned(memory, kFours * kSubsets * kColumns);
  const int64_t from = panel * kColumns, last = std::min(x.cols - from - (V - 1) * kLanes, kLanes);
  for (; begin < end; begin += kFours * kFour, at += kFours * sums.units) {
    for (int64_t four = 0; four < kFours; ++four) {
      const float* row[kFour];
      float times[kFour];
      for (int64_t j = 0; j < kFour; ++j) {
        const int64_t i = std::min(begin + four * kFour + j, end - 1);  // nobody's bit is set for what lies behind
        row[j] = x.row(tail[i]) + from;
        times[j] = scale[i];
      }
      sum_subsets<V>(row, times, last, subsets + four * kSubsets * kColumns);
    }
    const uint16_t* word = at;
    for (int64_t first = 0; first < sums.units; first += kLanes, word += kFours * kLanes)
      for (int64_t u = 0; u < kLanes; u += kPace) {
        for (int64_t line = 0; line < lines; ++line) ahead.ask();
        unrolled<kPace>([&](auto j) __attribute__((always_inline)) {
          float* const y = sums.row(panel, first + u + j);
          const uint16_t* const of_unit = word + u + j;
          Lanes sum[V];
          unrolled<V>([&](auto v) __attribute__((always_inline)) { sum[v] = load(y + v * kLanes); });
          unrolled<kFours>([&](auto four) __attribute__((always_inline)) {
            const float* subset = subsets + of_unit[four * kLanes];
            unrolled<V>([&](auto v) __attribute__((always_inline)) { sum[v] = sum[v] + load(subset + v * kLanes); });
          });
          unrolled<V>([&](auto v) __attribute__((always_inline)) { store(y + v * kLanes, sum[v]); });
        });
      }
  }
}

// sums[unit] += Σ scale_i x[tail_i] over those items of [begin, end), kTogether at most, whose mask has the unit's bit.
inline void add_where_positive(const Mat& x, const int32_t* tail, const uint16_t* mask, const float* scale,
                               int64_t begin, int64_t end, const UnitSums& sums, Ahead& ahead) {
  static thread_local std::vector<uint16_t> memory;
  memory.resize(std::max(memory.size(), static_cast<size_t>(kTogether / kFour * sums.units)));
  uint16_t* const at = memory.data();
  const int64_t words = sums.units / kLanes, passes = (end - begin + kFours * kFour - 1) / (kFours * kFour);
  for (int64_t four = 0; four < passes * kFours; ++four) {
    const int64_t first = begin + four * kFour, count = std::clamp<int64_t>(end - first, 0, kFour);
    for (int64_t word = 0; word < words; ++word) {
      uint16_t bits[kFour] = {};
      for (int64_t j = 0; j < count; ++j) bits[j] = mask[(first + j) * words + word];
      uint16_t* const of_word = at + ((four / kFours * words + word) * kFours + four % kFours) * kLanes;
      for (int unit = 0; unit < kLanes; ++unit) {
        const uint16_t bit = 1 << unit;
        uint16_t subset = four % kFours * kSubsets;
        for (int64_t j = 0; j < kFour; ++j) subset |= bits[j] & bit ? 1 << j : 0;
        of_word[unit] = subset * kColumns;
      }
    }
  }
  const int64_t lines = ahead.lines() * kPace / (passes * sums.panels * sums.units) + 1;
  for (int64_t panel = 0; panel < sums.panels; ++panel) {
    const auto add = [&]<int V>() { add_subsets<V>(x, tail, scale, begin, end, at, panel, sums, ahead, lines); };
    switch ((x.cols - panel * kColumns + kLanes - 1) / kLanes) {
      case 1:
        add.template operator()<1>();
        break;
      case 2:
        add.template operator()<2>();
        break;
      default:
        add.template operator()<kMostLanes>();
    }
  }
}

}  // namespace nd::cpu
