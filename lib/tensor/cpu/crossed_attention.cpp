// D-HAN's pooled attention where every article of a history meets every candidate, forwards only (ops.inc).
//
// Most of a block is the same for all candidates or for all articles. With the tokens of an article and a user summed
// up once, a candidate adds one key to each of their rows; its own row sees all of them. All scores between the two
// sides are products of matrices with the candidates as columns, so that what is done to a score is done to sixteen
// candidates at a time. Rows that are to be normalised are made of parts whose mean was taken away before, which leaves
// the variance to find.
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kMostVectors = 8;

// Matrices in memory of a thread that is kept for the next call.
class Room {
 public:
  explicit Room(std::vector<float>& memory) : memory_(memory) {}
  // All at once: later calls would move the earlier ones.
  void take(std::initializer_list<Mat*> mats) {
    int64_t all = 0;
    for (const Mat* m : mats) all += padded(*m);
    float* at = aligned(memory_, all);
    for (Mat* m : mats) m->data = std::exchange(at, at + padded(*m));
  }

 private:
  static int64_t padded(const Mat& m) { return (m.size() + kLanes - 1) / kLanes * kLanes; }
  std::vector<float>& memory_;
};
Mat shape(int64_t rows, int64_t cols) { return {nullptr, rows, cols}; }

// to = x + more - its mean; more may be null
template <int V>
void centre(const float* x, const float* more, float* to) {
  Lanes row[V], total = 0.0f;
  unrolled<V>([&](auto v) {
    row[v] = load(x + v * kLanes);
    if (more) row[v] = row[v] + load(more + v * kLanes);
    total = total + row[v];
  });
  const Lanes mean = sum(total) / static_cast<float>(V * kLanes);
  unrolled<V>([&](auto v) { store(to + v * kLanes, row[v] - mean); });
}

// sum += weight * norm(row), where row's mean is 0
template <int V>
[[gnu::always_inline]] inline void add_normalised(const Lanes (&row)[V], float weight, Lanes (&sums)[V]) {
  Lanes square = 0.0f;
  unrolled<V>([&](auto v) { square = fma(row[v], row[v], square); });
  const Lanes factor = weight / std::sqrt(sum(square) / static_cast<float>(V * kLanes) + kEpsilon);
  unrolled<V>([&](auto v) { sums[v] = fma(factor, row[v], sums[v]); });
}

// z = gamma sums + pool_sum beta + pool_bias
template <int V>
void finish(const StackAttention& a, float pool_sum, const Lanes (&sums)[V], float* z) {
  unrolled<V>([&](auto v) {
    const int64_t c = v * kLanes;
    store(z + c, fma(load(a.gamma.data + c), sums[v], fma(pool_sum, load(a.beta.data + c), a.pool_bias.data[0])));
  });
}

float pool_sum(const StackAttention& a) {
  float all = 0;
  for (int64_t t = 0; t < a.pool.rows; ++t) all += a.pool.data[t];
  return all;
}

// columns(c) of m, item by item; m is (n, columns).
template <class Row>
void transpose(int64_t items, const Row& row, const Mat& m) {
  for (int64_t i0 = 0; i0 < items; i0 += kLanes)
    for (int64_t l0 = 0; l0 < m.rows; l0 += kLanes)
      for (int64_t i = i0; i < std::min(items, i0 + kLanes); ++i) {
        const float* const from = row(i);
        for (int64_t l = l0; l < l0 + kLanes; ++l) m.row(l)[i] = from[l];
      }
}

// --- Tokens of an article, a candidate, a user ---

