// TransE's training: what it learns, what it leaves alone, and that stopping or threads change nothing.
#include "lib/models/transe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <utility>

#include "lib/io/kind_file.h"
#include "lib/models/link_prediction.h"
#include "lib/tensor/parallel.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"
#include "tests/lib/models/small_graphs.h"

namespace nd {
namespace {

const CheckpointFile kNowhere;

TranseOptions small(const std::string& preset = "best") {
  TranseOptions o = transe_preset(preset);
  o.dim = 10;
  o.batch = 16;
  o.epochs = 3;
  if (preset == "best") o.chunk = o.negatives = 4;
  return o;
}

Vectors train_on(const Kg& kg, const TranseOptions& o, const TranseHooks& hooks = {},
                 const CheckpointFile& checkpoint = kNowhere) {
  return train_transe(kg, kg.split[0], o, hooks, checkpoint);
}

std::vector<float> values(const Matrix& x) { return {x.values.begin(), x.values.end()}; }
double length(const Matrix& x, int64_t row) {
  double sum = 0;
  for (const float v : x[row]) sum += static_cast<double>(v) * v;
  return std::sqrt(sum);
}

double test_mrr(const Kg& kg, const Vectors& v, const std::string& norm) {
  const LinkRanks r = rank_links(kg, kg.split[1], kg.split[2], v, norm);
  return (summarise(r.head, Ties::realistic).mrr + summarise(r.tail, Ties::realistic).mrr) / 2;
}

// One triple (h, r, t) of two entities: filtered, its replacement can only be the entity that stays, so that the other
// distance is |r| whichever side is replaced.
TEST(Transe, AStepGoesDownTheGradientOfItsLoss) {
  const Kg kg = graph(2, 1, {{{0, 0, 1}}});
  TranseOptions o = small("paper");
  o.dim = 3;
  o.epochs = 1;
  o.start = 0.5;
  o.margin = 2;
  o.bound = "none";
  using Point = std::vector<double>;  // h, t, r
  const auto trained = [&](double lr) {
    o.lr = o.final_lr = lr;
    const Vectors v = train_on(kg, o);
    Point p(v.x.values.begin(), v.x.values.end());
    p.insert(p.end(), v.relation_x.values.begin(), v.relation_x.values.end());
    return p;
  };
  for (const std::string norm : {"l1", "l2"})
    for (const std::string loss : {"margin", "self-adversarial"}) {
      o.norm = norm;
      o.loss = loss;
      const auto loss_at = [&](const Point& p) {
        double sum[2] = {};
        for (int k = 0; k < 3; ++k) {
          const double x[2] = {p[k] + p[6 + k] - p[3 + k], p[6 + k]};
          for (int j : {0, 1}) sum[j] += norm == "l1" ? std::abs(x[j]) : x[j] * x[j];
        }
        const double d = norm == "l1" ? sum[0] : std::sqrt(sum[0]), other = norm == "l1" ? sum[1] : std::sqrt(sum[1]);
        if (loss == "margin") return std::max(0.0, o.margin + d - other);
        return std::log1p(std::exp(d - o.margin)) + std::log1p(std::exp(o.margin - other));
      };
      for (o.seed = 1; o.seed <= 8; ++o.seed) {
        const Point before = trained(1e-30), after = trained(0.1);
        for (size_t i = 0; i < before.size(); ++i) {
          Point up = before, down = before;
          up[i] += 1e-6;
          down[i] -= 1e-6;
          const double slope = (loss_at(up) - loss_at(down)) / 2e-6;
          EXPECT_NEAR(after[i], before[i] - 0.1 * slope, 1e-6) << norm << ", " << loss << ", seed " << o.seed;
        }
      }
    }
}

TEST(Transe, LearnsALine) {
  const Kg kg = line(40);
  TranseOptions o = small();
  o.margin = 1;  // so that forty places can be told apart by steps this small
  o.lr = 0.05;
  EXPECT_LT(test_mrr(kg, train_on(kg, o), "l2"), 0.5) << "after three epochs it knows little";
  o.epochs = 200;
  EXPECT_GT(test_mrr(kg, train_on(kg, o), "l2"), 0.95);
  o.norm = "l1";
  EXPECT_GT(test_mrr(kg, train_on(kg, o), "l1"), 0.95);

  o.norm = "l2";
  o.optimiser = "adagrad";
  o.lr = 2;
  EXPECT_GT(test_mrr(kg, train_on(kg, o), "l2"), 0.95);

  // The hinge rests once the margin is kept, which leaves close neighbours close.
  o = small("paper");
  EXPECT_LT(test_mrr(kg, train_on(kg, o), "l1"), 0.2);
  o.lr = o.final_lr = 0.01;
  o.epochs = 500;
  EXPECT_GT(test_mrr(kg, train_on(kg, o), "l1"), 0.4);
}

TEST(Transe, GivesEveryEntityAndRelationOfTheGraphAVector) {
  const Kg kg = line(9);
  const Vectors v = train_on(kg, small());
  EXPECT_EQ(v.problem(), "");
  EXPECT_EQ(v.x.rows, 10);
  EXPECT_EQ(v.x.cols, 10);
  EXPECT_EQ(v.relation_x.rows, 4);
  EXPECT_EQ(v.id[4], "e4");
  EXPECT_EQ(v.relation_id[1], "r1");
}

TEST(Transe, LeavesEntitiesOfNoTrainingTripleAtTheirStart) {
  const Kg kg = line(9);
  TranseOptions o = small();
  const Vectors a = train_on(kg, o);
  o.epochs = 9;
  const Vectors b = train_on(kg, o);
  for (int64_t e = 0; e < a.x.rows; ++e) {
    const bool same = std::ranges::equal(a.x[e], b.x[e]);
    EXPECT_EQ(same, e == a.x.rows - 1) << "entity " << e;
  }
  for (const float x : a.x[a.x.rows - 1]) {
    EXPECT_LE(std::abs(x), 0.1f);
    EXPECT_NE(x, 0);
  }
}

TEST(Transe, IsTheSameBitsForAnyNumberOfThreadsAndOthersForAnotherSeed) {
  const Kg kg = line(80);
  for (const std::string preset : {"best", "paper"}) {
    TranseOptions o = small(preset);
    o.batch = 100;
    std::vector<std::vector<float>> entity;
    for (const int n : {1, 2, 7}) {
      set_threads(n);
      entity.push_back(values(train_on(kg, o).x));
    }
    set_threads(0);
    EXPECT_EQ(entity[0], entity[1]);
    EXPECT_EQ(entity[0], entity[2]);
    o.seed = 2;
    EXPECT_NE(entity[0], values(train_on(kg, o).x));
  }
}

TEST(Transe, GoesOnWhereItWasStoppedToTheSameBytes) {
  const Kg kg = line(15);
  for (const auto& [preset, optimiser] : {std::pair{"best", "adam"}, {"paper", "sgd"}, {"best", "adagrad"}}) {
    TranseOptions o = small(preset);
    o.optimiser = optimiser;
    const Vectors undisturbed = train_on(kg, o);
    TemporaryFolder folder;
    const CheckpointFile file{folder / "v.nd.ckpt", {.tool = "kg-transe"}, false};
    // Every step of every epoch is the last one of some run: triples are 3 steps an epoch.
    for (int stopped = 0, steps = 0;; ++stopped) {
      TranseHooks hooks;
      hooks.step = [&](int64_t, int64_t) { ++steps; };
      hooks.stop = [&] { return SIGTERM; };
      hooks.resumed = [&](const std::string&, int64_t epoch, int64_t step) { EXPECT_EQ(epoch * 3 + step, stopped); };
      if (stopped == 9) hooks.stop = {};
      ASSERT_LE(stopped, 9);
      try {
        const Vectors v = train_on(kg, o, hooks, file);
        EXPECT_EQ(values(v.x), values(undisturbed.x));
        EXPECT_EQ(values(v.relation_x), values(undisturbed.relation_x));
        EXPECT_EQ(steps, 9);
        break;
      } catch (const Interrupted& e) {
        EXPECT_EQ(e.signal, SIGTERM);
      }
    }
  }
}

TEST(Transe, RefusesACheckpointOfAnotherRunUnlessToldToRestart) {
  const Kg kg = line(15);
  TranseOptions o = small();
  TemporaryFolder folder;
  CheckpointFile file{folder / "v.nd.ckpt", {.tool = "kg-transe", .options = json::Object{{"lr", 0.01}}}, false};
  TranseHooks hooks;
  hooks.stop = [] { return SIGINT; };
  EXPECT_THROW(train_on(kg, o, hooks, file), Interrupted);

  CheckpointFile other = file;
  other.meta.options = json::Object{{"lr", 0.02}};
  EXPECT_ND_ERROR(train_on(kg, o, {}, other), "lr was 0.01, is 0.02");
  other.restart = true;
  EXPECT_EQ(values(train_on(kg, o, {}, other).x), values(train_on(kg, o).x));

  // A checkpoint that fits by its header but not by its contents.
  o.dim = 40;
  EXPECT_ND_ERROR(train_on(kg, o, {}, file), "v.nd.ckpt: tensor now.entity is missing or of another shape");
}

TEST(Transe, KeepsVectorsWithinTheirBound) {
  const Kg kg = line(15);
  TranseOptions o = small("paper");
  o.lr = o.final_lr = 0.3;
  o.epochs = 5;
  const Vectors ball = train_on(kg, o);
  for (int64_t e = 0; e < 15; ++e) EXPECT_LE(length(ball.x, e), 1.00001);
  o.bound = "none";
  const Vectors free = train_on(kg, o);
  double longest = 0;
  for (int64_t e = 0; e < 15; ++e) longest = std::max(longest, length(free.x, e));
  EXPECT_GT(longest, 1.5);
  // On the sphere a step may leave it, by little when the rate is small.
  o.bound = "sphere";
  o.lr = o.final_lr = 1e-6;
  const Vectors sphere = train_on(kg, o);
  for (int64_t e = 0; e < 15; ++e) EXPECT_NEAR(length(sphere.x, e), 1, 1e-3);
}

TEST(Transe, FilteredReplacementsAreNoTrainingTriples) {
  // Two entities, one triple: unfiltered, every other replacement is the answer itself and costs the whole margin.
  const Kg kg = graph(2, 1, {{{0, 0, 1}}});
  TranseOptions o = small("paper");
  o.lr = o.final_lr = 0.01;
  o.epochs = 400;
  double last = 0;
  TranseHooks hooks;
  std::vector<double> losses;
  hooks.epoch = [&](const TranseReport& r) { losses.push_back(r.loss); };
  train_on(kg, o, hooks);
  last = 0;
  for (int i = 300; i < 400; ++i) last += losses[i] / 100;
  EXPECT_LT(last, 0.05);
  losses.clear();
  o.filter = false;
  train_on(kg, o, hooks);
  last = 0;
  for (int i = 300; i < 400; ++i) last += losses[i] / 100;
  EXPECT_GT(last, 0.3);
}

TEST(Transe, BernoulliReplacesTheSideWithFewTrueAnswers) {
  // r0: one head, three tails; r1: two heads, one tail; r2: in no training triple.
  const Kg kg = graph(6, 3, {{{0, 0, 1}, {0, 0, 2}, {0, 0, 3}, {4, 1, 5}, {3, 1, 5}}, {{1, 2, 2}, {5, 0, 4}}});
  const auto share = tail_shares(kg, kg.split[0], "bernoulli");
  ASSERT_EQ(share.size(), 3u);
  EXPECT_DOUBLE_EQ(share[0], 1.0 / 4);  // tph 3, hpt 1
  EXPECT_DOUBLE_EQ(share[1], 2.0 / 3);  // tph 1, hpt 2
  EXPECT_DOUBLE_EQ(share[2], 0.5);
  EXPECT_EQ(tail_shares(kg, kg.split[0], "uniform"), (std::vector<double>{0.5, 0.5, 0.5}));

  // And it is what training does: the losses differ.
  TranseOptions o = small("paper");
  const auto uniform = values(train_on(kg, o).x);
  o.corrupt = "bernoulli";
  EXPECT_NE(values(train_on(kg, o).x), uniform);
}

TEST(Transe, ReportsEachEpochAndEndsWithTheFinalRate) {
  const Kg kg = line(15);
  TranseOptions o = small();
  o.lr = 0.01;
  o.final_lr = 0.002;
  std::vector<TranseReport> reports;
  TranseHooks hooks;
  hooks.epoch = [&](const TranseReport& r) { reports.push_back(r); };
  train_on(kg, o, hooks);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[2].epoch, 3);
  EXPECT_EQ(reports[0].triples, kg.split[0]);
  EXPECT_GT(reports[0].lr, reports[1].lr);
  EXPECT_DOUBLE_EQ(reports[2].lr, 0.002);
  EXPECT_LT(reports[2].loss, reports[0].loss);
}

TEST(Transe, SaysWhatIsWrong) {
  const Kg kg = line(9);
  TranseOptions o = small();
  EXPECT_ND_ERROR(train_transe(kg, 0, o, {}, kNowhere), "nothing to train on");
  o.filter = true;
  EXPECT_THROW(train_on(kg, o), UsageError);
  EXPECT_THROW(transe_preset("fast"), UsageError);
  o = small("paper");
  o.bound = "none";
  o.lr = o.final_lr = 1e38;
  EXPECT_ND_ERROR(train_on(kg, o), "try a smaller --lr");
}

}  // namespace
}  // namespace nd
