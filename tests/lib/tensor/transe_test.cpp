// The TransE operations against plain loops in double precision: losses, gradients by central differences, steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kDim = 5, kWidth = 16, kEntities = 40, kRelations = 3;

struct Floats {
  std::vector<float> values;
  Mat mat;
  Floats(int64_t rows, int64_t cols, float fill = 0)
      : values(static_cast<size_t>(rows * cols), fill), mat{values.data(), rows, cols} {}
  Floats(const Floats& other) : values(other.values), mat{values.data(), other.mat.rows, other.mat.cols} {}
};

// Random vectors of kDim numbers, padded with zeros.
Floats table(int64_t rows, uint64_t seed) {
  Floats t(rows, kWidth);
  const Random random(seed, "table");
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < kDim; ++k) t.mat.row(i)[k] = static_cast<float>(random.normal(k, i));
  return t;
}

struct Batch {
  std::vector<int32_t> anchor, relation, answer, replacement;
  std::vector<float> sign;
  std::vector<int64_t> chunk{0};
  int64_t drawn;

  // Chunks of these sizes; entities at random, so that some are used in several places.
  Batch(const std::vector<int64_t>& sizes, int64_t drawn, uint64_t seed) : drawn(drawn) {
    RandomSequence random(seed, "batch");
    for (const int64_t size : sizes) {
      for (int64_t i = 0; i < size; ++i) {
        anchor.push_back(static_cast<int32_t>(random.below(kEntities)));
        relation.push_back(static_cast<int32_t>(random.below(kRelations)));
        answer.push_back(static_cast<int32_t>(random.below(kEntities)));
        sign.push_back(random.below(2) ? 1.0f : -1.0f);
      }
      chunk.push_back(static_cast<int64_t>(anchor.size()));
      for (int64_t j = 0; j < drawn; ++j) replacement.push_back(static_cast<int32_t>(random.below(kEntities)));
    }
  }
  TranseBatch view() const { return {anchor, relation, sign, answer, chunk, replacement, drawn}; }
};

using Doubles = std::vector<double>;

// The same loss in double, term by term. `p` are the weights of the self-adversarial loss: filled when empty, else
// taken as they are, since they count as constants.
double reference_loss(const TranseLoss& form, const Doubles& entity, const Doubles& relation, const TranseBatch& batch,
                      Doubles& p) {
  const bool fill = p.empty();
  size_t next_p = 0;
  double total = 0;
  for (int64_t c = 0; c < batch.chunks(); ++c)
    for (int64_t i = batch.chunk[c]; i < batch.chunk[c + 1]; ++i) {
      const auto distance = [&](int32_t e) {
        double d = 0;
        for (int64_t k = 0; k < kWidth; ++k) {
          const double x = entity[batch.anchor[i] * kWidth + k] +
                           batch.sign[i] * relation[batch.relation[i] * kWidth + k] - entity[e * kWidth + k];
          d += form.l1 ? std::abs(x) : x * x;
        }
        return form.l1 ? d : std::sqrt(d);
      };
      const double answer = distance(batch.answer[i]);
      Doubles d;
      for (int64_t j = 0; j < batch.drawn; ++j) d.push_back(distance(batch.replacement[c * batch.drawn + j]));
      if (!form.self_adversarial) {
        for (const double x : d) total += std::max(0.0, form.margin + answer - x) / static_cast<double>(d.size());
        continue;
      }
      if (fill) {
        double sum = 0;
        for (const double x : d) sum += std::exp(-form.temperature * x);
        for (const double x : d) p.push_back(std::exp(-form.temperature * x) / sum);
      }
      total += std::log1p(std::exp(answer - form.margin));
      for (const double x : d) total += p[next_p++] * std::log1p(std::exp(form.margin - x));
    }
  return total;
}

struct Result {
  double loss;
  Floats query, answer, replacement;
  std::vector<uint8_t> used;                   // by row of query, answer and replacement, one after another
  Doubles entity_gradient, relation_gradient;  // summed per row
};