template <int V>
void crossed(const StackAttention& a, Mat z) {
  static thread_local std::vector<float> memory, packed_query, packed_key;
  const int64_t n = V * kLanes, height = a.height, T = height + 1, L = a.of.items, C = a.extra_of[0].items;
  const Tokens &asked = a.extra[0], &user = a.extra[1];
  const auto of = [&](const Mat& m, int64_t c) { return m.row(a.extra_of[0].row_of(c)); };
  Mat query_t = shape(n, C), key_t = shape(n, C), self = shape(1, C), value = shape(C, n), x = shape(C, n);
  Room(memory).take({&query_t, &key_t, &self, &value, &x});
  transpose(
      C, [&](int64_t c) { return of(asked.query, c); }, query_t);
  transpose(
      C, [&](int64_t c) { return of(asked.key, c); }, key_t);
  for (int64_t c = 0; c < C; ++c) {
    self.data[c] = dot(of(asked.query, c), of(asked.key, c), n);
    centre<V>(of(asked.value, c), nullptr, value.row(c));
    centre<V>(of(asked.x, c), a.bias.data, x.row(c));
  }
  const Right query_p = pack(query_t, packed_query), key_p = pack(key_t, packed_key);
  const float pools = pool_sum(a), scale = a.scale;

  parallel_for(L, [&](int64_t l) {
    static thread_local std::vector<float> own_memory;
    // Rows of the article's tokens and the user's: x, what they see of each other (mean of values), queries, keys,
    // values; the logarithm of the sum their softmax divides by; scores with candidates, both ways.
    Mat base = shape(T, n), mean = shape(T, n), query = shape(T, n), key = shape(T, n), values = shape(T, n);
    Mat weight = shape(T, T), log_sum = shape(1, T), there = shape(T, C), back = shape(T, C);
    Mat kept = shape(T, C), mine = shape(1, C), seen = shape(C, n);
    Room(own_memory).take({&base, &mean, &query, &key, &values, &weight, &log_sum, &there, &back, &kept, &mine, &seen});
    const int64_t first = a.of.row_of(l) * height, who = a.extra_of[1].row_of(0);
    for (int64_t t = 0; t < T; ++t) {
      const Tokens& from = t < height ? a.stack : user;
      const int64_t row = t < height ? first + t : who;
      centre<V>(from.x.row(row), a.bias.data, base.row(t));
      centre<V>(from.value.row(row), nullptr, values.row(t));
      copy_row(from.query.row(row), n, query.row(t));
      copy_row(from.key.row(row), n, key.row(t));
    }
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t s = 0; s < T; ++s) weight.row(t)[s] = dot(query.row(t), key.row(s), n);
      log_sum.data[t] = softmax(weight.row(t), T, scale, weight.row(t));
      weighted_sum(
          0, T, [&](int64_t s) { return Lanes(weight.row(t)[s]); }, [&](int64_t s) { return values.row(s); }, n, false,
          mean.row(t));
    }
    product(query, key_p, {}, false, there);
    product(key, query_p, {}, false, back);
    for (int64_t c = 0; c < C; c += kLanes) {
      const int64_t lanes = std::min(C - c, kLanes);
      // e^s beside e^log_sum, as shares of both; neither exponential is ever large.
      for (int64_t t = 0; t < T; ++t) {
        const Lanes d = fma(load(there.row(t) + c, lanes), scale, -log_sum.data[t]), e = exp(-absolute(d));
        const Lanes larger = 1.0f / (1.0f + e), smaller = e * larger;
        store(there.row(t) + c, where_less(d, 0.0f, smaller, larger), lanes);
        store(kept.row(t) + c, where_less(d, 0.0f, larger, smaller), lanes);
      }
      const Lanes own = load(self.data + c, lanes);
      Lanes most = own;
      for (int64_t t = 0; t < T; ++t) {
        const Lanes s = load(back.row(t) + c, lanes);
        most = where_less(most, s, s, most);
      }
      const Lanes by_self = exp((own - most) * scale);
      Lanes total = by_self;
      for (int64_t t = 0; t < T; ++t) {
        const Lanes e = exp((load(back.row(t) + c, lanes) - most) * scale);
        total = total + e;
        store(back.row(t) + c, e, lanes);
      }
      const Lanes inverse = 1.0f / total;
      store(mine.data + c, by_self * inverse, lanes);
      for (int64_t t = 0; t < T; ++t) store(back.row(t) + c, load(back.row(t) + c, lanes) * inverse, lanes);
    }
    outer_products(back, nullptr, 0, values, 0, C, false, seen, T, T);
    for (int64_t c = 0; c < C; ++c) {
      Lanes v[V], sums[V], row[V];
      unrolled<V>([&](auto i) {
        v[i] = load(value.row(c) + i * kLanes);
        const Lanes share = fma(mine.data[c], v[i], load(seen.row(c) + i * kLanes));
        row[i] = share + load(x.row(c) + i * kLanes);
        sums[i] = 0.0f;
      });
      add_normalised<V>(row, a.pool.data[height], sums);
      for (int64_t t = 0; t < T; ++t) {
        const Lanes there_c = there.row(t)[c], kept_c = kept.row(t)[c];
        unrolled<V>([&](auto i) {
          row[i] = fma(kept_c, load(mean.row(t) + i * kLanes), fma(there_c, v[i], load(base.row(t) + i * kLanes)));
        });
        add_normalised<V>(row, a.pool.data[t < height ? t : height + 1], sums);
      }
      finish<V>(a, pools, sums, z.row(c * L + l));
    }
  });
}

