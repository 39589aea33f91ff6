#include "lib/tensor/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "lib/tensor/random.h"

namespace nd {
namespace {

// Every item stands once in its row's run, and runs are in order of items.
void expect_both_ways_agree(const Index& index) {
  std::vector<int> seen(static_cast<size_t>(index.items));
  int64_t at = 0, longest = 0;
  for (int64_t r = 0; r < index.rows; ++r) {
    longest = std::max(longest, index.end(r) - index.begin(r));
    EXPECT_EQ(index.begin(r), at);
    for (int64_t p = index.begin(r); p < index.end(r); ++p) {
      const int32_t i = index.item_at(p);
      EXPECT_EQ(index.row_of(i), r);
      EXPECT_TRUE(p == index.begin(r) || index.item_at(p - 1) < i);
      ++seen[i];
    }
    at = index.end(r);
  }
  EXPECT_EQ(at, index.items);
  for (int count : seen) EXPECT_EQ(count, 1);
  EXPECT_LE(longest, index.longest);
  EXPECT_TRUE(index.items == 0 || index.longest == longest);
}

TEST(Index, OfDrawnRowsReadsTheSameBothWays) {
  for (int64_t items : {0, 1, 2, 50, 3000})
    for (int64_t rows : {1, 7, 5000}) {
      Arena arena;
      std::vector<int32_t> row;
      const Random random(1, "index");
      for (int64_t i = 0; i < items; ++i) row.push_back(static_cast<int32_t>(random.below(rows, i)));
      const Index index = make_index(arena, row, rows);
      EXPECT_EQ(index.items, items);
      EXPECT_EQ(index.rows, rows);
      for (int64_t i = 0; i < items; ++i) EXPECT_EQ(index.row_of(i), row[i]);
      expect_both_ways_agree(index);
    }
}

TEST(Index, OfSegmentsReadsTheSameBothWays) {
  Arena arena;
  const std::vector<int64_t> offsets = {0, 0, 3, 3, 4, 9, 9};
  const Index index = make_segments(arena, offsets);
  EXPECT_EQ(index.items, 9);
  EXPECT_EQ(index.rows, 6);
  EXPECT_EQ(index.row_of(0), 1);
  EXPECT_EQ(index.row_of(3), 3);
  EXPECT_EQ(index.row_of(8), 4);
  expect_both_ways_agree(index);

  const std::vector<int64_t> none = {0};
  EXPECT_EQ(make_segments(arena, none).items, 0);
  EXPECT_EQ(make_segments(arena, none).rows, 0);
}

TEST(Index, IdentityUsesEachRowOnce) {
  expect_both_ways_agree(identity(5));
  expect_both_ways_agree(identity(0));
}

TEST(Index, ARowOutsideTheTableIsAMistake) {
  Arena arena;
  for (int32_t bad : {-1, 3, 1000000}) {
    const std::vector<int32_t> row = {0, bad, 2};
    EXPECT_THROW(make_index(arena, row, 3), std::logic_error);
  }
}

}  // namespace
}  // namespace nd
