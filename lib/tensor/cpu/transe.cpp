// TransE: the loss of a batch and its gradients, steps on the rows it touched, and L1 distances for ranking.
//
// Where many triples share their replacements under the Euclidean norm, distances come from one small product,
// |q − e|² = |q|² + |e|² − 2 q·e, and gradients from two more; a chunk of 64 x 64 with its rows stays in the L2 cache.
// Everything else goes pair by pair. Rows are whole vectors of sixteen (ops.inc).
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/math.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kTriplesPerBlock = 64;
constexpr int64_t kRowsPerBlock = 64;
constexpr float kAdagradEpsilon = 1e-10f;
constexpr float kSmallestSquare = 1e-12f;  // of a distance: below it rounding decides, and 1 / d would explode

Lanes sign_of(Lanes x) { return where_less(0.0f, x, 1.0f, where_less(x, 0.0f, -1.0f, 0.0f)); }

float distance(bool l1, const float* a, const float* b, int64_t width) {
  Lanes s = 0.0f;
  for (int64_t k = 0; k < width; k += kLanes) {
    const Lanes x = load(a + k) - load(b + k);
    s = l1 ? s + absolute(x) : fma(x, x, s);
  }
  return l1 ? sum(s) : std::sqrt(sum(s));
}

// Adds slope * ∂d/∂q to dq and slope * ∂d/∂e to de, d = |q − e|. At d = 0 the gradient is 0.
void add_gradient(bool l1, float slope, float d, const float* q, const float* e, int64_t width, float* dq, float* de) {
  if (!(d > 0)) return;
  const float scale = l1 ? slope : slope / d;
  for (int64_t k = 0; k < width; k += kLanes) {
    const Lanes x = load(q + k) - load(e + k), g = l1 ? sign_of(x) : x;
    store(dq + k, fma(scale, g, load(dq + k)));
    store(de + k, fma(-scale, g, load(de + k)));
  }
}

// The loss of one triple, and its slopes by the distance to the answer and by those to the replacements.
struct Slopes {
  float loss = 0;
  float answer = 0;  // 0: the loss is at its floor, and all slopes are 0
};

Slopes margin_slopes(const TranseLoss& form, float answer, const float* d, int64_t n, float* slope) {
  const float share = 1.0f / static_cast<float>(n);
  Lanes loss = 0.0f, violated = 0.0f;
  for (int64_t j = 0; j < n; j += kLanes) {
    const int64_t count = std::min(n - j, kLanes);
    const Lanes excess = keep(form.margin + answer - load(d + j, count), count);
    const Lanes one = where_less(0.0f, excess, share, 0.0f);
    loss = loss + relu(excess);
    violated = violated + one;
    store(slope + j, -one, count);
  }
  return {sum(loss) * share, sum(violated)};
}

Slopes self_adversarial_slopes(const TranseLoss& form, float answer, const float* d, int64_t n, float* slope) {
  const float nearest = *std::min_element(d, d + n);
  Lanes total = 0.0f;
  for (int64_t j = 0; j < n; j += kLanes) {
    const int64_t count = std::min(n - j, kLanes);
    const Lanes p = keep(exp(form.temperature * (nearest - load(d + j, count))), count);
    total = total + p;
    store(slope + j, p, count);
  }
  const float scale = 1 / sum(total);
  Lanes loss = 0.0f;
  for (int64_t j = 0; j < n; j += kLanes) {
    const int64_t count = std::min(n - j, kLanes);
    const Lanes p = load(slope + j, count) * scale, x = form.margin - load(d + j, count);
    loss = fma(p, softplus(x), loss);
    store(slope + j, -p * sigmoid(x), count);
  }
  const Lanes x = answer - form.margin;
  return {sum(loss) + first(softplus(x)), first(sigmoid(x))};
}

Slopes slopes_of(const TranseLoss& form, float answer, const float* d, int64_t n, float* slope) {
  return form.self_adversarial ? self_adversarial_slopes(form, answer, d, n, slope)
                               : margin_slopes(form, answer, d, n, slope);
}

// One thread's memory for one chunk.
struct Scratch {
  std::vector<float> query, replacement, distance, slope, square, column;
};

struct Chunk {
  const TranseLoss& form;
  const Mat& entity;
  const Mat& relation;
  const TranseBatch& batch;
  int64_t begin, end;                 // triples
  const int32_t* replacement;         // `drawn` entities
  Mat dquery, danswer, dreplacement;  // of this chunk

