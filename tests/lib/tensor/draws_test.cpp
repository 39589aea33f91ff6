// Draws are those of a list that is really shuffled, and choices go by score, whatever the scores are.
#include "lib/tensor/draws.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/lib/tensor/draw_cases.h"

namespace nd {
namespace {

using namespace draw_cases;

// As draw_apart says, written out.
Numbers plain(const Draws& d, size_t set) {
  const Numbers list = list_of(d), taken = taken_of(d, set);
  const Random random(1, "draws");
  const auto want = static_cast<size_t>(d.want[set]);
  uint64_t at = 0;
  const auto below = [&](size_t n) { return random.below(n, at++, kSecond + set); };
  Numbers out;
  const auto usable = [&](int32_t x) {
    return std::ranges::find(taken, x) == taken.end() && std::ranges::find(out, x) == out.end();
  };
  for (size_t tries = want <= list.size() / 2 ? 256 + 64 * want : 0; tries > 0 && out.size() < want; --tries)
    if (const int32_t x = list[below(list.size())]; usable(x)) out.push_back(x);
  Numbers left;
  std::ranges::copy_if(list, std::back_inserter(left), usable);
  for (size_t i = 0; out.size() < want; ++i) {
    std::swap(left[i], left[i + below(left.size() - i)]);
    out.push_back(left[i]);
  }
  return out;
}

TEST(Draws, AreThoseOfAListThatIsShuffled) {
  for (const Draws& d : all_draws()) {
    Numbers expected;
    for (size_t s = 0; s < d.want.size(); ++s) {
      const Numbers one = plain(d, s);
      expected.insert(expected.end(), one.begin(), one.end());
      EXPECT_EQ(std::set(one.begin(), one.end()).size(), one.size());
    }
    EXPECT_EQ(drawn(Device::cpu, d), expected) << "of " << d.n;
  }
}

TEST(Draws, OfTheBestScoredTheSmallestNumberComesFirstAndWhatIsNoNumberLast) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  Choice c{.sets = {0, 5, 5, 6, 8},
           .picks = {0, 3, 4, 6, 9},
           .score = {1, 3, 3, none, 3, 2, none, none},
           .id = {9, 8, 2, 4, 5, 7, 6, 3},
           .first = {100, 101, 102, 103}};
  EXPECT_EQ(chosen(Device::cpu, c), (Numbers{100, 2, 5, 101, 102, 7, 103, 3, 6}));
  c.picks = {0, 6, 7, 8, 9};
  EXPECT_EQ(chosen(Device::cpu, c), (Numbers{100, 2, 5, 8, 9, 4, 101, 102, 103}));
  c.score.clear();
  EXPECT_EQ(chosen(Device::cpu, c), (Numbers{100, 9, 8, 2, 4, 5, 101, 102, 103}));
}

TEST(Draws, RowsOfStacksFollowOneAnother) {
  Arena arena;
  const Numbers table = {4, 0, 2}, item = {2, 2, 0};
  auto out = arena.array<int32_t>(6);
  ops::rows_of(Device::cpu, table, item, 2, out.data());
  EXPECT_EQ(Numbers(out.begin(), out.end()), (Numbers{4, 5, 4, 5, 8, 9}));
}

}  // namespace
}  // namespace nd
