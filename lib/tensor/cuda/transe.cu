// TransE: the loss of a batch and its gradients, steps on the rows it touched, and L1 distances for ranking.
//
// The loss takes two launches. Where chunks are large a block takes sixteen triples of one and pairs them with its
// replacements, 64 at a time, in shared memory (pairs.h): distances, slopes, the gradients of queries and answers. The
// second launch pairs sixteen replacements with the chunk's queries for theirs. Where chunks are small a warp takes a
// triple, four numbers a lane, and in the second launch a chunk. A step on rows is a warp's a row, which adds up its
// items in their order (runs.h), leaving out those that are not used, and a second launch where a row has many.
// Nothing is read back, and nothing is added up by atomics.
//
// What that comes to with rows of n numbers, 64 replacements shared by 64 triples, and Adam: a pair takes 2 n
// operations for its distance and 2 n for each of two gradients (L1: 4 n), so a triple 384 n; and a triple moves 16
// rows in the first launch (four of them its share of the replacements), 6 in the second, and at most 22 in the steps
// (four gradients, and x, m and v of three rows in and out; with Adagrad 16), so 176 n bytes. For n = 96 on an H100
// that is 37 k operations, 1.1 ns at 33.5 T/s, and 17 KB, 5 ns at 3.35 TB/s where no table fits in the L2 cache, as
// FB15k-237's does: memory is the limit, some 200 M triples/s. In shared memory 12 and 5 reads of 128 bytes go with 16
// and 8 cycles of arithmetic, so that is not. A step of 2048 triples is then 10 us of work, as much as its launches
// take. A triple with one replacement of its own moves 16 rows, 2 ns, and those of the steps only where it violates its
// margin. Unproven.
#include <algorithm>
#include <cmath>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/fours.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/pairs.h"
#include "lib/tensor/cuda/runs.h"

namespace nd::cuda {
namespace {

constexpr float kAdagradEpsilon = 1e-10f;
constexpr float kSmallestDistance = 1e-6f;  // of a Euclidean one: below it rounding decides, and 1 / d would explode
constexpr int64_t kFewTriples = 8;          // in every chunk: then each is a warp's
// L1 distances are made for kMine rows and so many columns at a time, of so many terms each.
constexpr int64_t kAcross = 4 * kLanes, kInner = 64;

// sum += what one dimension adds to a distance (to its square where the norm is the Euclidean one).
ND_KERNEL void add_dimension(bool l1, float x, float& sum) { sum = l1 ? sum + fabsf(x) : fmaf(x, x, sum); }
// ∂|x| in one dimension, times the distance where the norm is the Euclidean one.
ND_KERNEL float direction(bool l1, float x) { return !l1 ? x : x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; }

// A batch as kernels know it, and what they tell each other. Distances to replacements become, in the same place, the
// slopes of the loss by them, divided by the distance where the norm is the Euclidean one.
struct Problem {
  TranseLoss form;
  Mat entity, relation;
  const int32_t *anchor, *relation_of, *answer, *replacement;
  const float* sign;
  const int64_t* chunk;
  int64_t triples, chunks, drawn, n;
  Mat query, slope;      // by triple
  float *pull, *losses;  // by triple: the slope by the distance to the answer, likewise; and its loss
  Mat dquery, danswer, dreplacement;
  uint8_t* used;

  ND_KERNEL float distance(float sum) const { return form.l1 ? sum : sqrtf(sum); }
  ND_KERNEL float distance_to_replacement(float sum) const {
    const float d = distance(sum);
    return !form.l1 && form.self_adversarial && d < kSmallestDistance ? kSmallestDistance : d;
  }
  ND_KERNEL float by_distance(float x, float d) const { return form.l1 ? x : d > 0 ? x / d : 0.0f; }

