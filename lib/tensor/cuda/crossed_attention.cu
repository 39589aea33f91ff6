// D-HAN's pooled attention where every article of a history meets every candidate, forwards only (ops.inc).
//
// crossed_attention: an article's tokens and its reader's see each other once, whatever the candidate; a candidate then
// adds one key to each of their rows and a row of its own. Rows are sums of parts whose mean was taken away before,
// which leaves the variance to find. One warp an article and a candidate: with T = 21 tokens of n = 64 numbers 9 T n =
// 12 thousand multiply-adds and 28 T n = 38 KB read through the L1 cache, where the warps of one article meet. On an
// H100 (128 bytes a clock in each of 132 SMs) the reads are the limit: 1.3 ns a pair, unproven.
//
// joined_attention: tokens are sums of two, so few (5 in D-HAN) that each warp makes them anew. 8 E n numbers come in
// and E (2 E + 7) n = 5 thousand operations are done.
#include <span>

#include "lib/tensor/cuda/block.h"
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/math.h"

namespace nd::cuda {
namespace {

// The warps' items: instance by instance, article by article, candidate by candidate.
struct Crossing {
  const int64_t* first_pair;  // [instances + 1], on the device
  int64_t instances, length;  // articles an instance

  struct Item {
    int64_t article, pair, row;  // of all articles, of all pairs, of z
  };
  constexpr Item operator()(int64_t at) const {
    int64_t begin = 0, end = instances;  // the last instance that begins here or earlier
    while (end - begin > 1) {
      const int64_t middle = (begin + end) / 2;
      if (first_pair[middle] * length <= at) begin = middle;
      else end = middle;
    }
    const int64_t first = first_pair[begin], pairs = first_pair[begin + 1] - first, own = at - first * length;
    const int64_t l = own / pairs, pair = first + own % pairs;
    return {begin * length + l, pair, pair * length + l};
  }
};
Crossing crossing(Call& call, const StackAttention& a, std::span<const int64_t> first_pair) {
  const auto instances = static_cast<int64_t>(first_pair.size()) - 1;
  return {call.in(first_pair), instances, instances > 0 ? a.of.items / instances : 0};
}

// z = gamma sums + pool_sum beta + pool_bias
struct Pooling {
  Mat gamma, beta, pool, pool_bias;
  explicit Pooling(const StackAttention& a) : gamma(a.gamma), beta(a.beta), pool(a.pool), pool_bias(a.pool_bias) {}
  ND_KERNEL void operator()(const Warp& team, const float* sums, float* z) const {
    const float all = team.sum(pool.rows, [&](int64_t t) { return pool.data[t]; });
    team.each(gamma.cols,
              [&](int64_t c) { z[c] = fmaf(gamma.data[c], sums[c], fmaf(all, beta.data[c], pool_bias.data[0])); });
  }
};

// What every row of a candidates' table has of its own.
struct Asked {
  Mat query, key, value, x, self;  // values and x with the bias, both centred; self: query · key
};
Asked asked_rows(Call& call, const Tokens& from, const Mat& bias) {
  const int64_t rows = from.x.rows, n = from.x.cols;
  const Asked to{from.query, from.key, call.scratch(rows, n), call.scratch(rows, n), call.scratch(rows, 1)};
  teams<kWarp>(rows, 0, [=] ND_KERNEL(const Warp& team, int64_t r) {
    const float *const x = from.x.row(r), *const value = from.value.row(r);
    const float self = team.sum(n, [&](int64_t c) { return from.query.row(r)[c] * from.key.row(r)[c]; });
    const float x_mean = team.sum(n, [&](int64_t c) { return x[c] + bias.data[c]; }) / static_cast<float>(n);
    const float value_mean = team.sum(n, [&](int64_t c) { return value[c]; }) / static_cast<float>(n);
    team.each(n, [&](int64_t c) {
      to.x.row(r)[c] = x[c] + bias.data[c] - x_mean;
      to.value.row(r)[c] = value[c] - value_mean;
    });
    team.each(1, [&](int64_t) { to.self.data[r] = self; });
  });
  return to;
}

// What every article of an instance has with its reader, row article * T + t: x with the bias and values, both centred;
// the mean of the values that a row sees; queries and keys with the tokens as columns, row article * n + c; the
// logarithm of what the row's softmax divides by.
struct Read {
  Mat x, value, mean, query, key, log_sum;
};
Read read_articles(Call& call, const StackAttention& a, int64_t length) {
  const int64_t height = a.height, T = height + 1, n = a.gamma.cols, articles = a.of.items;
  const auto rows = [&] { return call.scratch(articles * T, n); };
  const auto columns = [&] { return call.scratch(articles * n, T); };
  const Read to{rows(), rows(), rows(), columns(), columns(), call.scratch(articles, T)};
  const Index of = call.in(a.of), user_of = call.in(a.extra_of[1]);
  const Tokens stack = a.stack, user = a.extra[1];
  const Mat bias = a.bias;
  const float scale = a.scale;
  const Room<kBlock> room(call, T * T + 2 * T, articles);
  teams<kBlock>(articles, room.shared, [=] ND_KERNEL(const Block& team, int64_t l) {
    float *const weight = room.of(team, l), *const x_mean = weight + T * T, *const value_mean = x_mean + T;
    float *const x = to.x.row(l * T), *const value = to.value.row(l * T);
    const auto row = [&](const Mat& of_stack, const Mat& of_user, int64_t t) {
      return t < height ? of_stack.row(of.row_of(l) * height + t) : of_user.row(user_of.row_of(l / length));
    };
    team.each(T, [&](int64_t t) {
      x_mean[t] = (sum_of(row(stack.x, user.x, t), n) + sum_of(bias.data, n)) / static_cast<float>(n);
      value_mean[t] = sum_of(row(stack.value, user.value, t), n) / static_cast<float>(n);
    });
    team.each(T * n, [&](int64_t k) {
      const int64_t t = k / n, c = k % n;
      x[k] = row(stack.x, user.x, t)[c] + bias.data[c] - x_mean[t];
      value[k] = row(stack.value, user.value, t)[c] - value_mean[t];
      to.query.row(l * n + c)[t] = row(stack.query, user.query, t)[c];
      to.key.row(l * n + c)[t] = row(stack.key, user.key, t)[c];
    });
    team.each(T * T, [&](int64_t k) {
      weight[k] = dot(row(stack.query, user.query, k / T), row(stack.key, user.key, k % T), n);
    });
    team.each(T, [&](int64_t t) { to.log_sum.row(l)[t] = softmax(weight + t * T, T, scale); });
    team.each(T * n, [&](int64_t k) {
      float sum = 0;
      for (int64_t s = 0; s < T; ++s) sum = fmaf(weight[k / n * T + s], value[s * n + k % n], sum);
      to.mean.row(l * T)[k] = sum;
    });
  });
  return to;
}

}  // namespace

void crossed_attention(const StackAttention& a, std::span<const int64_t> first_pair, Mat z) {
  Call call;
  const Crossing cross = crossing(call, a, first_pair);
  const Asked asked = asked_rows(call, a.extra[0], a.bias);
  const Read read = read_articles(call, a, cross.length);
  const Index asked_of = call.in(a.extra_of[0]);
  const Pooling pooling(a);
  const int64_t T = a.height + 1, n = z.cols;
  const float scale = a.scale;
  const Room<kWarp> room(call, 3 * T + 1 + 2 * n, z.rows);
  teams<kWarp>(z.rows, room.shared, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const auto item = cross(at);
    const int64_t c = asked_of.row_of(item.pair), l = item.article;
    // Shares of the candidate in the tokens' rows and of what they saw before; the shares in the candidate's own row.
    float *const there = room.of(team, at), *const kept = there + T, *const back = kept + T, *const own = back + T + 1,
                 *const sums = own + n;
    team.each(2 * T, [&](int64_t i) {
      const int64_t t = i % T;
      const float *const column = (i < T ? read.query : read.key).row(l * n) + t, *const of_candidate =
                                                                                      (i < T ? asked.key : asked.query)
                                                                                          .row(c);
      float s = 0;
      for (int64_t k = 0; k < n; ++k) s = fmaf(column[k * T], of_candidate[k], s);
      if (i < T) {
        // e^s beside e^log_sum, as shares of both.
        const float d = fmaf(s, scale, -read.log_sum.row(l)[t]);
        there[t] = sigmoid(d);
        kept[t] = sigmoid(-d);
      } else {
        back[t] = s;
      }
    });
    team.each(1, [&](int64_t) { back[T] = asked.self.data[c]; });
    const float most = team.max(T + 1, [&](int64_t t) { return back[t]; });
    const float total = team.sum(T + 1, [&](int64_t t) { return expf((back[t] - most) * scale); });
    team.each(T + 1, [&](int64_t t) { back[t] = expf((back[t] - most) * scale) / total; });

    const float* const v = asked.value.row(c);
    team.each(n, [&](int64_t k) {
      float row = fmaf(back[T], v[k], asked.x.row(c)[k]);
      for (int64_t t = 0; t < T; ++t) row = fmaf(back[t], read.value.row(l * T + t)[k], row);
      own[k] = row;
      sums[k] = 0;
    });
    const auto add_normalised = [&](float weight, auto&& row) {
      const float square = team.sum(n, [&](int64_t k) { return row(k) * row(k); });
      const float factor = weight / sqrtf(square / static_cast<float>(n) + kEpsilon);
      team.each(n, [&](int64_t k) { sums[k] = fmaf(factor, row(k), sums[k]); });
    };
    add_normalised(pooling.pool.data[T - 1], [&](int64_t k) { return own[k]; });
    for (int64_t t = 0; t < T; ++t) {
      const float *const x = read.x.row(l * T + t), *const mean = read.mean.row(l * T + t);
      add_normalised(pooling.pool.data[t < T - 1 ? t : T],
                     [&](int64_t k) { return fmaf(kept[t], mean[k], fmaf(there[t], v[k], x[k])); });
    }
    pooling(team, sums, z.row(item.row));
  });
}