// --- Tokens that are sums of an article's and a candidate's ---

template <int V>
void joined(const StackAttention& a, Mat z) {
  static thread_local std::vector<float> memory, packed_query, packed_key;
  const int64_t n = V * kLanes, E = a.height, L = a.of.items, C = a.extra_of[0].items;
  const Tokens& asked = a.extra[0];
  const auto of = [&](const Mat& m, int64_t e, int64_t c) { return m.row(a.extra_of[0].row_of(c) * E + e); };
  // Columns e * C + c of the transposed, rows c * E + e of the others.
  Mat query_t = shape(n, E * C), key_t = shape(n, E * C), self = shape(E * E, C);
  Mat value = shape(C * E, n), x = shape(C * E, n);
  Room(memory).take({&query_t, &key_t, &self, &value, &x});
  transpose(
      E * C, [&](int64_t i) { return of(asked.query, i / C, i % C); }, query_t);
  transpose(
      E * C, [&](int64_t i) { return of(asked.key, i / C, i % C); }, key_t);
  for (int64_t c = 0; c < C; c += kLanes) {
    const int64_t lanes = std::min(C - c, kLanes);
    for (int64_t i = 0; i < E; ++i)
      for (int64_t j = 0; j < E; ++j) {
        Lanes total = 0.0f;
        for (int64_t k = 0; k < n; ++k)
          total = fma(load(query_t.row(k) + i * C + c, lanes), load(key_t.row(k) + j * C + c, lanes), total);
        store(self.row(i * E + j) + c, total, lanes);
      }
  }
  for (int64_t c = 0; c < C; ++c)
    for (int64_t e = 0; e < E; ++e) {
      centre<V>(of(asked.value, e, c), nullptr, value.row(c * E + e));
      centre<V>(of(asked.x, e, c), a.bias.data, x.row(c * E + e));
    }
  const Right query_p = pack(query_t, packed_query), key_p = pack(key_t, packed_key);
  const float pools = pool_sum(a), scale = a.scale;

  parallel_for(L, [&](int64_t l) {
    static thread_local std::vector<float> own_memory;
    Mat base = shape(E, n), values = shape(E, n), there = shape(E, E * C), back = shape(E, E * C);
    Mat weight = shape(E * E, C), both = shape(E, n);
    Room(own_memory).take({&base, &values, &there, &back, &weight, &both});
    const int64_t first = a.of.row_of(l) * E;
    const Mat query{a.stack.query.row(first), E, n}, key{a.stack.key.row(first), E, n};
    for (int64_t e = 0; e < E; ++e) {
      centre<V>(a.stack.x.row(first + e), nullptr, base.row(e));
      centre<V>(a.stack.value.row(first + e), nullptr, values.row(e));
    }
    product(query, key_p, {}, false, there);
    product(key, query_p, {}, false, back);
    for (int64_t i = 0; i < E; ++i) {
      for (int64_t j = 0; j < E; ++j) {
        const Lanes own = dot(query.row(i), key.row(j), n);
        for (int64_t c = 0; c < C; c += kLanes) {
          const int64_t lanes = std::min(C - c, kLanes);
          const Lanes crossing = load(there.row(i) + j * C + c, lanes) + load(back.row(j) + i * C + c, lanes);
          store(weight.row(i * E + j) + c, own + crossing + load(self.row(i * E + j) + c, lanes), lanes);
        }
      }
      for (int64_t c = 0; c < C; c += kLanes) {
        const int64_t lanes = std::min(C - c, kLanes);
        const auto at = [&](int64_t j) { return weight.row(i * E + j) + c; };
        Lanes most = load(at(0), lanes), total = 0.0f;
        for (int64_t j = 1; j < E; ++j) {
          const Lanes s = load(at(j), lanes);
          most = where_less(most, s, s, most);
        }
        for (int64_t j = 0; j < E; ++j) {
          const Lanes e = exp((load(at(j), lanes) - most) * scale);
          total = total + e;
          store(at(j), e, lanes);
        }
        const Lanes inverse = 1.0f / total;
        for (int64_t j = 0; j < E; ++j) store(at(j), load(at(j), lanes) * inverse, lanes);
      }
    }
    for (int64_t c = 0; c < C; ++c) {
      for (int64_t i = 0; i < E * n; i += kLanes)
        store(both.data + i, load(values.data + i) + load(value.row(c * E) + i));
      Lanes sums[V];
      unrolled<V>([&](auto v) { sums[v] = 0.0f; });
      for (int64_t i = 0; i < E; ++i) {
        Lanes row[V];
        unrolled<V>([&](auto v) { row[v] = load(base.row(i) + v * kLanes) + load(x.row(c * E + i) + v * kLanes); });
        for (int64_t j = 0; j < E; ++j) {
          const Lanes w = weight.row(i * E + j)[c];
          unrolled<V>([&](auto v) { row[v] = fma(w, load(both.row(j) + v * kLanes), row[v]); });
        }
        add_normalised<V>(row, a.pool.data[i], sums);
      }
      finish<V>(a, pools, sums, z.row(c * L + l));
    }
  });
}

