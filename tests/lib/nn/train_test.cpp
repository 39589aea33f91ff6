// The training loop on a model of one parameter row: what is trained does not matter here, how it is does.
#include "lib/nn/train.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>

#include "lib/tensor/grad.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// Pulls w towards a different class per example; validation says what it is told to say.
class Toy : public Trainee {
 public:
  explicit Toy(uint64_t seed = 1) { parameters_.add("w", 5, 3, Init::glorot_uniform, seed); }
  Parameters& parameters() override { return parameters_; }
  int64_t examples() const override { return examples_; }
  void begin_epoch(int64_t epoch) override { epoch_ = epoch; }
  std::unique_ptr<Step> step() override { return std::make_unique<Rows>(*this); }
  double validate() override {
    const size_t epoch = validations++;
    return epoch < results.size() ? results[epoch] : results.empty() ? NAN : results.back();
  }
  std::vector<float> w() { return {parameters_.find("w")->value.data, parameters_.find("w")->value.data + 15}; }

  std::vector<double> results;
  size_t validations = 0;
  std::vector<int64_t> seen;
  int64_t examples_ = 50;

  std::atomic<int64_t> prepared = 0;  // steps
  int64_t broken = -1;                // a row that cannot be prepared

 private:
  class Rows : public Step {
   public:
    explicit Rows(Toy& toy) : toy_(toy) {}
    void prepare(std::span<const int64_t> rows, int64_t epoch) override {
      EXPECT_EQ(epoch, toy_.epoch_);
      rows_.assign(rows.begin(), rows.end());
      row_.clear();
      label_.clear();
      for (int64_t r : rows) {
        if (r == toy_.broken) throw Error("row " + std::to_string(r) + " is broken");
        row_.push_back(static_cast<int32_t>(r % 5));
        label_.push_back(static_cast<int32_t>(r % 3));
      }
      ++toy_.prepared;
    }
    Var loss(Tape& tape) override {
      toy_.seen.insert(toy_.seen.end(), rows_.begin(), rows_.end());
      Var x = grad::gather_sum(tape, {{toy_.parameters_.on(tape, "w"), make_index(tape.arena(), row_, 5)}});
      return grad::cross_entropy(tape, x, label_.data());
    }

   private:
    Toy& toy_;
    std::vector<int64_t> rows_;
    std::vector<int32_t> row_, label_;
  };

  Parameters parameters_;
  int64_t epoch_ = 0;
};

TrainOptions quick(int64_t epochs, int64_t patience = 10) {
  TrainOptions o;
  o.epochs = epochs;
  o.patience = patience;
  o.batch = 8;
  return o;
}

class InAFolder : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/nightdesk-train.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    file.path = std::string(name) + "/out.nd.ckpt";
    file.meta.tool = "toy";
    file.meta.options = json::Object{{"lr", 0.001}};
    file.meta.inputs = {{"train", "behavior/1", 7}};
  }
  void TearDown() override {
    unlink(file.path.c_str());
    rmdir(file.path.substr(0, file.path.rfind('/')).c_str());
  }
  bool exists() const { return access(file.path.c_str(), F_OK) == 0; }
  CheckpointFile file;
};