  // What a replacement at distance d is to the loss: its weight by `least`, the smallest of the distances; with the
  // weights' total and the answer's distance, what it adds, and the slopes of that by d and by the answer's distance.
  struct Term {
    float loss = 0, slope = 0, of_answer = 0;
  };
  ND_KERNEL float weight(float d, float least) const {
    return form.self_adversarial ? expf(form.temperature * (least - d)) : 1.0f;
  }
  ND_KERNEL Term term(float d, float least, float total, float answer_d) const {
    const float p = weight(d, least) / total;
    if (form.self_adversarial) return {p * softplus(form.margin - d), -p * sigmoid(form.margin - d), 0};
    const float excess = form.margin + answer_d - d;
    return excess > 0 ? Term{p * excess, -p, p} : Term{p * relu(excess), 0, 0};
  }
  // Ends a triple, with what its replacements add up to.
  ND_KERNEL void end(int64_t i, float loss, float of_answer, float answer_d) const {
    if (form.self_adversarial) {
      loss += softplus(answer_d - form.margin);
      of_answer += sigmoid(answer_d - form.margin);
    }
    losses[i] = loss;
    pull[i] = by_distance(of_answer, answer_d);
  }

  ND_KERNEL void put_query(int64_t i, int64_t k) const {
    const Four a = four_at(entity.row(anchor[i]) + k), r = four_at(relation.row(relation_of[i]) + k);
    Four q;
    for (int u = 0; u < 4; ++u) q.at[u] = fmaf(sign[i], r.at[u], a.at[u]);
    four_at(query.row(i) + k) = q;
  }
  ND_KERNEL float* replaced(int64_t c, int64_t j) const { return entity.row(replacement[c * drawn + j]); }
  // What the numbers k .. k + 4 add to the distance of a query and an entity.
  ND_KERNEL float part_of_distance(int64_t i, float* e, int64_t k) const {
    const Four q = four_at(query.row(i) + k), x = four_at(e + k);
    float sum = 0;
    for (int u = 0; u < 4; ++u) add_dimension(form.l1, q.at[u] - x.at[u], sum);
    return sum;
  }
  // Of the answer's gradient.
  ND_KERNEL Four pull_of_answer(int64_t i, int64_t k) const {
    const Four q = four_at(query.row(i) + k), a = four_at(entity.row(answer[i]) + k);
    Four g;
    for (int u = 0; u < 4; ++u) g.at[u] = pull[i] * direction(form.l1, q.at[u] - a.at[u]);
    return g;
  }
  ND_KERNEL void put_gradients(int64_t i, int64_t k, const Four& by_replacements, const Four& by_answer) const {
    Four dq, da;
    for (int u = 0; u < 4; ++u) {
      dq.at[u] = by_replacements.at[u] + by_answer.at[u];
      da.at[u] = -by_answer.at[u];
    }
    four_at(dquery.row(i) + k) = dq;
    four_at(danswer.row(i) + k) = da;
  }