Result run(const TranseLoss& form, const Floats& entity, const Floats& relation, const TranseBatch& batch) {
  const int64_t n = batch.triples();
  Floats loss(1, 1);
  Result r{0, Floats(n, kWidth, 99), Floats(n, kWidth, 99), Floats(batch.chunks() * batch.drawn, kWidth, 99), {}, {},
           {}};
  r.used.assign(static_cast<size_t>(2 * n + batch.chunks() * batch.drawn), 7);
  ops::transe_loss(form, entity.mat, relation.mat, batch, r.query.mat, r.answer.mat, r.replacement.mat, r.used.data(),
                   loss.mat);
  r.loss = loss.values[0];
  r.entity_gradient.assign(kEntities * kWidth, 0);
  r.relation_gradient.assign(kRelations * kWidth, 0);
  const auto add = [&](bool used, Doubles& sum, int32_t row, float sign, const float* gradient) {
    for (int64_t k = 0; used && k < kWidth; ++k) sum[row * kWidth + k] += sign * gradient[k];
  };
  for (int64_t i = 0; i < n; ++i) {
    add(r.used[i], r.entity_gradient, batch.anchor[i], 1, r.query.mat.row(i));
    add(r.used[i], r.relation_gradient, batch.relation[i], batch.sign[i], r.query.mat.row(i));
    add(r.used[n + i], r.entity_gradient, batch.answer[i], 1, r.answer.mat.row(i));
  }
  for (int64_t j = 0; j < batch.chunks() * batch.drawn; ++j)
    add(r.used[2 * n + j], r.entity_gradient, batch.replacement[j], 1, r.replacement.mat.row(j));
  return r;
}

Doubles wide(const Floats& t) { return {t.values.begin(), t.values.end()}; }

const std::vector<std::vector<int64_t>> kLayouts = {{1, 1, 1, 1}, {6}, {4, 1, 7}};

TEST(TranseLoss, AgreesWithDoublesAndCentralDifferences) {
  const Floats entity = table(kEntities, 1), relation = table(kRelations, 2);
  uint64_t seed = 0;
  for (const bool l1 : {false, true})
    for (const bool self_adversarial : {false, true})
      for (const auto& layout : kLayouts)
        for (const int64_t drawn : {1, 5, 16, 35}) {
          const TranseLoss form{l1, self_adversarial, 2.5f, 1.5f};
          const Batch batch(layout, drawn, ++seed);
          SCOPED_TRACE(testing::Message() << "l1 " << l1 << " self-adversarial " << self_adversarial << " chunks "
                                          << layout.size() << " drawn " << drawn);
          const Result r = run(form, entity, relation, batch.view());
          Doubles e = wide(entity), rel = wide(relation), p;
          const double loss = reference_loss(form, e, rel, batch.view(), p);
          EXPECT_NEAR(r.loss, loss, 1e-5 * std::abs(loss));

          const double step = 1e-5;
          const auto check = [&](Doubles& x, const Doubles& gradient, const char* what) {
            for (size_t i = 0; i < x.size(); ++i) {
              if (i % kWidth >= kDim) {
                EXPECT_EQ(gradient[i], 0) << "padding of " << what;
                continue;
              }
              const double at = x[i];
              x[i] = at + step;
              const double up = reference_loss(form, e, rel, batch.view(), p);
              x[i] = at - step;
              const double down = reference_loss(form, e, rel, batch.view(), p);
              x[i] = at;
              EXPECT_NEAR(gradient[i], (up - down) / (2 * step), 2e-5 * static_cast<double>(batch.anchor.size()))
                  << what << " " << i / kWidth << " column " << i % kWidth;
            }
          };
          check(e, r.entity_gradient, "entity");
          check(rel, r.relation_gradient, "relation");
        }
}

