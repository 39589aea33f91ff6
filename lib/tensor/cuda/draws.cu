// Drawing, choosing and sorting of numbers that name rows, so that the host need not know them. Unproven.
#include "lib/tensor/draws.h"

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

// A warp a set: as many tries at once as it has lanes, of which those count that would have counted one after another.
void draw_apart(Device, const ApartDraws& asked, const Index& index, int32_t* out) {
  if (index.items == 0) return;
  Call call;
  const Index sets = call.in(index);
  ApartDraws draws = asked;
  draws.from = call.in(asked.from, asked.n);
  draws.without = call.in(asked.without, asked.offsets[asked.runs]);
  draws.offsets = call.in(asked.offsets, asked.runs + 1);
  draws.run = call.in(asked.run, sets.rows);
  draws.second = call.in(asked.second, sets.rows);
  int32_t *const to = call.out(out), *const changed = call.bytes_like<int32_t>(2 * sets.items),
                 *const lanes = call.bytes_like<int32_t>(2 * kLanes * sets.rows);
  teams<kWarp>(sets.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t s) {
    const int64_t begin = sets.begin(s);
    const ApartDraw draw = draws.of(s, begin, sets.end(s) - begin, to);
    int32_t *const tried = lanes + 2 * kLanes * s, *const counts = tried + kLanes;
    const int64_t tries = draw.tries();
    int64_t found = 0;
    for (int64_t at = 0; at < tries && found < draw.want; at += kLanes) {
      const int64_t n = tries - at < kLanes ? tries - at : kLanes;
      team.each(n, [&](int64_t j) { tried[j] = draw.proposal(at + j, found); });
      team.each(n, [&](int64_t j) { counts[j] = tried[j] >= 0 && !among(tried, j, tried[j]) ? 1 : 0; });
      team.each(n, [&](int64_t j) {
        int64_t place = found;
        for (int64_t i = 0; i < j; ++i) place += counts[i];
        if (counts[j] != 0 && place < draw.want) draw.out[place] = tried[j];
      });
      for (int64_t j = 0; j < n; ++j) found += counts[j];
    }
    team.each(found < draw.want ? 1 : 0, [&](int64_t) { draw.shuffle(found, changed + 2 * begin); });
  });
}

void rank_in_sets(const Index& index, const Mat& s, const int32_t* id, Mat rank) {
  Call call;
  const Index sets = call.in(index);
  const int32_t* const of = call.in(id, sets.items);
  each(sets.items, [=] ND_KERNEL(int64_t i) {
    const int64_t r = sets.row_of(i);
    rank.data[i] = static_cast<float>(rank_of(s.data, of, sets.begin(r), sets.end(r), i));
  });
}

void pick_ranked(const Index& index, const Mat& rank, const int32_t* id, const int32_t* first, const Index& chosen,
                 int32_t* out) {
  if (index.rows == 0) return;
  Call call;
  const Index sets = call.in(index), picks = call.in(chosen);
  const int32_t *const of = call.in(id, sets.items), *const firsts = call.in(first, sets.rows);
  int32_t* const to = call.out(out);
  each(sets.rows + sets.items, [=] ND_KERNEL(int64_t at) {
    if (at < sets.rows) {
      to[picks.begin(at)] = firsts[at];
      return;
    }
    const int64_t i = at - sets.rows, r = sets.row_of(i);
    const int64_t place = picks.begin(r) + 1 + static_cast<int64_t>(rank.data[i]);
    if (place < picks.end(r)) to[place] = of[i];
  });
}

void rows_of(Device, std::span<const int32_t> table, std::span<const int32_t> item, int64_t height, int32_t* out) {
  if (item.empty() || height == 0) return;
  Call call;
  const int32_t *const rows = call.in(table), *const items = call.in(item);
  int32_t* const to = call.out(out);
  each(static_cast<int64_t>(item.size()) * height,
       [=] ND_KERNEL(int64_t i) { to[i] = static_cast<int32_t>(rows[items[i / height]] * height + i % height); });
}

// Every item counts those before it. That is a square of the items, but of so few that nothing is gained by less.
void sort_items(Device, std::span<const int32_t> row, int64_t rows, int64_t* offsets, int32_t* item) {
  Call call;
  const auto items = static_cast<int64_t>(row.size());
  const int32_t* const of = call.in(row);
  int32_t *const to = items > 0 ? call.out(item) : nullptr, *const sorted = call.bytes_like<int32_t>(items);
  int64_t* const begins = call.out(offsets);
  each(items, [=] ND_KERNEL(int64_t i) {
    int64_t place = 0;
    for (int64_t j = 0; j < items; ++j) place += of[j] < of[i] || (of[j] == of[i] && j < i) ? 1 : 0;
    to[place] = static_cast<int32_t>(i);
    sorted[place] = of[i];
  });
  each(rows + 1, [=] ND_KERNEL(int64_t r) { begins[r] = count_up_to(sorted, items, static_cast<int32_t>(r) - 1); });
}

}  // namespace nd::cuda