  // Whether a chunk has a violation, which is left behind for its rows.
  template <class Team>
  ND_KERNEL bool flag(const Team& team, int64_t c) const {
    const int64_t begin = chunk[c], size = chunk[c + 1] - begin;
    const float any = team.max(size * drawn, [&](int64_t at) {
      return pull[begin + at / drawn] != 0 || slope.row(begin)[at] != 0 ? 1.0f : 0.0f;
    });
    const uint8_t is_used = any > 0 ? 1 : 0;
    team.each(size, [&](int64_t i) { used[begin + i] = used[triples + begin + i] = is_used; });
    team.each(drawn, [&](int64_t j) { used[2 * triples + c * drawn + j] = is_used; });
    return is_used != 0;
  }
  template <class Team>
  ND_KERNEL void sum_losses(const Team& team, float* loss) const {
    const float sum = team.sum(triples, [&](int64_t i) { return losses[i]; });
    team.each(1, [&](int64_t) { *loss = sum; });
  }
};

// A triple of a small chunk: everything but the gradients of the replacements.
struct OneTriple : Problem {
  ND_KERNEL void operator()(const Warp& team, int64_t i) const {
    const int64_t c = run_with({triples, chunks, nullptr, chunk}, i), fours = n / 4;
    float* const s = slope.row(i);
    team.each(fours, [&](int64_t f) { put_query(i, 4 * f); });
    const auto sum_to = [&](float* e) {
      return team.sum(fours, [&](int64_t f) { return part_of_distance(i, e, 4 * f); });
    };
    for (int64_t j = 0; j < drawn; ++j) {
      const float d = distance_to_replacement(sum_to(replaced(c, j)));
      team.each(1, [&](int64_t) { s[j] = d; });
    }
    const float d = distance(sum_to(entity.row(answer[i])));
    const float least = -team.max(drawn, [&](int64_t j) { return -s[j]; });
    const float total = team.sum(drawn, [&](int64_t j) { return weight(s[j], least); });
    const float loss = team.sum(drawn, [&](int64_t j) { return term(s[j], least, total, d).loss; });
    const float of_answer = team.sum(drawn, [&](int64_t j) { return term(s[j], least, total, d).of_answer; });
    team.each(drawn, [&](int64_t j) { s[j] = by_distance(term(s[j], least, total, d).slope, s[j]); });
    team.each(1, [&](int64_t) { end(i, loss, of_answer, d); });
    team.each(fours, [&](int64_t f) {
      const Four q = four_at(query.row(i) + 4 * f);
      Four sum{};
      for (int64_t j = 0; j < drawn; ++j) {
        const Four e = four_at(replaced(c, j) + 4 * f);
        for (int u = 0; u < 4; ++u) sum.at[u] = fmaf(s[j], direction(form.l1, q.at[u] - e.at[u]), sum.at[u]);
      }
      put_gradients(i, 4 * f, sum, pull_of_answer(i, 4 * f));
    });
  }
};
// The gradients of a small chunk's replacements; after the last chunk, the loss.
struct SmallChunk : Problem {
  float* loss;

  ND_KERNEL void operator()(const Warp& team, int64_t c) const {
    if (c == chunks) return sum_losses(team, loss);
    if (!flag(team, c)) return;
    for (int64_t j = 0; j < drawn; ++j)
      team.each(n / 4, [&](int64_t f) {
        const Four e = four_at(replaced(c, j) + 4 * f);
        Four sum{};
        for (int64_t i = chunk[c]; i < chunk[c + 1]; ++i) {
          const Four q = four_at(query.row(i) + 4 * f);
          for (int u = 0; u < 4; ++u)
            sum.at[u] = fmaf(slope.row(i)[j], direction(form.l1, e.at[u] - q.at[u]), sum.at[u]);
        }
        four_at(dreplacement.row(c * drawn + j) + 4 * f) = sum;
      });
  }
};

// Rows of a block and others in its shared memory (pairs.h), `rows` of its own.
template <bool kL1>
struct Pairs {
  const Block& team;
  const PairMemory at;
  const int64_t n, rows;
  int64_t mine_from = -1, others_from = -1, others_number = -1;

  ND_KERNEL Pairs(const Block& team, int64_t n, int64_t rows) : team(team), at(n), n(n), rows(rows) {}
  ND_KERNEL float* part(int kind, int64_t lane) const { return team.memory + at.part + kind * kThreads + lane; }

  // Brings numbers k .. k + depth of the rows, and of the others from number `first` on; rows beyond are zeros. What is
  // there already is not brought again.
  template <class Mine, class Other>
  ND_KERNEL void bring(int64_t first, int64_t count, int64_t k, const Mine& mine, const Other& other) {
    const int64_t fours = piece_size(n, k, kDepth) / 4;
    if (mine_from != k) bring_rows(at.mine, kMine, rows, fours, [&](int64_t r) { return mine(r) + k; });
    if (others_from != k || others_number != first)
      bring_rows(at.others, kOthers, count, fours, [&](int64_t o) { return other(first + o) + k; });
    mine_from = others_from = k;
    others_number = first;
  }
  template <class Row>
  ND_KERNEL void bring_rows(int64_t to, int64_t places, int64_t count, int64_t fours, const Row& row) const {
    team.each(places * fours, [&](int64_t place) {
      const int64_t r = place / fours, k = place % fours * 4;
      four_at(team.memory + to + r * at.stride + k) = r < count ? four_at(row(r) + k) : Four{};
    });
  }