void joined_attention(const StackAttention& a, std::span<const int64_t> first_pair, Mat z) {
  Call call;
  const Crossing cross = crossing(call, a, first_pair);
  const Index of = call.in(a.of), asked_of = call.in(a.extra_of[0]);
  const Tokens stack = a.stack, asked = a.extra[0];
  const Mat bias = a.bias;
  const Pooling pooling(a);
  const int64_t E = a.height, n = z.cols;
  const float scale = a.scale;
  const Room<kWarp> room(call, E * E + (E + 1) * n, z.rows);
  teams<kWarp>(z.rows, room.shared, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const auto item = cross(at);
    const int64_t mine = of.row_of(item.article) * E, others = asked_of.row_of(item.pair) * E;
    float *const weight = room.of(team, at), *const rows = weight + E * E, *const sums = rows + E * n;
    team.each(E * E, [&](int64_t k) {
      const float *const q1 = stack.query.row(mine + k / E), *const q2 = asked.query.row(others + k / E),
                         *const k1 = stack.key.row(mine + k % E), *const k2 = asked.key.row(others + k % E);
      float s = 0;
      for (int64_t c = 0; c < n; ++c) s = fmaf(q1[c] + q2[c], k1[c] + k2[c], s);
      weight[k] = s;
    });
    team.each(E, [&](int64_t e) { softmax(weight + e * E, E, scale); });
    team.each(E * n, [&](int64_t k) {
      const int64_t e = k / n, c = k % n;
      float row = stack.x.row(mine + e)[c] + asked.x.row(others + e)[c] + bias.data[c];
      for (int64_t j = 0; j < E; ++j)
        row = fmaf(weight[e * E + j], stack.value.row(mine + j)[c] + asked.value.row(others + j)[c], row);
      rows[k] = row;
    });
    team.each(n, [&](int64_t c) { sums[c] = 0; });
    for (int64_t e = 0; e < E; ++e) {
      const float* const row = rows + e * n;
      const float mean = team.sum(n, [&](int64_t c) { return row[c]; }) / static_cast<float>(n);
      const float square = team.sum(n, [&](int64_t c) { return (row[c] - mean) * (row[c] - mean); });
      const float factor = pooling.pool.data[e] / sqrtf(square / static_cast<float>(n) + kEpsilon);
      team.each(n, [&](int64_t c) { sums[c] = fmaf(factor, row[c] - mean, sums[c]); });
    }
    pooling(team, sums, z.row(item.row));
  });
}

}  // namespace nd::cuda
