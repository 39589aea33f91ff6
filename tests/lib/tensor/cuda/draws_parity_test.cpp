// What is drawn and chosen on the GPU is what the CPU draws and chooses, number by number: sets around a warp's size
// and of nothing, lists of which all but one are taken, equal scores and such as are no numbers.
#include <gtest/gtest.h>

#include "lib/tensor/cuda/team.h"
#include "tests/lib/tensor/cuda/parity.h"
#include "tests/lib/tensor/draw_cases.h"

namespace nd {
namespace {

using namespace draw_cases;

class DrawsOnCuda : public parity::OnBoth {};

// f() as it is, and on the stand-in with every loop from its end.
template <class F>
void either_way(F&& f) {
  f();
#ifdef ND_EMULATED
  cuda::emulation().backwards = true;
  f();
  cuda::emulation().backwards = false;
#endif
}

TEST_F(DrawsOnCuda, AreTheCpus) {
  for (const Draws& d : all_draws())
    either_way([&] { EXPECT_EQ(drawn(Device::cuda, d), drawn(Device::cpu, d)) << "of " << d.n; });
}

TEST_F(DrawsOnCuda, ChoicesAreTheCpus) {
  const std::vector<std::vector<int64_t>> layouts = {{}, {0}, {1}, {0, 31, 0, 32, 33, 1, 127, 128, 129}, {3000, 2}};
  for (const auto& sizes : layouts)
    for (const bool scored : {true, false}) {
      Choice c{.sets = {0}, .picks = {0}};
      RandomSequence random(1, "scores");
      for (const int64_t size : sizes) {
        c.sets.push_back(c.sets.back() + size);
        c.picks.push_back(c.picks.back() + 1 + std::min<int64_t>(size, 40));
        c.first.push_back(static_cast<int32_t>(50000 + c.first.size()));
        const Numbers id = some_of(9000, size, "id");
        c.id.insert(c.id.end(), id.begin(), id.end());
      }
      for (int64_t i = 0; scored && i < c.sets.back(); ++i) {
        const auto x = static_cast<float>(random.below(9));
        c.score.push_back(x == 0 ? std::numeric_limits<float>::quiet_NaN() : x == 1 ? -INFINITY : x);
      }
      either_way([&] { EXPECT_EQ(chosen(Device::cuda, c), chosen(Device::cpu, c)) << testing::PrintToString(sizes); });
    }
}

TEST_F(DrawsOnCuda, ItemsAreSortedByRowAsTheCpuSortsThem) {
  for (const int64_t items : {0, 1, 31, 32, 33, 127, 128, 129, 3000})
    for (const int64_t rows : {1, 7, 5000}) {
      const Numbers table = some_of(rows, rows, "table"), item = parity::drawn(items, rows, "item");
      // Items in their order, then how many of them each row has.
      const auto sorted = [&](Device device) {
        Arena arena(device);
        const std::span<int32_t> row = arena.array<int32_t>(items), order = arena.array<int32_t>(items);
        const std::span<int64_t> offsets = arena.array<int64_t>(rows + 1);
        ops::rows_of(device, arena.copy(table), arena.copy(item), 1, row.data());
        ops::sort_items(device, row, rows, offsets.data(), order.data());
        const Mat ones = arena.mat(items, 1), counts = arena.mat(rows, 1);
        fill(ones, 1);
        ops::scatter_sum(ones, {items, rows, row.data(), offsets.data(), order.data()}, false, counts);
        Numbers all = seen(arena, order.data(), items, 3000);
        for (const float count : values_of(counts)) all.push_back(static_cast<int32_t>(count));
        return all;
      };
      either_way([&] { EXPECT_EQ(sorted(Device::cuda), sorted(Device::cpu)) << items << " of " << rows; });
    }
}

}  // namespace
}  // namespace nd
