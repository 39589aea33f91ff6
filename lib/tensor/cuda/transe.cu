// TransE: the loss of a batch and its gradients, steps on the rows it touched, and L1 distances for ranking.
//
// One warp finds the distance of a triple to a replacement, one warp a triple's slopes; gradients are then gathered
// number by number, each as a sum in the order of its triples or replacements. So every triple and replacement of n
// numbers costs three passes over two rows, 9 n operations and 24 n bytes through the L1 cache, where a chunk's
// replacements meet: on an H100 the reads are the limit, 0.1 ns of n = 128. Unproven.
#include <algorithm>
#include <vector>

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/runs.h"

namespace nd::cuda {
namespace {

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

// f(place in the table, Σ sign g over the run's items) for every number of every run.
template <class Step>
void each_run(Call& call, const Mat& g, const float* sign, const Index& runs, const int32_t* row, const Step& step) {
  const Index of = call.in(runs);
  const int32_t* const row_of = call.in(row, runs.rows);
  int64_t signed_items = 0;  // as many as the runs name
  for (int64_t p = 0; sign && p < runs.items; ++p) signed_items = std::max<int64_t>(signed_items, runs.item_at(p) + 1);
  const float* const signs = call.in(sign, signed_items);
  const int64_t n = g.cols;
  sums_of_runs(
      call, of, n,
      [=] ND_KERNEL(float sum, int64_t item, int64_t k) {
        return signs ? fmaf(signs[item], g.row(item)[k], sum) : sum + g.row(item)[k];
      },
      [=] ND_KERNEL(int64_t r, int64_t k, float sum) { step(row_of[r] * n + k, sum); });
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
  std::vector<int32_t> chunk_numbers(static_cast<size_t>(triples));
  for (int64_t c = 0; c < chunks; ++c)
    std::fill(chunk_numbers.begin() + batch.chunk[static_cast<size_t>(c)],
              chunk_numbers.begin() + batch.chunk[static_cast<size_t>(c) + 1], static_cast<int32_t>(c));
  const int32_t* const chunk_of = call.in(chunk_numbers.data(), triples);

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
  uint8_t* const violated = call.bytes_like<uint8_t>(chunks);
  each(chunks, [=] ND_KERNEL(int64_t c) {
    bool any = false;
    for (int64_t i = chunk[c]; i < chunk[c + 1]; ++i) {
      any = any || pull[i] != 0;
      for (int64_t j = 0; j < drawn && !any; ++j) any = slope.row(i)[j] != 0;
    }
    violated[c] = any ? 1 : 0;
  });
  teams<kBlock>(1, 0, [=] ND_KERNEL(const Block& team, int64_t) {
    const float sum = team.sum(triples, [&](int64_t i) { return losses[i]; });
    team.each(1, [&](int64_t) { loss.data[0] = sum; });
  });
  if (chunks > 0) copy_to_host(used, violated, static_cast<size_t>(chunks));
}

void adam_rows(const AdamStep& step, const Mat& g, const float* sign, const Index& runs, const int32_t* row, Mat m,
               Mat v, Mat x) {
  Call call;
  const auto b1 = static_cast<float>(step.beta1), rest1 = static_cast<float>(1 - step.beta1);
  const auto b2 = static_cast<float>(step.beta2), rest2 = static_cast<float>(1 - step.beta2);
  const double root = std::sqrt(step.c2);
  const auto lr = static_cast<float>(step.lr * root / step.c1), epsilon = static_cast<float>(step.epsilon * root);
  each_run(call, g, sign, runs, row, [=] ND_KERNEL(int64_t at, float gradient) {
    const float m1 = fmaf(b1, m.data[at], rest1 * gradient), v1 = fmaf(b2, v.data[at], rest2 * gradient * gradient);
    m.data[at] = m1;
    v.data[at] = v1;
    x.data[at] -= lr * m1 / (sqrtf(v1) + epsilon);
  });
}

void sgd_rows(float lr, const Mat& g, const float* sign, const Index& runs, const int32_t* row, Mat x) {
  Call call;
  each_run(call, g, sign, runs, row,
           [=] ND_KERNEL(int64_t at, float gradient) { x.data[at] = fmaf(-lr, gradient, x.data[at]); });
}

void cap_rows(const int32_t* row, int64_t count, Mat x) {
  Call call;
  const int32_t* const row_of = call.in(row, count);
  teams<kWarp>(count, 0, [=] ND_KERNEL(const Warp& team, int64_t i) {
    float* const r = x.row(row_of[i]);
    const float square = team.sum(x.cols, [&](int64_t k) { return r[k] * r[k]; });
    team.each(x.cols, [&](int64_t k) { r[k] = square > 1 ? r[k] / sqrtf(square) : r[k]; });
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