// f.operator()<V>() for rows of V sixteens.
template <class F>
void with_width(int64_t n, F&& f) {
  switch (n / kLanes) {
    case 1:
      return f.template operator()<1>();
    case 2:
      return f.template operator()<2>();
    case 3:
      return f.template operator()<3>();
    case 4:
      return f.template operator()<4>();
    case 5:
      return f.template operator()<5>();
    case 6:
      return f.template operator()<6>();
    case 7:
      return f.template operator()<7>();
    default:
      return f.template operator()<kMostVectors>();
  }
}

// f(instance's part of a, its rows of z) for every instance.
template <class F>
void each_instance(const StackAttention& a, std::span<const int64_t> pair, const Mat& z, F&& f) {
  const auto instances = static_cast<int64_t>(pair.size()) - 1;
  const auto part = [](const Index& index, int64_t begin, int64_t items) -> Index {
    return {items, index.rows, index.row + begin};
  };
  parallel_for(instances, [&](int64_t i) {
    const int64_t L = a.of.items / instances, pairs = pair[i + 1] - pair[i];
    StackAttention own = a;
    own.of = part(a.of, i * L, L);
    own.extra_of[0] = part(a.extra_of[0], pair[i], pairs);
    if (a.extras == 2) own.extra_of[1] = part(a.extra_of[1], i, 1);
    f(own, {z.row(pair[i] * L), pairs * L, z.cols});
  });
}

}  // namespace

void crossed_attention(const StackAttention& a, std::span<const int64_t> pair, Mat z) {
  with_width(z.cols, [&]<int V>() { each_instance(a, pair, z, crossed<V>); });
}
void joined_attention(const StackAttention& a, std::span<const int64_t> pair, Mat z) {
  with_width(z.cols, [&]<int V>() { each_instance(a, pair, z, joined<V>); });
}

}  // namespace nd::cpu