TEST(Train, ShowsEveryExampleOnceAnEpochInAnotherOrderEachTime) {
  Toy toy;
  train(toy, quick(2), {}, {});
  ASSERT_EQ(toy.seen.size(), 100u);
  std::vector<int64_t> first(toy.seen.begin(), toy.seen.begin() + 50), second(toy.seen.begin() + 50, toy.seen.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(first[i], i);
}

// What is prepared ahead comes in its turn, and none of it is left when an epoch ends.
TEST(Train, EndsWithTheSameBitsOnAnyNumberOfThreads) {
  Toy one;
  set_threads(1);
  train(one, quick(20), {}, {});
  for (const int count : {2, 3, 7}) {
    set_threads(count);
    Toy many;
    train(many, quick(20), {}, {});
    EXPECT_EQ(many.seen, one.seen) << count << " threads";
    EXPECT_EQ(many.w(), one.w()) << count << " threads";
    EXPECT_EQ(many.prepared, 20 * 7) << count << " threads";
  }
  set_threads(0);
}

TEST(Train, OnOneThreadPreparesNothingBeforeItsTurn) {
  set_threads(1);
  Toy toy;
  int64_t steps = 0;
  TrainHooks hooks;
  hooks.step = [&](int64_t, int64_t, double) { EXPECT_EQ(toy.prepared, ++steps); };
  train(toy, quick(2), hooks, {});
  EXPECT_EQ(steps, 14);
  set_threads(0);
}

TEST(Train, ReportsAStepThatCannotBePreparedWhenItsTurnComes) {
  for (const int count : {1, 2, 7}) {
    set_threads(count);
    Toy whole;
    train(whole, quick(1), {}, {});
    for (const size_t place : {0u, 9u, 49u}) {
      Toy toy;
      toy.broken = whole.seen[place];
      try {
        train(toy, quick(1), {}, {});
        FAIL() << "nothing was thrown";
      } catch (const Error& e) {
        EXPECT_EQ(e.what(), "row " + std::to_string(toy.broken) + " is broken");
      }
      EXPECT_EQ(toy.seen.size(), place / 8 * 8) << "steps before it, on " << count << " threads";
    }
  }
  set_threads(0);
}

TEST(Train, StopsWhenPatienceRunsOutAndRestoresTheBestEpoch) {
  Toy toy, until_best;
  toy.results = {0.5, 0.6, 0.55, 0.6, 0.59, 0.7};
  until_best.results = {0.5, 0.6};
  const TrainResult result = train(toy, quick(100, 3), {}, {});
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.last.epoch, 5);
  EXPECT_EQ(result.last.best_epoch, 2);
  train(until_best, quick(2), {}, {});
  EXPECT_EQ(toy.w(), until_best.w());
}

TEST(Train, KeepsTheLastEpochWhenValidationSaysNothing) {
  Toy toy, longer;
  train(toy, quick(3), {}, {});
  train(longer, quick(4), {}, {});
  EXPECT_NE(toy.w(), longer.w());
}

TEST(Train, RefusesToTrainOnNothing) {
  Toy toy;
  toy.examples_ = 0;
  EXPECT_THROW(train(toy, quick(1), {}, {}), Error);
}

TEST_F(InAFolder, StoppedAfterAnyStepAndRunAgainEndsWithTheSameBits) {
  const std::vector<double> results = {0.5, 0.7, 0.6, 0.65, 0.6};
  Toy whole;
  whole.results = results;
  train(whole, quick(5, 3), {}, {});
  for (int64_t kill = 1; kill <= 30; ++kill) {
    {
      Toy stopped;
      stopped.results = results;
      int64_t steps = 0;
      TrainHooks hooks;
      hooks.stop = [&] { return ++steps == kill ? SIGTERM : 0; };
      try {
        train(stopped, quick(5, 3), hooks, file);
      } catch (const Interrupted& e) {
        EXPECT_EQ(e.signal, SIGTERM);
        ASSERT_TRUE(exists());
      }
    }
    Toy resumed(99);  // what it starts with must not matter
    resumed.results = results;
    TrainHooks hooks;
    hooks.resumed = [&](const std::string&, int64_t epoch, int64_t) {
      resumed.validations = static_cast<size_t>(epoch);
    };
    train(resumed, quick(5, 3), hooks, file);
    finish_checkpoint(file);
    EXPECT_FALSE(exists());
    if (kill <= 28) {
      ASSERT_EQ(resumed.w(), whole.w()) << "stopped after step " << kill;
    }
  }
}