TEST(TranseLoss, ByProductsIsTheSameAsPairByPair) {
  const Floats entity = table(kEntities, 3), relation = table(kRelations, 4);
  const Batch together({9}, 20, 5);
  Batch apart = together;
  apart.chunk = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  apart.replacement.clear();
  for (int i = 0; i < 9; ++i)
    apart.replacement.insert(apart.replacement.end(), together.replacement.begin(), together.replacement.end());
  const TranseLoss form;
  const Result a = run(form, entity, relation, together.view()), b = run(form, entity, relation, apart.view());
  EXPECT_NEAR(a.loss, b.loss, 1e-5 * b.loss);
  for (size_t i = 0; i < a.entity_gradient.size(); ++i) EXPECT_NEAR(a.entity_gradient[i], b.entity_gradient[i], 1e-5);
  for (size_t i = 0; i < a.relation_gradient.size(); ++i)
    EXPECT_NEAR(a.relation_gradient[i], b.relation_gradient[i], 1e-5);
}

TEST(TranseLoss, AChunkWhoseMarginIsKeptHasNoGradient) {
  Floats entity = table(kEntities, 6), relation = table(kRelations, 7);
  Batch batch({1, 1}, 1, 8);
  // Triple 0 is exact and its replacement far away; triple 1 is replaced by its own answer.
  batch.anchor = {0, 3};
  batch.answer = {1, 4};
  batch.replacement = {2, 4};
  batch.relation = {0, 1};
  batch.sign = {1, 1};
  for (int64_t k = 0; k < kDim; ++k) {
    entity.mat.row(1)[k] = entity.mat.row(0)[k] + relation.mat.row(0)[k];
    entity.mat.row(2)[k] = entity.mat.row(1)[k] + 10;
  }
  for (const bool l1 : {false, true}) {
    const Result r = run({l1, false, 1, 0}, entity, relation, batch.view());
    EXPECT_EQ(r.used, (std::vector<uint8_t>{0, 1, 0, 1, 0, 1}));
    EXPECT_FLOAT_EQ(r.loss, 1);
    EXPECT_TRUE(std::ranges::all_of(std::span(r.query.values).first(kWidth), [](float x) { return x == 99; }));
  }
}

TEST(TranseLoss, IsFiniteWhereAQueryMeetsItsReplacement) {
  Floats entity(kEntities, kWidth), relation(kRelations, kWidth);  // all at the origin: every distance is 0
  for (const auto& layout : kLayouts)
    for (const bool self_adversarial : {false, true}) {
      const Batch batch(layout, 5, 9);
      const Result r = run({false, self_adversarial, 1, 1}, entity, relation, batch.view());
      EXPECT_TRUE(std::isfinite(r.loss));
      for (const double g : r.entity_gradient) EXPECT_TRUE(std::isfinite(g));
    }
  // Far away everything saturates, and must not overflow.
  std::ranges::fill(entity.values, 1e4f);
  std::fill_n(entity.values.begin(), kWidth, -1e4f);
  const Result r = run({}, entity, relation, Batch({8}, 20, 10).view());
  EXPECT_TRUE(std::isfinite(r.loss));
  for (const double g : r.entity_gradient) EXPECT_TRUE(std::isfinite(g));
}

TEST(TranseLoss, IsNotFiniteWhenAVectorIsNot) {
  const Floats relation = table(kRelations, 12);
  for (const float broken : {INFINITY, NAN})
    for (const auto& layout : kLayouts)
      for (const bool self_adversarial : {false, true})
        for (const bool l1 : {false, true}) {
          const Batch batch(layout, 5, 11);
          Floats entity = table(kEntities, 11);
          entity.mat.row(batch.anchor[0])[1] = broken;
          EXPECT_FALSE(std::isfinite(run({l1, self_adversarial, 1, 1}, entity, relation, batch.view()).loss));
        }
}

TEST(TranseLoss, IsTheSameBitsForAnyNumberOfThreads) {
  const Floats entity = table(kEntities, 11), relation = table(kRelations, 12);
  const Batch batch({64, 64, 64, 30, 1}, 40, 13);
  std::vector<std::vector<float>> gradients;
  for (const int n : {1, 2, 7}) {
    set_threads(n);
    const Result r = run({}, entity, relation, batch.view());
    gradients.push_back(r.replacement.values);
    gradients.back().push_back(static_cast<float>(r.loss));
  }
  set_threads(0);
  EXPECT_EQ(gradients[0], gradients[1]);
  EXPECT_EQ(gradients[0], gradients[2]);
}