  int64_t size() const { return end - begin; }
  int64_t width() const { return entity.cols; }
  const float* answer(int64_t i) const { return entity.row(batch.answer[begin + i]); }
  void query(int64_t i, float* q) const {
    const float* anchor = entity.row(batch.anchor[begin + i]);
    const float* r = relation.row(batch.relation[begin + i]);
    const float sign = batch.sign[begin + i];
    for (int64_t k = 0; k < width(); k += kLanes) store(q + k, fma(sign, load(r + k), load(anchor + k)));
  }
  void clear_gradients() const {
    for (const Mat& m : {dquery, danswer, dreplacement}) std::fill_n(m.data, m.size(), 0.0f);
  }
};

// Returns the chunk's loss; `used` says whether its gradients were written.
double pair_by_pair(const Chunk& c, Scratch& s, bool& used) {
  const int64_t width = c.width(), n = c.batch.drawn;
  const bool l1 = c.form.l1;
  s.query.resize(width);
  s.distance.resize(n);
  s.slope.resize(n);
  double loss = 0;
  used = false;
  for (int64_t i = 0; i < c.size(); ++i) {
    c.query(i, s.query.data());
    const float d = distance(l1, s.query.data(), c.answer(i), width);
    for (int64_t j = 0; j < n; ++j) s.distance[j] = distance(l1, s.query.data(), c.entity.row(c.replacement[j]), width);
    const Slopes slopes = slopes_of(c.form, d, s.distance.data(), n, s.slope.data());
    loss += slopes.loss;
    if (slopes.answer == 0) continue;
    if (!used) c.clear_gradients();
    used = true;
    add_gradient(l1, slopes.answer, d, s.query.data(), c.answer(i), width, c.dquery.row(i), c.danswer.row(i));
    for (int64_t j = 0; j < n; ++j)
      if (s.slope[j] != 0)
        add_gradient(l1, s.slope[j], s.distance[j], s.query.data(), c.entity.row(c.replacement[j]), width,
                     c.dquery.row(i), c.dreplacement.row(j));
  }
  return loss;
}

// The same for the Euclidean norm by products. With b_ij = −slope_ij / d_ij (never negative) the gradients are
// dq_i = −(Σ_j b_ij) q_i + Σ_j b_ij e_j + the answer's, and de_j = −(Σ_i b_ij) e_j + Σ_i b_ij q_i.
double by_products(const Chunk& c, Scratch& s, bool& used) {
  const int64_t width = c.width(), m = c.size(), n = c.batch.drawn;
  s.query.resize(m * width);
  s.replacement.resize(n * width);
  s.distance.resize(m * n);
  s.slope.resize(m * n);
  s.square.resize(n);
  s.column.assign(n, 0.0f);
  const Mat q{s.query.data(), m, width}, e{s.replacement.data(), n, width}, d{s.distance.data(), m, n};
  const Mat b{s.slope.data(), m, n};
  for (int64_t i = 0; i < m; ++i) c.query(i, q.row(i));
  for (int64_t j = 0; j < n; ++j) {
    std::copy_n(c.entity.row(c.replacement[j]), width, e.row(j));
    s.square[j] = dot(e.row(j), e.row(j), width);
  }
  gemm_nt(q, e, false, d);

  double loss = 0;
  used = false;
  for (int64_t i = 0; i < m; ++i) {
    const float square = dot(q.row(i), q.row(i), width);
    for (int64_t j = 0; j < n; j += kLanes) {
      const int64_t count = std::min(n - j, kLanes);
      const Lanes squares = fma(-2.0f, load(d.row(i) + j, count), square + load(s.square.data() + j, count));
      store(d.row(i) + j, square_root(where_less(squares, kSmallestSquare, kSmallestSquare, squares)), count);
    }
    const float answer = distance(false, q.row(i), c.answer(i), width);
    const Slopes slopes = slopes_of(c.form, answer, d.row(i), n, b.row(i));
    loss += slopes.loss;
    used = used || slopes.answer != 0;
    Lanes total = 0.0f;
    for (int64_t j = 0; j < n; j += kLanes) {
      const int64_t count = std::min(n - j, kLanes);
      const Lanes x = keep(-load(b.row(i) + j, count) / load(d.row(i) + j, count), count);
      store(b.row(i) + j, x, count);
      store(s.column.data() + j, load(s.column.data() + j, count) + x, count);
      total = total + x;
    }
    const float all = sum(total), pull = answer > 0 ? slopes.answer / answer : 0.0f;
    for (int64_t k = 0; k < width; k += kLanes) {
      const Lanes x = load(q.row(i) + k), g = pull * (x - load(c.answer(i) + k));
      store(c.dquery.row(i) + k, fma(-all, x, g));
      store(c.danswer.row(i) + k, -g);
    }
  }
  if (!used) return loss;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t k = 0; k < width; k += kLanes) store(c.dreplacement.row(j) + k, -s.column[j] * load(e.row(j) + k));
  gemm(b, nullptr, e, {}, Activation::none, true, c.dquery);
  gemm_tn(b, nullptr, q, true, c.dreplacement);
  return loss;
}

