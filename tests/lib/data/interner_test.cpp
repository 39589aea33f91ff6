#include "lib/data/interner.h"

#include <gtest/gtest.h>

#include <string>

namespace nd {
namespace {

TEST(Vocabulary, NumbersIdsByFirstAppearance) {
  Vocabulary v;
  EXPECT_EQ(v.find("a"), -1);
  EXPECT_EQ(v.add("a"), 0);
  EXPECT_EQ(v.add(""), 1);
  EXPECT_EQ(v.add("b"), 2);
  EXPECT_EQ(v.add("a"), 0);
  EXPECT_EQ(v.find("b"), 2);
  EXPECT_EQ(v.find("c"), -1);
  EXPECT_EQ(v[2], "b");
  const Strings ids = v.take();
  ASSERT_EQ(ids.size(), 3);
  EXPECT_EQ(ids[0], "a");
  EXPECT_EQ(ids[1], "");
  EXPECT_EQ(v.size(), 0);
  EXPECT_EQ(v.find("a"), -1);
}

TEST(Vocabulary, KeepsItsNumbersWhileItGrows) {
  Vocabulary v;
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(v.add("N" + std::to_string(i)), i);
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(v.find("N" + std::to_string(i)), i);
  EXPECT_EQ(v.find("N20000"), -1);
}

TEST(Vocabulary, RefusesAFileWhoseIdsRepeat) {
  StringsBuilder ids;
  ids.push("a");
  ids.push("b");
  ids.push("a");
  EXPECT_THROW(Vocabulary{ids.take()}, Error);
}

TEST(Interner, StoresEqualRowsOnceAndTellsLengthsApart) {
  Interner<int32_t> rows;
  const std::vector<int32_t> empty, one{7}, two{7, 7};
  EXPECT_EQ(rows.add(one), 0);
  EXPECT_EQ(rows.add(empty), 1);
  EXPECT_EQ(rows.add(two), 2);
  EXPECT_EQ(rows.add(one), 0);
  EXPECT_EQ(rows.add(empty), 1);
  const auto all = rows.take();
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all.values.size(), 3);
}

}  // namespace
}  // namespace nd
