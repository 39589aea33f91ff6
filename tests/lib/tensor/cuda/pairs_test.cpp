// The sharing out of pairs in lib/tensor/cuda/pairs.h: every pair is one lane's, pieces cover all there is, parts of
// shared memory do not overlap, and lanes that read together meet in no bank.
#include "lib/tensor/cuda/pairs.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace nd {
namespace {

using namespace cuda;

TEST(PairsOnCuda, EveryPairIsOneLanes) {
  std::set<std::pair<int64_t, int64_t>> taken;
  for (int64_t lane = 0; lane < kThreads; ++lane)
    for (int64_t r = 0; r < kMineOfLane; ++r)
      for (int64_t o = 0; o < kOthersOfLane; ++o) {
        const std::pair pair{lane_row(lane, r), lane_other(lane, o)};
        EXPECT_LT(pair.first, kMine);
        EXPECT_LT(pair.second, kOthers);
        EXPECT_TRUE(taken.insert(pair).second) << pair.first << ", " << pair.second;
      }
  EXPECT_EQ(taken.size(), static_cast<size_t>(kMine * kOthers));
}

TEST(PairsOnCuda, EveryPartOfEveryRowIsOneLanes) {
  std::set<std::pair<int64_t, int64_t>> taken;
  for (int64_t lane = 0; lane < kThreads; ++lane) taken.insert({part_row(lane), part_of_row(lane)});
  EXPECT_EQ(taken.size(), static_cast<size_t>(kThreads));
  EXPECT_EQ(*taken.rbegin(), (std::pair<int64_t, int64_t>{kMine - 1, kParts - 1}));
  for (int64_t row = 0; row < kMine; ++row)
    for (int64_t p = 0; p < kParts; ++p) EXPECT_EQ(part_row(row * kParts + p), row);
}

TEST(PairsOnCuda, PiecesAreAllThereIs) {
  for (const int64_t each : {int64_t{kMine}, int64_t{kOthers}, kDepth})
    for (const int64_t n : {int64_t{0}, int64_t{1}, each - 1, each, each + 1, 2 * each, 10000 * each + 1}) {
      int64_t all = 0, count = 0;
      for (int64_t at = 0; at < n; at += each, ++count) {
        EXPECT_GT(piece_size(n, at, each), 0);
        EXPECT_LE(piece_size(n, at, each), each);
        all += piece_size(n, at, each);
      }
      EXPECT_EQ(all, n);
      EXPECT_EQ(count, pieces(n, each));
    }
}

TEST(PairsOnCuda, RowsWeightsAndPartsHaveTheirOwnMemory) {
  for (const int64_t n : {16, 32, 96, 112, 128, 144, 4096}) {
    const PairMemory memory(n);
    EXPECT_LE(memory.end, kSharedFloats);
    std::vector<int> times(static_cast<size_t>(memory.end), 0);
    const auto take = [&](int64_t place) { ++times.at(static_cast<size_t>(place)); };
    for (int64_t k = 0; k < depth_of(n); ++k) {
      for (int64_t r = 0; r < kMine; ++r) take(memory.mine + r * memory.stride + k);
      for (int64_t o = 0; o < kOthers; ++o) take(memory.others + o * memory.stride + k);
    }
    for (int64_t r = 0; r < kMine; ++r)
      for (int64_t o = 0; o < kOthers; ++o) take(memory.weight + PairMemory::weight_at(o, r));
    for (int64_t at = 0; at < kPartSums * kThreads; ++at) take(memory.part + at);
    for (size_t place = 0; place < times.size(); ++place) ASSERT_LE(times[place], 1) << place << " of " << n;
    for (const int64_t start : {memory.mine, memory.others, memory.weight, memory.stride})
      EXPECT_EQ(start % 4, 0) << "read in fours";
  }
}

// Fours are read by eight lanes at a time, from 32 banks of one number each.
TEST(PairsOnCuda, LanesThatReadTogetherMeetInNoBank) {
  for (int64_t n = 16; n <= 2 * kDepth; n += 16) {
    const PairMemory memory(n);
    for (int64_t first = 0; first < kLanes; first += 8) {
      std::set<int64_t> others, numbers;
      for (int64_t lane = first; lane < first + 8; ++lane) {
        others.insert(lane_other(lane, 0) * memory.stride % 32);  // the same four of several rows
        numbers.insert(4 * lane % 32);                            // several fours of one row
      }
      EXPECT_EQ(others.size(), 8u) << n;
      EXPECT_EQ(numbers.size(), 8u);
    }
  }
}

}  // namespace
}  // namespace nd