// Which of the rows from `begin` to `end` have a gradient: their runs, in order.
int64_t rows_with_gradient(const RowGradients& gradients, int64_t begin, int64_t end, int64_t (&run)[kRowsPerBlock]) {
  const Index& runs = gradients.runs;
  int64_t count = 0;
  for (int64_t r = begin; r < end; ++r) {
    bool any = !gradients.used && runs.begin(r) < runs.end(r);
    for (int64_t p = runs.begin(r); p < runs.end(r) && !any; ++p) any = gradients.used[runs.item_at(p)] != 0;
    if (any) run[count++] = r;
  }
  return count;
}

// Calls step(row, gradient) for every row that has a gradient; gradient(k) is that of the sixteen columns from k. Rows
// lie anywhere in memory, so those of the next but one are asked for ahead.
template <class Step>
void each_gradient(const RowGradients& gradients, std::initializer_list<Mat> tables, Step step) {
  constexpr int64_t kAhead = 2;
  parallel_ranges(gradients.runs.rows, kRowsPerBlock, [&gradients, tables, step](int64_t begin, int64_t end) {
    int64_t run[kRowsPerBlock];
    const int64_t count = rows_with_gradient(gradients, begin, end, run), width = gradients.g.cols;
    const Index runs = gradients.runs;
    const int32_t* const row = gradients.row.data();
    const float *const sign = gradients.sign.data(), *const first = gradients.g.data;
    const uint8_t* const used = gradients.used;
    for (int64_t i = 0; i < count; ++i) {
      if (i + kAhead < count) {
        const int64_t later = run[i + kAhead];
        for (const Mat& table : tables) prefetch(table.row(row[later]), width);
        prefetch(first + runs.item_at(runs.begin(later)) * width, width);
      }
      const int64_t from = runs.begin(run[i]), to = runs.end(run[i]);
      step(row[run[i]], [=](int64_t k) {
        Lanes gradient = 0.0f;
        for (int64_t p = from; p < to; ++p) {
          const int64_t item = runs.item_at(p);
          if (used && used[item] == 0) continue;
          const Lanes x = load(first + item * width + k);
          gradient = sign ? fma(sign[item], x, gradient) : gradient + x;
        }
        return gradient;
      });
    }
  });
}

}  // namespace

void transe_loss(const TranseLoss& form, const Mat& entity, const Mat& relation, const TranseBatch& batch, Mat dquery,
                 Mat danswer, Mat dreplacement, uint8_t* used, Mat loss) {
  const int64_t chunks = batch.chunks(), triples = batch.triples(), width = entity.cols;
  const int64_t grain = std::max<int64_t>(1, kTriplesPerBlock * chunks / std::max<int64_t>(triples, 1));
  std::vector<double> losses(static_cast<size_t>(chunks));
  parallel_ranges(chunks, grain, [&](int64_t first, int64_t last) {
    static thread_local Scratch scratch;
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = batch.chunk[i], end = batch.chunk[i + 1];
      const Chunk chunk{form,
                        entity,
                        relation,
                        batch,
                        begin,
                        end,
                        batch.replacement.data() + i * batch.drawn,
                        {dquery.row(begin), end - begin, width},
                        {danswer.row(begin), end - begin, width},
                        {dreplacement.row(i * batch.drawn), batch.drawn, width}};
      bool gradients = false;
      losses[i] = form.l1 || end - begin == 1 ? pair_by_pair(chunk, scratch, gradients)
                                              : by_products(chunk, scratch, gradients);
      const uint8_t flag = gradients ? 1 : 0;
      std::fill(used + begin, used + end, flag);
      std::fill(used + triples + begin, used + triples + end, flag);
      std::fill_n(used + 2 * triples + i * batch.drawn, batch.drawn, flag);
    }
  });
  double total = 0;
  for (double x : losses) total += x;
  loss.data[0] = static_cast<float>(total);
}