  // put(row, other, sum) with what the numbers that are there add to each pair's distance.
  template <class Put>
  ND_KERNEL void distances(int64_t count, int64_t k, const Put& put) const {
    const int64_t depth = piece_size(n, k, kDepth);
    team.each(kThreads, [&](int64_t lane) {
      float* const mine = team.memory + at.mine + lane_row(lane, 0) * at.stride;
      float* const others = team.memory + at.others + lane_other(lane, 0) * at.stride;
      float sum[kMineOfLane][kOthersOfLane] = {};
      for (int64_t d = 0; d < depth; d += 4) {
        Four y[kOthersOfLane];
        ND_UNROLL
        for (int o = 0; o < kOthersOfLane; ++o) y[o] = four_at(others + o * kLanes * at.stride + d);
        ND_UNROLL
        for (int r = 0; r < kMineOfLane; ++r) {
          const Four x = four_at(mine + r * at.stride + d);
          ND_UNROLL
          for (int o = 0; o < kOthersOfLane; ++o) ND_UNROLL
          for (int u = 0; u < 4; ++u) add_dimension(kL1, x.at[u] - y[o].at[u], sum[r][o]);
        }
      }
      ND_UNROLL
      for (int r = 0; r < kMineOfLane; ++r) ND_UNROLL
      for (int o = 0; o < kOthersOfLane; ++o)
        if (lane_row(lane, r) < rows && lane_other(lane, o) < count)
          put(lane_row(lane, r), lane_other(lane, o), sum[r][o]);
    });
  }

  // to(row)[k ..] = (add ? to(row)[k ..] : 0) + Σ weight(row, other) direction(row − other) over the others there.
  template <class Weight, class To>
  ND_KERNEL void directions(int64_t count, int64_t k, bool add, const Weight& weight, const To& to) const {
    team.each(kMine * kOthers, [&](int64_t place) {
      const int64_t r = place / kOthers, o = place % kOthers;
      team.memory[at.weight + PairMemory::weight_at(o, r)] = r < rows && o < count ? weight(r, o) : 0.0f;
    });
    const int64_t fours = piece_size(n, k, kDepth) / 4;
    team.each(kMine / kMineOfLane * fours, [&](int64_t place) {
      const int64_t row = place / fours * kMineOfLane, d = place % fours * 4;
      float* const mine = team.memory + at.mine + row * at.stride + d;
      float* const weights = team.memory + at.weight + PairMemory::weight_at(0, row);
      Four x[kMineOfLane], sum[kMineOfLane] = {};
      ND_UNROLL
      for (int r = 0; r < kMineOfLane; ++r) x[r] = four_at(mine + r * at.stride);
      for (int64_t o = 0; o < count; ++o) {
        const Four y = four_at(team.memory + at.others + o * at.stride + d), w = four_at(weights + o * kMine);
        ND_UNROLL
        for (int r = 0; r < kMineOfLane; ++r) ND_UNROLL
        for (int u = 0; u < 4; ++u) sum[r].at[u] = fmaf(w.at[r], direction(kL1, x[r].at[u] - y.at[u]), sum[r].at[u]);
      }
      ND_UNROLL
      for (int r = 0; r < kMineOfLane; ++r) {
        if (row + r >= rows) continue;
        Four& out = four_at(to(row + r) + k + d);
        out = add ? plus(out, sum[r]) : sum[r];
      }
    });
  }
};

// Sixteen triples of a chunk: everything but the gradients of the replacements.
template <bool kL1>
struct TileOfTriples : Problem {
  int64_t tiles;  // of a chunk

