// What is made of every run of items of an index, such as their sum, in a fixed order and without atomics.
//
// Runs differ: of a day's entities one is in a hundred thousand places and most are in one. A short run is one warp's
// work, or the work of several where it has many columns. A long one is cut into pieces of a fixed size, counted from
// its own first item, each the work of a warp; a second pass joins them in their order. So no warp has much more to do
// than others, and what comes out of a run depends on its items alone, not on the runs beside it.
#pragma once

#include <cstdint>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

constexpr int64_t kPiece = 128;    // items
constexpr int64_t kColumns = 128;  // of a warp's
constexpr bool is_long(int64_t items) { return items > kPiece; }

// Where it is kept what pieces of long runs come to: each kPiece of the items of all runs, a block, have two places. A
// long run has no two pieces that start in one block, and no more than two of them have one each: then the second is
// the first piece of its run, and the first is not.
constexpr int64_t places_for(int64_t items) { return (items + kPiece - 1) / kPiece * 2; }
// Of the piece that starts with item `at` of a run that starts with item `begin`.
constexpr int64_t place_of(int64_t begin, int64_t at) { return at / kPiece * 2 + (at == begin ? 1 : 0); }

// The run that has item p: of those that start with it or before, the last.
constexpr int64_t run_with(const Index& runs, int64_t p) {
  int64_t low = 0, high = runs.rows;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (runs.begin(middle) <= p) low = middle;
    else high = middle;
  }
  return low;
}

struct Piece {
  int64_t run = -1, begin = 0, end = 0;
};
// The piece that is kept at this place, run -1 where none is.
constexpr Piece piece_at(const Index& runs, int64_t place) {
  const int64_t block = place / 2 * kPiece, after = block + kPiece < runs.items ? block + kPiece : runs.items;
  const bool is_first = place % 2 != 0;
  const int64_t run = run_with(runs, is_first ? after - 1 : block), begin = runs.begin(run), end = runs.end(run);
  const int64_t at = is_first ? begin : begin + (block - begin + kPiece - 1) / kPiece * kPiece;
  if (!is_long(end - begin) || (begin >= block) != is_first || at >= end) return {};
  return {run, at, at + kPiece < end ? at + kPiece : end};
}

// f(column) for a share of so many columns.
template <class F>
ND_KERNEL void each_column(const Warp& team, int64_t share, int64_t cols, const F& f) {
  const int64_t first = share * kColumns, left = cols - first;
  team.each(left < kColumns ? left : kColumns, [&](int64_t c) { f(first + c); });
}

// What there is to do for the runs of one index with `cols` columns: works() of a warp each, then joins().
template <class T>
struct RunWork {
  Index runs;
  int64_t cols, shares, places;  // places for pieces, if any run is long
  T* kept;

  int64_t works() const { return (places + runs.rows) * shares; }
  int64_t joins() const { return places > 0 ? runs.rows * shares : 0; }

  template <class Fold, class Put>
  ND_KERNEL void work(const Warp& team, int64_t number, const Fold& fold, const Put& put) const {
    const int64_t at = number / shares, share = number % shares;
    if (at < places) {
      const Piece piece = piece_at(runs, at);
      if (piece.run < 0) return;
      const int64_t begin = runs.begin(piece.run);
      each_column(team, share, cols, [&](int64_t c) { kept[at * cols + c] = fold(c, begin, piece.begin, piece.end); });
      return;
    }
    const int64_t r = at - places, begin = runs.begin(r), end = runs.end(r);
    if (places > 0 && is_long(end - begin)) return;
    each_column(team, share, cols, [&](int64_t c) { put(r, c, fold(c, begin, begin, end)); });
  }
  template <class Join, class Put>
  ND_KERNEL void join(const Warp& team, int64_t number, const Join& join, const Put& put) const {
    const int64_t r = number / shares, begin = runs.begin(r), end = runs.end(r);
    if (!is_long(end - begin)) return;
    each_column(team, number % shares, cols, [&](int64_t c) {
      T x = kept[place_of(begin, begin) * cols + c];
      for (int64_t at = begin + kPiece; at < end; at += kPiece) x = join(c, x, kept[place_of(begin, at) * cols + c]);
      put(r, c, x);
    });
  }
};
template <class T>
RunWork<T> run_work(Call& call, const Index& runs, int64_t cols) {
  const bool some_long = runs.offsets && is_long(runs.longest < runs.items ? runs.longest : runs.items);
  const int64_t places = some_long ? places_for(runs.items) : 0;
  return {runs, cols, (cols + kColumns - 1) / kColumns, places, call.bytes_like<T>(places * cols)};
}