TEST_F(InAFolder, RefusesACheckpointOfOtherOptionsOrInputsAndNamesTheDifference) {
  Toy toy;
  TrainHooks stop;
  stop.stop = [] { return SIGINT; };
  EXPECT_THROW(train(toy, quick(5), stop, file), Interrupted);
  const auto told = [&](CheckpointFile other) -> std::string {
    Toy again;
    try {
      train(again, quick(5), {}, other);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  CheckpointFile other = file;
  other.meta.options["lr"] = 0.01;
  EXPECT_NE(told(other).find("option lr was 0.001, is 0.01"), std::string::npos) << told(other);
  other = file;
  other.meta.inputs[0].digest = 8;
  EXPECT_NE(told(other).find("input train"), std::string::npos) << told(other);
  other = file;
  other.meta.options["lr"] = 0.01;
  other.restart = true;
  EXPECT_EQ(told(other), "");
}

TEST(Parameters, StartFromSeedAndNameAlone) {
  Parameters one, two;
  one.add("a", 4, 4, Init::glorot_uniform, 1);
  two.add("other", 9, 9, Init::glorot_uniform, 1);
  two.add("a", 4, 4, Init::glorot_uniform, 1);
  const Mat a = one.find("a")->value, b = two.find("a")->value;
  EXPECT_TRUE(std::equal(a.data, a.data + 16, b.data));
}

// The largest and the smallest number, and the root of the mean square.
struct Spread {
  double most = -1e9, least = 1e9, size = 0;
  explicit Spread(const Mat& x) {
    for (int64_t i = 0; i < x.size(); ++i) {
      const double v = x.data[i];
      most = std::max(most, v);
      least = std::min(least, v);
      size += v * v / static_cast<double>(x.size());
    }
    size = std::sqrt(size);
  }
};

TEST(Parameters, StartAsLayersOrAsTablesDo) {
  Parameters p;
  const Spread layer(p.add("layer", 60, 40, Init::glorot_uniform, 1).value);
  const double limit = std::sqrt(6.0 / 100);
  EXPECT_LE(layer.most, limit);
  EXPECT_GE(layer.least, -limit);
  EXPECT_NEAR(layer.most, limit, 0.01 * limit);
  EXPECT_NEAR(layer.least, -limit, 0.01 * limit);
  EXPECT_NEAR(layer.size, limit / std::sqrt(3.0), 0.03 * limit);
  const Spread table(p.add("table", 60, 40, Init::small_normal, 1).value);
  const double deviation = 0.01 * std::sqrt(2.0 / 100);
  EXPECT_NEAR(table.size, deviation, 0.05 * deviation);
  EXPECT_GT(table.most, 2.5 * deviation);
  EXPECT_LT(table.least, -2.5 * deviation);
}

TEST(Parameters, WithoutAGradientInAStepTakeTheStepOfGradientZero) {
  OptimiserOptions o;
  o.l2_mode = "none";
  Parameters p, zero;
  for (Parameters* which : {&p, &zero}) {
    Parameter& x = which->add("x", 1, 1, Init::glorot_uniform, 1);
    x.started = true;
    x.grad.data[0] = 3;
    which->step(o, 1);
    which->clear_gradients();
  }
  Parameter& x = *zero.find("x");
  x.started = true;
  x.grad.data[0] = 0;
  const float before = x.value.data[0];
  zero.step(o, 2);
  p.step(o, 2);
  EXPECT_EQ(p.find("x")->value.data[0], x.value.data[0]);
  EXPECT_NE(x.value.data[0], before);  // its moments still move it
}

TEST(Parameters, SparseRowsLeaveUnusedRowsAlone) {
  Parameters p;
  Parameter& table = p.add("table", 3, 2, Init::glorot_uniform, 1, true);
  const std::vector<float> before(table.value.data, table.value.data + 6);
  table.started = true;
  table.grad.row(1)[0] = 1;
  OptimiserOptions o;
  o.sparse_rows = true;
  p.step(o, 1);
  EXPECT_EQ(table.value.row(0)[0], before[0]);
  EXPECT_EQ(table.value.row(2)[1], before[5]);
  EXPECT_NE(table.value.row(1)[0], before[2]);
  o.sparse_rows = false;
  p.step(o, 2);  // dense: decay moves every row
  EXPECT_NE(table.value.row(0)[0], before[0]);
}

TEST(Parameters, TakeTheFirstAdamStepOfLearningRate) {
  Parameters p;
  Parameter& x = p.add("x", 1, 2, Init::zeros, 1);
  x.started = true;
  x.grad.data[0] = 3;
  x.grad.data[1] = -0.001f;
  OptimiserOptions o;
  o.l2_mode = "none";
  p.step(o, 1);
  EXPECT_NEAR(x.value.data[0], -1e-3, 1e-8);
  EXPECT_NEAR(x.value.data[1], 1e-3, 1e-7);
}

}  // namespace
}  // namespace nd
