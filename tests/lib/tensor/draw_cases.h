// What the operations on row numbers give on either device, as numbers that the host can see.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "lib/tensor/draws.h"
#include "lib/tensor/ops.h"

namespace nd::draw_cases {

using Numbers = std::vector<int32_t>;

// The first `count` numbers below `n` in a random order of their own.
inline Numbers some_of(int64_t n, int64_t count, const std::string& name) {
  Numbers all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  RandomSequence random(3, name);
  shuffle(all, random);
  all.resize(static_cast<size_t>(count));
  return all;
}

// Numbers in [0, below) that a device has written, by way of a table of floats.
inline Numbers seen(Arena& arena, const int32_t* numbers, int64_t count, int64_t below) {
  std::vector<float> value(static_cast<size_t>(below));
  std::iota(value.begin(), value.end(), 0.0f);
  const Mat table = arena.mat(below, 1), y = arena.mat(count, 1);
  copy_in(value.data(), table);
  if (count == 0) return {};
  const Table rows{table, {count, below, numbers}};
  ops::gather_sum({&rows, 1}, y);
  const std::vector<float> floats = values_of(y);
  return {floats.begin(), floats.end()};
}

// Draws from a list of n numbers, 1, 4, 7, ...: by set, how many of them it does without, and how many it wants.
struct Draws {
  int64_t n;
  std::vector<int64_t> taken, want;
};
inline std::vector<Draws> all_draws() {
  std::vector<Draws> all = {
      {100, {}, {}},
      {1, {0}, {1}},
      {1, {1, 1}, {0, 0}},
      {50, {49, 0, 3, 25, 50}, {1, 50, 1, 25, 0}},           // all but one, all there is, nothing
      {1000, {999, 990, 0, 500, 998}, {1, 10, 500, 50, 2}},  // those that are left are found by the shuffle alone
      {24000, {33, 0, 100, 1, 7, 0, 32, 31}, {31, 32, 33, 50, 0, 63, 64, 65}},
  };
  Draws& many = all.emplace_back(Draws{130, {}, {}});
  for (int64_t s = 0; s < 300; ++s) {
    many.taken.push_back(s % 40);
    many.want.push_back(s % 91);
  }
  return all;
}
inline Numbers list_of(const Draws& d) {
  Numbers list(static_cast<size_t>(d.n));
  for (int64_t i = 0; i < d.n; ++i) list[i] = static_cast<int32_t>(3 * i + 1);
  return list;
}
inline Numbers taken_of(const Draws& d, size_t set) {
  Numbers taken = some_of(d.n, d.taken[set], "taken" + std::to_string(set));
  for (int32_t& x : taken) x = 3 * x + 1;
  std::ranges::sort(taken);
  return taken;
}
constexpr uint64_t kSecond = uint64_t{7} << 32;  // of set 0; the next ones' follow

inline Numbers drawn(Device device, const Draws& d) {
  Arena arena(device);
  Numbers without, run(d.want.size());
  std::vector<int64_t> begins{0}, sets{0};
  std::vector<uint64_t> second;
  for (size_t s = 0; s < d.want.size(); ++s) {
    const Numbers taken = taken_of(d, s);
    without.insert(without.end(), taken.begin(), taken.end());
    begins.push_back(static_cast<int64_t>(without.size()));
    sets.push_back(sets.back() + d.want[s]);
    second.push_back(kSecond + s);
    run[s] = static_cast<int32_t>(s);
  }
  const ApartDraws draws{.from = arena.copy(list_of(d)).data(),
                         .n = d.n,
                         .without = arena.copy(without).data(),
                         .offsets = arena.copy(begins).data(),
                         .runs = static_cast<int64_t>(run.size()),
                         .run = arena.copy(run).data(),
                         .second = arena.copy(second).data(),
                         .random = Random(1, "draws")};
  const Index index = make_segments(arena, arena.copy(sets));
  int32_t* const out = arena.array<int32_t>(index.items).data();
  ops::draw_apart(device, draws, index, out);
  return seen(arena, out, index.items, 3 * d.n);
}

// Sets of scored numbers of which some are chosen.
struct Choice {
  std::vector<int64_t> sets, picks;  // offsets
  std::vector<float> score;          // or none
  Numbers id, first;
};
inline Numbers chosen(Device device, const Choice& c) {
  Arena arena(device);
  const Index sets = make_segments(arena, arena.copy(c.sets)), picks = make_segments(arena, arena.copy(c.picks));
  Mat s;
  if (!c.score.empty()) copy_in(c.score.data(), s = arena.mat(sets.items, 1));
  const Mat rank = arena.mat(sets.items, 1);
  const int32_t* const id = arena.copy(c.id).data();
  int32_t* const out = arena.array<int32_t>(picks.items).data();
  ops::rank_in_sets(sets, s, id, rank);
  ops::pick_ranked(sets, rank, id, arena.copy(c.first).data(), picks, out);
  return seen(arena, out, picks.items, 100000);
}

}  // namespace nd::draw_cases
