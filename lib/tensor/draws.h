// Which numbers a draw gives, and which of some scored ones come first: the arithmetic of draw_apart and rank_in_sets
// (ops.inc), the same functions for the CPU and for kernels, so that both draw and choose the same.
#pragma once

#include <cmath>
#include <cstdint>

#include "lib/tensor/random.h"

namespace nd {

// How many of n ascending numbers are at most x.
constexpr int64_t count_up_to(const int32_t* sorted, int64_t n, int32_t x) {
  int64_t low = 0;
  for (int64_t high = n; low < high;) {
    const int64_t middle = low + (high - low) / 2;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
constexpr bool has(const int32_t* sorted, int64_t n, int32_t x) {
  const int64_t up_to = count_up_to(sorted, n, x);
  return up_to > 0 && sorted[up_to - 1] == x;
}
// Whether x is among n numbers in any order.
constexpr bool among(const int32_t* list, int64_t n, int32_t x) {
  for (int64_t i = 0; i < n; ++i)
    if (list[i] == x) return true;
  return false;
}

// `want` distinct numbers of a list, none of which is in `without`, into `out`; the list has that many.
struct ApartDraw {
  const int32_t* from;  // [n] distinct, ascending
  int64_t n;
  const int32_t* without;  // [taken] some of them, ascending
  int64_t taken;
  int32_t* out;
  int64_t want;
  Random random;
  uint64_t second;  // the numbers are those of the counters (0, second), (1, second), ...

  // One after another is proposed, until that takes too long; where much of the list is wanted, it does from the start.
  constexpr int64_t tries() const { return want <= n / 2 ? 256 + 64 * want : 0; }
  // The one of this try, or -1 where it may not be drawn, or is among the first `found` of out.
  constexpr int32_t proposal(int64_t at, int64_t found) const {
    const int32_t x = from[random.below(static_cast<uint64_t>(n), static_cast<uint64_t>(at), second)];
    return has(without, taken, x) || among(out, found, x) ? -1 : x;
  }
  // All behind the first `found`: Fisher and Yates's shuffle of what is left of the list. Of the shuffled list only the
  // places that have changed are kept, in 2 (want - found) numbers.
  constexpr void shuffle(int64_t found, int32_t* changed) const {
    const int64_t left = n - taken - found;
    for (int64_t i = 0; found + i < want; ++i) {
      const auto step = static_cast<uint64_t>(tries() + i);
      const int64_t place = i + static_cast<int64_t>(random.below(static_cast<uint64_t>(left - i), step, second));
      out[found + i] = shuffled(place, i, found, changed);
      changed[2 * i + 1] = shuffled(i, i, found, changed);
      changed[2 * i] = static_cast<int32_t>(place);
    }
  }

 private:
  // What stands there after so many changes.
  constexpr int32_t shuffled(int64_t place, int64_t changes, int64_t found, const int32_t* changed) const {
    for (int64_t i = changes; i-- > 0;)
      if (changed[2 * i] == place) return changed[2 * i + 1];
    // The first of the list up to which there are more than `place` that are left.
    int64_t low = 0;
    for (int64_t high = n - 1; low < high;) {
      const int64_t middle = low + (high - low) / 2;
      int64_t left = middle + 1 - count_up_to(without, taken, from[middle]);
      for (int64_t i = 0; i < found; ++i) left -= out[i] <= from[middle] ? 1 : 0;
      if (left <= place) low = middle + 1;
      else high = middle;
    }
    return from[low];
  }
};

// Many draws from one list, into one array; see draw_apart. Arrays are the host's, or in a kernel the device's.
struct ApartDraws {
  const int32_t* from = nullptr;  // [n] distinct, ascending
  int64_t n = 0;
  const int32_t* without = nullptr;  // runs of numbers of `from`, each ascending,
  const int64_t* offsets = nullptr;  // [runs + 1]
  int64_t runs = 0;
  const int32_t* run = nullptr;      // [sets] and which of them a set does without
  const uint64_t* second = nullptr;  // [sets] half a counter, see ApartDraw
  Random random{0, ""};

  // That of a set, `want` numbers from out[first] on.
  constexpr ApartDraw of(int64_t set, int64_t first, int64_t want, int32_t* out) const {
    const int64_t begin = offsets[run[set]], end = offsets[run[set] + 1];
    return {from, n, without + begin, end - begin, out + first, want, random, second[set]};
  }
};

// Whether one scored number comes before another: the larger score first, then the smaller number; what is no number
// counts as the least, so that there is an order whatever was computed.
constexpr bool comes_first(float score, int32_t id, float other_score, int32_t other_id) {
  const float a = score == score ? score : -INFINITY, b = other_score == other_score ? other_score : -INFINITY;
  return a != b ? a > b : id < other_id;
}
// How many of items begin .. end come before item i; without scores, those that stand before it.
constexpr int64_t rank_of(const float* score, const int32_t* id, int64_t begin, int64_t end, int64_t i) {
  if (!score) return i - begin;
  int64_t rank = 0;
  for (int64_t j = begin; j < end; ++j) rank += comes_first(score[j], id[j], score[i], id[i]) ? 1 : 0;
  return rank;
}

}  // namespace nd