  ND_KERNEL void operator()(const Block& team, int64_t item) const {
    const int64_t c = item / tiles, begin = chunk[c] + item % tiles * kMine, rest = chunk[c + 1] - begin;
    if (rest <= 0) return;
    const int64_t rows = piece_size(rest, 0, kMine);
    Pairs<kL1> pairs(team, n, rows);
    const auto mine = [&](int64_t r) { return query.row(begin + r); };
    const auto other = [&](int64_t j) { return replaced(c, j); };
    const auto slopes = [&](int64_t r) { return slope.row(begin + r); };

    team.each(rows * (n / 4), [&](int64_t f) { put_query(begin + f / (n / 4), f % (n / 4) * 4); });
    for (int64_t first = 0; first < drawn; first += kOthers)
      for (int64_t k = 0; k < n; k += kDepth) {
        const int64_t count = piece_size(drawn, first, kOthers);
        pairs.bring(first, count, k, mine, other);
        pairs.distances(count, k, [&](int64_t r, int64_t o, float sum) {
          float& d = slopes(r)[first + o];
          d = k == 0 ? sum : d + sum;
        });
      }
    find_slopes(team, pairs, begin);
    for (int64_t first = 0; first < drawn; first += kOthers)
      for (int64_t k = 0; k < n; k += kDepth) {
        const int64_t count = piece_size(drawn, first, kOthers);
        pairs.bring(first, count, k, mine, other);
        pairs.directions(
            count, k, first > 0, [&](int64_t r, int64_t o) { return slopes(r)[first + o]; },
            [&](int64_t r) { return dquery.row(begin + r); });
      }
    team.each(rows * (n / 4), [&](int64_t f) {
      const int64_t i = begin + f / (n / 4), k = f % (n / 4) * 4;
      put_gradients(i, k, four_at(dquery.row(i) + k), pull_of_answer(i, k));
    });
  }

  // From sums to distances to slopes, of each triple by some lanes.
  ND_KERNEL void find_slopes(const Block& team, const Pairs<kL1>& pairs, int64_t begin) const {
    enum Kind { kLeast, kToAnswer, kTotal, kLoss, kOfAnswer };
    static_assert(kOfAnswer + 1 == kPartSums);
    const auto put = [&](Kind kind, int64_t lane, float x) { *pairs.part(kind, lane) = x; };
    const auto all = [&](Kind kind, int64_t row) {
      float x = *pairs.part(kind, row * kParts);
      for (int p = 1; p < kParts; ++p) {
        const float y = *pairs.part(kind, row * kParts + p);
        x = kind == kLeast ? fminf(x, y) : x + y;
      }
      return x;
    };
    // f(row, its slopes, the first of the lane's part of them), for replacements, fours, every kParts-th from there on.
    const auto each_part = [&](const auto& f) {
      team.each(pairs.rows * kParts,
                [&](int64_t lane) { f(lane, slope.row(begin + part_row(lane)), part_of_row(lane)); });
    };
    each_part([&](int64_t lane, float* s, int64_t from) {
      float least = INFINITY, sum = 0;
      for (int64_t j = from; j < drawn; j += kParts) {
        s[j] = distance_to_replacement(s[j]);
        least = fminf(least, s[j]);
      }
      const int64_t i = begin + part_row(lane);
      for (int64_t f = from; f < n / 4; f += kParts) sum += part_of_distance(i, entity.row(answer[i]), 4 * f);
      put(kLeast, lane, least);
      put(kToAnswer, lane, sum);
    });
    each_part([&](int64_t lane, float* s, int64_t from) {
      const float least = all(kLeast, part_row(lane));
      float total = 0;
      for (int64_t j = from; j < drawn; j += kParts) total += weight(s[j], least);
      put(kTotal, lane, total);
    });
    each_part([&](int64_t lane, float* s, int64_t from) {
      const int64_t row = part_row(lane);
      const float least = all(kLeast, row), total = all(kTotal, row), d = distance(all(kToAnswer, row));
      float loss = 0, of_answer = 0;
      for (int64_t j = from; j < drawn; j += kParts) {
        const Term t = term(s[j], least, total, d);
        s[j] = by_distance(t.slope, s[j]);
        loss += t.loss;
        of_answer += t.of_answer;
      }
      put(kLoss, lane, loss);
      put(kOfAnswer, lane, of_answer);
    });
    team.each(pairs.rows, [&](int64_t row) {
      end(begin + row, all(kLoss, row), all(kOfAnswer, row), distance(all(kToAnswer, row)));
    });
  }
};

// Gradients of sixteen replacements of a chunk; after the last ones, the loss.
template <bool kL1>
struct TileOfReplacements : Problem {
  int64_t tiles;  // of a chunk
  float* loss;