// Runs: table rows 4, 0, 2 and 3 with items {1, 3}, {0}, {2, 4, 5} and {6}, of which 3 and 6 are used only where all
// are.
struct Runs {
  std::vector<int32_t> row{4, 0, 2, 3}, item{1, 3, 0, 2, 4, 5, 6};
  std::vector<int64_t> offsets{0, 2, 3, 6, 7};
  std::vector<float> sign{1, -1, 1, 1, -1, 1, 1};
  std::vector<uint8_t> used{1, 1, 1, 0, 1, 1, 0};
  RowGradients of(const Floats& g, bool signs = false, bool all = true) const {
    const Index runs{7, 4, nullptr, offsets.data(), item.data()};
    return {g.mat, runs, row, signs ? std::span(sign) : std::span<const float>(), all ? nullptr : used.data()};
  }
  double gradient(const Floats& g, int64_t run, int64_t k, bool signs, bool all) const {
    double sum = 0;
    for (int64_t p = offsets[run]; p < offsets[run + 1]; ++p)
      if (all || used[item[p]]) sum += (signs ? sign[item[p]] : 1.0f) * g.values[item[p] * kWidth + k];
    return sum;
  }
};

TEST(RowSteps, SgdMovesTheRowsOfTheRunsByTheSumOfTheirUsedItems) {
  const Floats g = table(7, 14), before = table(5, 15);
  const Runs runs;
  for (const bool signs : {false, true})
    for (const bool all : {false, true}) {
      Floats x = before;
      ops::sgd_rows(0.1f, runs.of(g, signs, all), x.mat);
      for (int64_t k = 0; k < kWidth; ++k) {
        for (int64_t r = 0; r < 4; ++r)
          EXPECT_NEAR(x.mat.row(runs.row[r])[k],
                      before.mat.row(runs.row[r])[k] - 0.1 * runs.gradient(g, r, k, signs, all), 1e-6);
        EXPECT_EQ(x.mat.row(1)[k], before.mat.row(1)[k]);
      }
    }
}

TEST(RowSteps, ARowWithoutAUsedItemKeepsItsMoments) {
  const Floats g = table(7, 14);
  const Runs runs;
  Floats x = table(5, 15), m(5, kWidth, 1), v(5, kWidth, 1);
  const Floats before = x;
  ops::adam_rows({}, runs.of(g, false, false), m.mat, v.mat, x.mat);
  for (int64_t k = 0; k < kWidth; ++k)
    for (const int64_t r : {1, 3}) {
      EXPECT_EQ(x.mat.row(r)[k], before.values[r * kWidth + k]);
      EXPECT_EQ(m.mat.row(r)[k], 1);
      EXPECT_EQ(v.mat.row(r)[k], 1);
    }
}

TEST(RowSteps, AdamIsKingmaAndBasOnTheRowsOfTheRuns) {
  const Floats before = table(5, 16);
  Floats x = before, m(5, kWidth), v(5, kWidth);
  Doubles x64 = wide(before), m64(5 * kWidth, 0), v64(5 * kWidth, 0);
  const Runs runs;
  for (int t = 1; t <= 3; ++t) {
    const Floats g = table(7, 17 + t);
    AdamStep step;
    step.lr = 0.05f;
    step.c1 = static_cast<float>(1 - std::pow(0.9, t));
    step.c2 = static_cast<float>(1 - std::pow(0.999, t));
    ops::adam_rows(step, runs.of(g), m.mat, v.mat, x.mat);
    for (int64_t r = 0; r < 4; ++r)
      for (int64_t k = 0; k < kWidth; ++k) {
        const int64_t i = runs.row[r] * kWidth + k;
        const double gradient = runs.gradient(g, r, k, false, true);
        m64[i] = 0.9 * m64[i] + 0.1 * gradient;
        v64[i] = 0.999 * v64[i] + 0.001 * gradient * gradient;
        x64[i] -= 0.05 * (m64[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v64[i] / (1 - std::pow(0.999, t))) + 1e-8);
      }
  }
  for (size_t i = 0; i < x64.size(); ++i) EXPECT_NEAR(x.values[i], x64[i], 1e-5) << i;
  for (int64_t k = 0; k < kWidth; ++k) EXPECT_EQ(x.mat.row(1)[k], before.mat.row(1)[k]);
}