// put(r, c, x) for every row r of an index on the device and every column c < cols, where x is what `fold` makes of its
// run: fold(c, begin, from, to) of items from .. to of the run that starts with `begin`, and of a long run's pieces
// join(c, x, piece's), one after another.
template <class T, class Fold, class Join, class Put>
void fold_runs(Call& call, const Index& index, int64_t cols, const Fold& fold, const Join& join, const Put& put) {
  const RunWork<T> runs = run_work<T>(call, index, cols);
  teams<kWarp>(runs.works(), 0, [=] ND_KERNEL(const Warp& team, int64_t i) { runs.work(team, i, fold, put); });
  teams<kWarp>(runs.joins(), 0, [=] ND_KERNEL(const Warp& team, int64_t i) { runs.join(team, i, join, put); });
}

// Sums over the runs of several indexes at once: put(j, r, c, Σ) with the sum over the items of row r of index j, where
// add(j, sum, item, c) is the sum with one more.
struct ManyRuns {
  static constexpr int kMost = 10;
  RunWork<float> of[kMost];
  int count = 0;

  void add(Call& call, const Index& index, int64_t cols) { of[count++] = run_work<float>(call, index, cols); }
};
template <class Add, class Put>
struct ManySums {
  ManyRuns runs;
  int64_t first[ManyRuns::kMost + 1];  // work of each
  bool joins;
  Add add;
  Put put;

  ND_KERNEL void operator()(const Warp& team, int64_t i) const {
    int j = 0;
    while (i >= first[j + 1]) ++j;
    const RunWork<float>& work = runs.of[j];
    const auto put_one = [&](int64_t r, int64_t c, float sum) { put(j, r, c, sum); };
    if (joins)
      return work.join(
          team, i - first[j], [](int64_t, float x, float y) { return x + y; }, put_one);
    const auto fold = [&](int64_t c, int64_t, int64_t from, int64_t to) {
      float sum = 0;
      for (int64_t p = from; p < to; ++p) sum = add(j, sum, work.runs.item_at(p), c);
      return sum;
    };
    work.work(team, i - first[j], fold, put_one);
  }
};
template <class Add, class Put>
void sums_of_many_runs(const ManyRuns& runs, const Add& add, const Put& put) {
  for (const bool joins : {false, true}) {
    ManySums<Add, Put> sums{runs, {}, joins, add, put};
    for (int j = 0; j < runs.count; ++j)
      sums.first[j + 1] = sums.first[j] + (joins ? runs.of[j].joins() : runs.of[j].works());
    teams<kWarp>(sums.first[runs.count], 0, sums);
  }
}

// put(r, c, Σ) with the sum over the items of row r, where add(sum, item, c) is the sum with one more.
template <class Add, class Put>
void sums_of_runs(Call& call, const Index& index, int64_t cols, const Add& add, const Put& put) {
  const Index runs = index;
  const auto fold = [=] ND_KERNEL(int64_t c, int64_t, int64_t from, int64_t to) {
    float sum = 0;
    for (int64_t p = from; p < to; ++p) sum = add(sum, runs.item_at(p), c);
    return sum;
  };
  fold_runs<float>(
      call, index, cols, fold, [] ND_KERNEL(int64_t, float x, float y) { return x + y; }, put);
}
// out(r, c) = (add ? out(r, c) : 0) + Σ f(item, c)
template <class F>
void sum_runs(Call& call, const Index& index, bool add, Mat out, const F& f) {
  sums_of_runs(
      call, index, out.cols, [=] ND_KERNEL(float sum, int64_t item, int64_t c) { return sum + f(item, c); },
      [=] ND_KERNEL(int64_t r, int64_t c, float sum) {
        float& to = out.row(r)[c];
        to = add ? to + sum : sum;
      });
}

}  // namespace nd::cuda
