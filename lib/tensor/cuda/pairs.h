// How a block shares out the pairs of some rows with many others, as TransE's queries with their replacements.
//
// A block has kMine rows of its own and takes kOthers others at a time, kDepth numbers of each at a time: so much lies
// in shared memory, and every row is read once for all the pairs that it is in. Two things are made of them: sums by
// pair, where a lane has kMineOfLane of its block's rows times kOthersOfLane others; and sums by row, where a lane has
// four numbers of kMineOfLane rows and goes through the others. Either way eight or sixteen sums stay in registers, and
// there are more operations than reads.
//
// Rows in shared memory lie an odd number of fours apart, so that lanes that read the same four of different rows,
// eight at a time, meet in no bank.
#pragma once

#include <cstdint>

#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

constexpr int kMine = 16;
constexpr int kOthers = 64;
constexpr int64_t kDepth = 128;

constexpr int kMineOfLane = kMine / (kThreads / kLanes);
constexpr int kOthersOfLane = kOthers / kLanes;
static_assert(kMineOfLane == 4, "weights are read in fours");

// How many pieces of `each` n are cut into, and how many are in the one that starts at `at`.
constexpr int64_t pieces(int64_t n, int64_t each) { return (n + each - 1) / each; }
constexpr int64_t piece_size(int64_t n, int64_t at, int64_t each) { return n - at < each ? n - at : each; }

// The pairs of a lane: rows from .. on, and every 32nd of the others.
constexpr int64_t lane_row(int64_t lane, int64_t r) { return lane / kLanes * kMineOfLane + r; }
constexpr int64_t lane_other(int64_t lane, int64_t o) { return lane % kLanes + o * kLanes; }

// What is made of all pairs of a row, its lanes make in parts: which row a lane works for, on what part.
constexpr int kParts = kThreads / kMine;
constexpr int kPartSums = 5;  // kinds of them
constexpr int64_t part_row(int64_t lane) { return lane / kParts; }
constexpr int64_t part_of_row(int64_t lane) { return lane % kParts; }

// Rows of `depth` numbers, a multiple of four times an even number, are so far apart.
constexpr int64_t row_stride(int64_t depth) { return depth + 4; }
constexpr int64_t depth_of(int64_t n) { return n < kDepth ? n : kDepth; }

// A block's shared memory for rows of n numbers, a multiple of sixteen.
struct PairMemory {
  int64_t mine = 0, others, weight, part, end;  // where they begin
  int64_t stride;

  constexpr explicit PairMemory(int64_t n)
      : others(kMine * row_stride(depth_of(n))),
        weight(others + kOthers * row_stride(depth_of(n))),
        part(weight + kOthers * kMine),
        end(part + kPartSums * kThreads),
        stride(row_stride(depth_of(n))) {}
  // The weight of a row's pair with another: those of a lane's rows lie side by side.
  static constexpr int64_t weight_at(int64_t other, int64_t row) { return other * kMine + row; }
};
static_assert(fits<kThreads>(PairMemory(kDepth).end));

}  // namespace nd::cuda