void adam_rows(const AdamStep& step, const RowGradients& gradients, Mat m, Mat v, Mat x) {
  // lr (m / c1) / (sqrt(v / c2) + epsilon), with the bias corrections taken out of the loop.
  const auto b1 = static_cast<float>(step.beta1), rest1 = static_cast<float>(1 - step.beta1);
  const auto b2 = static_cast<float>(step.beta2), rest2 = static_cast<float>(1 - step.beta2);
  const double root = std::sqrt(step.c2);
  const auto lr = static_cast<float>(step.lr * root / step.c1), epsilon = static_cast<float>(step.epsilon * root);
  each_gradient(gradients, {m, v, x}, [=](int64_t row, auto&& gradient) {
    float *const ms = m.row(row), *const vs = v.row(row), *const xs = x.row(row);
    for (int64_t k = 0; k < x.cols; k += kLanes) {
      const Lanes g = gradient(k), m1 = fma(b1, load(ms + k), rest1 * g), v1 = fma(b2, load(vs + k), rest2 * g * g);
      store(ms + k, m1);
      store(vs + k, v1);
      store(xs + k, load(xs + k) - lr * m1 / (square_root(v1) + epsilon));
    }
  });
}

void adagrad_rows(float lr, int64_t dim, const RowGradients& gradients, Mat squares, Mat x) {
  each_gradient(gradients, {x}, [=](int64_t row, auto&& gradient) {
    static thread_local std::vector<float> all;
    all.resize(x.cols);
    for (int64_t k = 0; k < x.cols; k += kLanes) store(all.data() + k, gradient(k));
    float& square = squares.row(row)[0];
    square += dot(all.data(), all.data(), x.cols) / static_cast<float>(dim);
    const float rate = lr / (std::sqrt(square) + kAdagradEpsilon);
    float* const xs = x.row(row);
    for (int64_t k = 0; k < x.cols; k += kLanes) store(xs + k, fma(-rate, load(all.data() + k), load(xs + k)));
  });
}

void sgd_rows(float lr, const RowGradients& gradients, Mat x) {
  each_gradient(gradients, {x}, [=](int64_t row, auto&& gradient) {
    float* const xs = x.row(row);
    for (int64_t k = 0; k < x.cols; k += kLanes) store(xs + k, fma(-lr, gradient(k), load(xs + k)));
  });
}

void cap_rows(const RowGradients& gradients, Mat x) {
  parallel_ranges(gradients.runs.rows, kRowsPerBlock, [&](int64_t begin, int64_t end) {
    int64_t run[kRowsPerBlock];
    const int64_t count = rows_with_gradient(gradients, begin, end, run);
    for (int64_t i = 0; i < count; ++i) {
      float* r = x.row(gradients.row[run[i]]);
      const float square = dot(r, r, x.cols);
      if (square > 1)
        for (int64_t k = 0; k < x.cols; ++k) r[k] /= std::sqrt(square);
    }
  });
}

void l1_distances(const Mat& a, const Mat& b, Mat c) {
  constexpr int64_t kTileRows = 8;
  parallel_ranges(a.rows, kTileRows, [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    for (int64_t j = 0; j < b.cols; j += kVec) {
      Vec total[kTileRows] = {};
      for (int64_t l = 0; l < a.cols; ++l) {
        const Vec right = vec_load(b.row(l) + j);
        // A full tile has constant bounds, so that its sums stay in registers.
        if (rows == kTileRows)
          for (int64_t r = 0; r < kTileRows; ++r) total[r] += vec_absolute(a.row(begin + r)[l] - right);
        else
          for (int64_t r = 0; r < rows; ++r) total[r] += vec_absolute(a.row(begin + r)[l] - right);
      }
      for (int64_t r = 0; r < rows; ++r) vec_store(c.row(begin + r) + j, total[r]);
    }
  });
}

}  // namespace nd::cpu