  ND_KERNEL void operator()(const Block& team, int64_t item) const {
    const int64_t c = item / tiles, begin = item % tiles * kMine;
    if (c == chunks) return sum_losses(team, loss);
    if (begin == 0) flag(team, c);
    const int64_t from = chunk[c], size = chunk[c + 1] - from;
    Pairs<kL1> pairs(team, n, piece_size(drawn, begin, kMine));
    for (int64_t first = 0; first < size; first += kOthers)
      for (int64_t k = 0; k < n; k += kDepth) {
        const int64_t count = piece_size(size, first, kOthers);
        pairs.bring(
            first, count, k, [&](int64_t r) { return replaced(c, begin + r); },
            [&](int64_t i) { return query.row(from + i); });
        pairs.directions(
            count, k, first > 0, [&](int64_t r, int64_t o) { return slope.row(from + first + o)[begin + r]; },
            [&](int64_t r) { return dreplacement.row(c * drawn + begin + r); });
      }
  }
};

// RowGradients as kernels read them.
struct Gradients {
  Mat g;
  Index runs;
  const int32_t* row;
  const float* sign;
  const uint8_t* used;

  Gradients(Call& call, const RowGradients& of)
      : g(of.g),
        runs(of.runs),
        row(call.in(of.row)),
        sign(of.sign.empty() ? nullptr : call.in(of.sign)),
        used(call.in(of.used, of.g.rows)) {
    runs.row = nullptr;  // nobody asks by item
    runs.offsets = call.in(runs.offsets, runs.rows + 1);
    runs.item = call.in(runs.item, runs.items);
  }
  ND_KERNEL bool counts(int64_t item) const { return !used || used[item] != 0; }
};

// The sum of some items of a run, and whether there is any.
struct Part {
  Four sum;
  bool used;
};

// put(r, c, part) with the sums of every run r and every four columns from 4 c on.
template <class Put>
void each_part(Call& call, const Gradients& gradients, const Put& put) {
  const Gradients of = gradients;
  fold_runs<Part>(
      call, of.runs, of.g.cols / 4,
      [=] ND_KERNEL(int64_t c, int64_t, int64_t from, int64_t to) {
        Part part{};
        for (int64_t p = from; p < to; ++p) {
          const int64_t item = of.runs.item_at(p);
          if (!of.counts(item)) continue;
          const float sign = of.sign ? of.sign[item] : 1.0f;
          const Four g = four_at(of.g.row(item) + 4 * c);
          for (int i = 0; i < 4; ++i) part.sum.at[i] = fmaf(sign, g.at[i], part.sum.at[i]);
          part.used = true;
        }
        return part;
      },
      [] ND_KERNEL(int64_t, const Part& sum, const Part& next) {
        return Part{plus(sum.sum, next.sum), sum.used || next.used};
      },
      put);
}

// step(place in the table, gradient) for every four numbers of every row that has a gradient.
template <class Step>
void each_gradient(Call& call, const RowGradients& gradients, const Step& step) {
  const Gradients of(call, gradients);
  each_part(call, of, [=] ND_KERNEL(int64_t r, int64_t c, const Part& part) {
    if (part.used) step(of.row[r] * of.g.cols + 4 * c, part.sum);
  });
}

}  // namespace

void transe_loss(const TranseLoss& form, const Mat& entity, const Mat& relation, const TranseBatch& batch, Mat dquery,
                 Mat danswer, Mat dreplacement, uint8_t* used, Mat loss) {
  Call call;
  const int64_t triples = batch.triples(), chunks = batch.chunks(), drawn = batch.drawn, n = entity.cols;
  int64_t longest = 0;
  for (size_t c = 0; c + 1 < batch.chunk.size(); ++c) longest = std::max(longest, batch.chunk[c + 1] - batch.chunk[c]);
  const Problem problem{form,
                        entity,
                        relation,
                        call.in(batch.anchor),
                        call.in(batch.relation),
                        call.in(batch.answer),
                        call.in(batch.replacement),
                        call.in(batch.sign),
                        call.in(batch.chunk),
                        triples,
                        chunks,
                        drawn,
                        n,
                        call.scratch(triples, n),
                        call.scratch(triples, drawn),
                        call.scratch(triples),
                        call.scratch(triples),
                        dquery,
                        danswer,
                        dreplacement,
                        call.out(used)};
  if (longest < kFewTriples) {
    teams<kWarp>(triples, 0, OneTriple{problem});
    teams<kWarp>(chunks + 1, 0, SmallChunk{problem, loss.data});
    return;
  }
  const auto launch = [&]<bool kL1>() {
    const int64_t tiles = pieces(longest, kMine), others = pieces(drawn, kMine), floats = PairMemory(n).end;
    teams<kBlock>(chunks * tiles, floats, TileOfTriples<kL1>{problem, tiles});
    teams<kBlock>(chunks * others + 1, floats, TileOfReplacements<kL1>{problem, others, loss.data});
  };
  if (form.l1) launch.template operator()<true>();
  else launch.template operator()<false>();
}

void adam_rows(const AdamStep& step, const RowGradients& gradients, Mat m, Mat v, Mat x) {
  Call call;
  const auto b1 = static_cast<float>(step.beta1), rest1 = static_cast<float>(1 - step.beta1);
  const auto b2 = static_cast<float>(step.beta2), rest2 = static_cast<float>(1 - step.beta2);
  const double root = std::sqrt(step.c2);
  const auto lr = static_cast<float>(step.lr * root / step.c1), epsilon = static_cast<float>(step.epsilon * root);
  each_gradient(call, gradients, [=] ND_KERNEL(int64_t at, const Four& gradient) {
    Four m1 = four_at(m.data + at), v1 = four_at(v.data + at), x1 = four_at(x.data + at);
    for (int i = 0; i < 4; ++i) {
      const float g = gradient.at[i];
      m1.at[i] = fmaf(b1, m1.at[i], rest1 * g);
      v1.at[i] = fmaf(b2, v1.at[i], rest2 * g * g);
      x1.at[i] -= lr * m1.at[i] / (sqrtf(v1.at[i]) + epsilon);
    }
    four_at(m.data + at) = m1;
    four_at(v.data + at) = v1;
    four_at(x.data + at) = x1;
  });
}

void adagrad_rows(float lr, int64_t dim, const RowGradients& gradients, Mat squares, Mat x) {
  Call call;
  const Gradients of(call, gradients);
  const Mat sums = call.scratch(of.runs.rows, x.cols);
  uint8_t* const moved = call.bytes_like<uint8_t>(of.runs.rows);
  each_part(call, of, [=] ND_KERNEL(int64_t r, int64_t c, const Part& part) {
    four_at(sums.row(r) + 4 * c) = part.sum;
    if (c == 0) moved[r] = part.used ? 1 : 0;
  });
  teams<kWarp>(of.runs.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    if (moved[r] == 0) return;
    const float* const g = sums.row(r);
    float *const xs = x.row(of.row[r]), *const square = squares.row(of.row[r]);
    const float sum = *square + team.sum(x.cols, [&](int64_t k) { return g[k] * g[k]; }) / static_cast<float>(dim);
    const float rate = lr / (sqrtf(sum) + kAdagradEpsilon);
    team.each(x.cols, [&](int64_t k) { xs[k] = fmaf(-rate, g[k], xs[k]); });
    team.each(1, [&](int64_t) { *square = sum; });
  });
}