TEST(RowSteps, AdagradKeepsTheMeanSquareOfEachRow) {
  const Floats before = table(5, 16);
  const Runs runs;
  for (const bool signs : {false, true})
    for (const bool all : {false, true}) {
      Floats x = before, squares(5, 1, 0.25f);
      Doubles x64 = wide(before), squares64(5, 0.25);
      for (int t = 1; t <= 3; ++t) {
        const Floats g = table(7, 17 + t);
        ops::adagrad_rows(0.05f, kDim, runs.of(g, signs, all), squares.mat, x.mat);
        for (int64_t r = 0; r < 4; ++r) {
          if (!all && r == 3) continue;  // none of its items is used
          double square = 0;
          for (int64_t k = 0; k < kDim; ++k) square += std::pow(runs.gradient(g, r, k, signs, all), 2) / kDim;
          squares64[runs.row[r]] += square;
          for (int64_t k = 0; k < kDim; ++k)
            x64[runs.row[r] * kWidth + k] -=
                0.05 * runs.gradient(g, r, k, signs, all) / std::sqrt(squares64[runs.row[r]]);
        }
      }
      for (size_t i = 0; i < x64.size(); ++i) EXPECT_NEAR(x.values[i], x64[i], 1e-6) << i;
      for (size_t i = 0; i < squares64.size(); ++i) EXPECT_NEAR(squares.values[i], squares64[i], 1e-5 * squares64[i]);
    }
}

TEST(RowSteps, AdagradOfAGradientThatIsZeroStays) {
  const Floats g(7, kWidth), before = table(5, 16);
  Floats x = before, squares(5, 1);
  ops::adagrad_rows(0.05f, kDim, Runs().of(g), squares.mat, x.mat);
  EXPECT_EQ(x.values, before.values);
  EXPECT_EQ(squares.values, std::vector<float>(5, 0));
}

TEST(RowSteps, CapShortensLongRowsWithAGradientOnly) {
  Floats x(5, kWidth);
  x.mat.row(0)[1] = 3;
  x.mat.row(0)[2] = 4;
  x.mat.row(1)[0] = 0.5f;
  x.mat.row(2)[0] = 7;
  x.mat.row(3)[0] = 8;
  const Floats g(7, kWidth);
  Runs runs;
  runs.row = {1, 0, 4, 3};
  ops::cap_rows(runs.of(g, false, false), x.mat);
  EXPECT_FLOAT_EQ(x.mat.row(0)[1], 0.6f);
  EXPECT_FLOAT_EQ(x.mat.row(0)[2], 0.8f);
  EXPECT_EQ(x.mat.row(1)[0], 0.5f);
  EXPECT_EQ(x.mat.row(2)[0], 7) << "not among the rows";
  EXPECT_EQ(x.mat.row(3)[0], 8) << "no item of it is used";
}

TEST(L1Distances, AreSumsOfAbsoluteDifferencesInTheSameBitsForAnyNeighbours) {
  const int64_t m = 21, inner = 37, n = 48;
  Floats a(m, inner), b(inner, n), c(m, n), one(1, n);
  const Random random(18, "l1");
  for (size_t i = 0; i < a.values.size(); ++i) a.values[i] = static_cast<float>(random.normal(i));
  for (size_t i = 0; i < b.values.size(); ++i) b.values[i] = static_cast<float>(random.normal(i, 1));
  ops::l1_distances(a.mat, b.mat, c.mat);
  for (int64_t i = 0; i < m; ++i) {
    ops::l1_distances({a.mat.row(i), 1, inner}, b.mat, one.mat);
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < inner; ++l) sum += std::abs(static_cast<double>(a.mat.row(i)[l]) - b.mat.row(l)[j]);
      EXPECT_NEAR(c.mat.row(i)[j], sum, 1e-5 * sum);
      EXPECT_EQ(c.mat.row(i)[j], one.mat.row(0)[j]);
    }
  }
}

}  // namespace
}  // namespace nd
