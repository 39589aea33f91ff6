#include "lib/io/skips.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

TEST(Skips, AreCountedByCauseMostFrequentFirst) {
  Skips skips(-1);
  EXPECT_TRUE(skips.report().empty());
  skips.skip("a.tsv", 3, "unknown article");
  skips.skip("a.tsv", 5, "bad time");
  skips.skip("-", 9, "bad time");
  EXPECT_EQ(skips.total(), 3);
  EXPECT_EQ(skips.report(), (std::vector<std::string>{"2 rows skipped: bad time (first: a.tsv:5)",
                                                      "1 row skipped: unknown article (first: a.tsv:3)"}));
}

TEST(Skips, OverTheCapIsAnErrorThatNamesTheRow) {
  Skips skips(2);
  skips.skip("a.tsv", 1, "bad time");
  skips.skip("a.tsv", 2, "unknown article");
  EXPECT_ND_ERROR(skips.skip("a.tsv", 7, "bad time"), "a.tsv:7: bad time; more than 2 rows");
  Skips none(0);
  EXPECT_ND_ERROR(none.skip("b.tsv", 1, "bad time"), "b.tsv:1: ");
}

}  // namespace
}  // namespace nd
