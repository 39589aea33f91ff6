// TransE: the loss of a batch and its gradients, steps on the rows it touched, and L1 distances for ranking.
//
// One warp finds the distance of a triple to a replacement, one warp a triple's slopes; gradients are then gathered
// number by number, each as a sum in the order of its triples or replacements. So every triple and replacement of n
// numbers costs three passes over two rows, 9 n operations and 24 n bytes through the L1 cache, where a chunk's
// replacements meet: on an H100 the reads are the limit, 0.1 ns of n = 128. Unproven.
#include <cmath>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/runs.h"

namespace nd::cuda {
namespace {

constexpr float kAdagradEpsilon = 1e-10f;
constexpr float kSmallestDistance = 1e-6f;  // of a Euclidean one: below it rounding decides, and 1 / d would explode

ND_KERNEL float distance(const Warp& team, bool l1, const float* a, const float* b, int64_t n) {
  const float sum = team.sum(n, [&](int64_t k) {
    const float x = a[k] - b[k];
    return l1 ? fabsf(x) : x * x;
  });
  return l1 ? sum : sqrtf(sum);
}

// ∂|q − e| / ∂q in one dimension, times the distance where the norm is the Euclidean one.
ND_KERNEL float direction(bool l1, float x) { return !l1 ? x : x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; }

// Four numbers of a row, read and written at once: rows are whole vectors of sixteen.
struct alignas(16) Four {
  float x[4];
};
ND_KERNEL Four& four_at(float* x) { return *reinterpret_cast<Four*>(x); }

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
          for (int i = 0; i < 4; ++i) part.sum.x[i] = fmaf(sign, g.x[i], part.sum.x[i]);
          part.used = true;
        }
        return part;
      },
      [] ND_KERNEL(int64_t, Part sum, const Part& next) {
        for (int i = 0; i < 4; ++i) sum.sum.x[i] += next.sum.x[i];
        sum.used = sum.used || next.used;
        return sum;
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
  const int32_t *const anchor = call.in(batch.anchor), *const relation_of = call.in(batch.relation),
                       *const answer = call.in(batch.answer), *const replacement = call.in(batch.replacement);
  const float* const sign = call.in(batch.sign);
  const int64_t* const chunk = call.in(batch.chunk);
  const Index by_chunk{triples, chunks, nullptr, chunk};
  int32_t* const chunk_of = call.bytes_like<int32_t>(triples);
  each(triples, [=] ND_KERNEL(int64_t i) { chunk_of[i] = static_cast<int32_t>(run_with(by_chunk, i)); });

  // First the distances, then in their place the slopes by them, divided by the distance where the norm is the
  // Euclidean one.
  const Mat query = call.scratch(triples, n), slope = call.scratch(triples, drawn);
  float *const pull = call.scratch(triples), *const losses = call.scratch(triples);
  each(query.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t i = at / n, k = at % n;
    query.data[at] = fmaf(sign[i], relation.row(relation_of[i])[k], entity.row(anchor[i])[k]);
  });
  teams<kWarp>(slope.size(), 0, [=] ND_KERNEL(const Warp& team, int64_t at) {
    const int64_t i = at / drawn, j = at % drawn;
    const float d = distance(team, form.l1, query.row(i), entity.row(replacement[chunk_of[i] * drawn + j]), n);
    const bool floored = !form.l1 && form.self_adversarial && d < kSmallestDistance;
    team.each(1, [&](int64_t) { slope.data[at] = floored ? kSmallestDistance : d; });
  });
  teams<kWarp>(triples, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    float* const s = slope.row(i);
    const auto by_distance = [&](float x, float d) { return form.l1 ? x : d > 0 ? x / d : 0.0f; };
    const float d = distance(team, form.l1, query.row(i), entity.row(answer[i]), n);
    float value, of_answer;
    if (form.self_adversarial) {
      const float least = -team.max(drawn, [&](int64_t j) { return -s[j]; });
      const float total = team.sum(drawn, [&](int64_t j) { return expf(form.temperature * (least - s[j])); });
      value = team.sum(drawn, [&](int64_t j) {
        return expf(form.temperature * (least - s[j])) / total * softplus(form.margin - s[j]);
      });
      team.each(drawn, [&](int64_t j) {
        const float e = s[j], p = expf(form.temperature * (least - e)) / total;
        s[j] = by_distance(-p * sigmoid(form.margin - e), e);
      });
      value += softplus(d - form.margin);
      of_answer = sigmoid(d - form.margin);
    } else {
      const float share = 1.0f / static_cast<float>(drawn);
      value = share * team.sum(drawn, [&](int64_t j) { return relu(form.margin + d - s[j]); });
      of_answer = team.sum(drawn, [&](int64_t j) { return form.margin + d - s[j] > 0 ? share : 0.0f; });
      team.each(drawn, [&](int64_t j) {
        const float e = s[j];
        s[j] = form.margin + d - e > 0 ? by_distance(-share, e) : 0.0f;
      });
    }
    team.each(1, [&](int64_t) {
      losses[i] = value;
      pull[i] = by_distance(of_answer, d);
    });
  });

  each(dquery.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t i = at / n, k = at % n;
    const int32_t* const replaced = replacement + chunk_of[i] * drawn;
    const float q = query.data[at], g = pull[i] * direction(form.l1, q - entity.row(answer[i])[k]);
    float sum = g;
    for (int64_t j = 0; j < drawn; ++j)
      sum = fmaf(slope.row(i)[j], direction(form.l1, q - entity.row(replaced[j])[k]), sum);
    dquery.data[at] = sum;
    danswer.data[at] = -g;
  });
  each(dreplacement.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t row = at / n, k = at % n, c = row / drawn, j = row % drawn;
    const float e = entity.row(replacement[row])[k];
    float sum = 0;
    for (int64_t i = chunk[c]; i < chunk[c + 1]; ++i)
      sum = fmaf(-slope.row(i)[j], direction(form.l1, query.row(i)[k] - e), sum);
    dreplacement.data[at] = sum;
  });

  // Every gradient is written, but a chunk without a violation says so: its rows then need no step.
  uint8_t* const is_used = call.out(used);
  teams<kWarp>(chunks, 0, [=] ND_KERNEL(const Warp& team, int64_t c) {
    const int64_t begin = chunk[c], size = chunk[c + 1] - begin;
    const float any = team.max(size * drawn, [&](int64_t at) {
      return pull[begin + at / drawn] != 0 || slope.row(begin)[at] != 0 ? 1.0f : 0.0f;
    });
    const uint8_t flag = any > 0 ? 1 : 0;
    team.each(size, [&](int64_t i) { is_used[begin + i] = is_used[triples + begin + i] = flag; });
    team.each(drawn, [&](int64_t j) { is_used[2 * triples + c * drawn + j] = flag; });
  });
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    const float sum = team.sum(triples, [&](int64_t i) { return losses[i]; });
    team.each(1, [&](int64_t) { loss.data[0] = sum; });
  });
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
      const float g = gradient.x[i];
      m1.x[i] = fmaf(b1, m1.x[i], rest1 * g);
      v1.x[i] = fmaf(b2, v1.x[i], rest2 * g * g);
      x1.x[i] -= lr * m1.x[i] / (sqrtf(v1.x[i]) + epsilon);
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
    for (int i = 0; i < 4; ++i) x1.x[i] = fmaf(-lr, gradient.x[i], x1.x[i]);
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
  each(c.size(), [=] ND_KERNEL(int64_t at) {
    const int64_t i = at / c.cols, j = at % c.cols;
    float sum = 0;
    for (int64_t l = 0; l < a.cols; ++l) sum += fabsf(a.row(i)[l] - b.row(l)[j]);
    c.data[at] = sum;
  });
}

}  // namespace nd::cuda
