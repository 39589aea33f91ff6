// Drawing, choosing and sorting of numbers that name rows.
#include "lib/tensor/draws.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kSets = 8;  // one thread takes at a time

}  // namespace

void draw_apart(Device, const ApartDraws& draws, const Index& sets, int32_t* out) {
  parallel_ranges(sets.rows, kSets, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> changed;
    for (int64_t s = begin; s < end; ++s) {
      const ApartDraw draw = draws.of(s, sets.begin(s), sets.end(s) - sets.begin(s), out);
      int64_t found = 0;
      for (int64_t at = 0; at < draw.tries() && found < draw.want; ++at)
        if (const int32_t x = draw.proposal(at, found); x >= 0) draw.out[found++] = x;
      changed.resize(static_cast<size_t>(2 * (draw.want - found)));
      draw.shuffle(found, changed.data());
    }
  });
}

void rank_in_sets(const Index& sets, const Mat& s, const int32_t* id, Mat rank) {
  parallel_ranges(sets.rows, kSets, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r)
      for (int64_t i = sets.begin(r); i < sets.end(r); ++i)
        rank.data[i] = static_cast<float>(rank_of(s.data, id, sets.begin(r), sets.end(r), i));
  });
}

void pick_ranked(const Index& sets, const Mat& rank, const int32_t* id, const int32_t* first, const Index& picks,
                 int32_t* out) {
  for (int64_t r = 0; r < sets.rows; ++r) {
    const int64_t begin = picks.begin(r);
    out[begin] = first[r];
    for (int64_t i = sets.begin(r); i < sets.end(r); ++i)
      if (const auto at = begin + 1 + static_cast<int64_t>(rank.data[i]); at < picks.end(r)) out[at] = id[i];
  }
}

void rows_of(Device, std::span<const int32_t> table, std::span<const int32_t> item, int64_t height, int32_t* out) {
  for (const int32_t i : item)
    for (int64_t t = 0; t < height; ++t) *out++ = static_cast<int32_t>(table[i] * height + t);
}

void sort_items(Device, std::span<const int32_t> row, int64_t rows, int64_t* offsets, int32_t* item) {
  std::fill(offsets, offsets + rows + 1, 0);
  for (const int32_t r : row) {
    if (r < 0 || r >= rows) throw std::logic_error("sort_items: a row lies outside the table");
    ++offsets[r + 1];
  }
  for (int64_t r = 0; r < rows; ++r) offsets[r + 1] += offsets[r];
  // Placing moves each row's start to its end, which is the next row's start: shift back afterwards.
  for (size_t i = 0; i < row.size(); ++i) item[offsets[row[i]]++] = static_cast<int32_t>(i);
  for (int64_t r = rows; r > 0; --r) offsets[r] = offsets[r - 1];
  offsets[0] = 0;
}

}  // namespace nd::cpu