void sgd_rows(float lr, const RowGradients& gradients, Mat x) {
  Call call;
  each_gradient(call, gradients, [=] ND_KERNEL(int64_t at, const Four& gradient) {
    Four x1 = four_at(x.data + at);
    for (int i = 0; i < 4; ++i) x1.at[i] = fmaf(-lr, gradient.at[i], x1.at[i]);
    four_at(x.data + at) = x1;
  });
}

void cap_rows(const RowGradients& gradients, Mat x) {
  Call call;
  const Gradients of(call, gradients);
  teams<kWarp>(of.runs.rows, 0, [=] ND_KERNEL(const Warp& team, int64_t run) {
    const int64_t begin = of.runs.begin(run), items = of.runs.end(run) - begin;
    const float used = team.max(items, [&](int64_t p) { return of.counts(of.runs.item_at(begin + p)) ? 1.0f : 0.0f; });
    float* const r = x.row(of.row[run]);
    const float square = team.sum(x.cols, [&](int64_t k) { return r[k] * r[k]; });
    team.each(used > 0 && square > 1 ? x.cols : 0, [&](int64_t k) { r[k] /= sqrtf(square); });
  });
}

void l1_distances(const Mat& a, const Mat& b, Mat c) {
  const int64_t across = pieces(c.cols, kAcross);
  teams<kBlock>(pieces(c.rows, kMine) * across, kInner * (kMine + kAcross),
                [=] ND_KERNEL(const Block& team, int64_t item) {
                  const int64_t row = item / across * kMine, column = item % across * kAcross;
                  const int64_t rows = piece_size(c.rows, row, kMine), fours = piece_size(c.cols, column, kAcross) / 4;
                  float *const left = team.memory, *const right = left + kInner * kMine;
                  for (int64_t l = 0; l < a.cols; l += kInner) {
                    const int64_t depth = piece_size(a.cols, l, kInner);
                    team.each(kMine * depth, [&](int64_t at) {
                      const int64_t r = at / depth, k = at % depth;
                      left[k * kMine + r] = r < rows ? a.row(row + r)[l + k] : 0.0f;
                    });
                    team.each(depth * fours, [&](int64_t at) {
                      const int64_t k = at / fours, f = at % fours;
                      four_at(right + k * kAcross + 4 * f) = four_at(b.row(l + k) + column + 4 * f);
                    });
                    team.each(kThreads, [&](int64_t lane) {
                      const int64_t first = lane_row(lane, 0), f = lane % kLanes;
                      if (f >= fours) return;
                      Four sum[kMineOfLane] = {};
                      for (int64_t k = 0; k < depth; ++k) {
                        const Four x = four_at(left + k * kMine + first), y = four_at(right + k * kAcross + 4 * f);
                        ND_UNROLL
                        for (int r = 0; r < kMineOfLane; ++r) ND_UNROLL
                        for (int u = 0; u < 4; ++u) sum[r].at[u] += fabsf(x.at[r] - y.at[u]);
                      }
                      ND_UNROLL
                      for (int r = 0; r < kMineOfLane; ++r) {
                        if (first + r >= rows) continue;
                        Four& out = four_at(c.row(row + first + r) + column + 4 * f);
                        ND_UNROLL
                        for (int u = 0; u < 4; ++u) out.at[u] = l == 0 ? sum[r].at[u] : out.at[u] + sum[r].at[u];
                      }
                    });
                  }
                });
}

}  // namespace nd::cuda
