// D-HAN's cost at the paper's sizes: steps of training (256 instances of 1 + 3 candidates, dropout and AdamW with
// clipping included), then scores of 100 candidates an instance. Prints one JSON line; bench/dhan.sh puts PyTorch
// beside it.
//
// As many users and articles as Adressa has in the paper; what is read is drawn Zipf(1) from the articles, negatives
// uniformly; 10 articles of a history, 20 sentences, 5 elements, all 64 wide (bench/torch/README.md).
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/models/dhan_score.h"
#include "lib/nn/train.h"
#include "lib/tensor/device.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr int64_t kUsers = 66649, kArticles = 14700, kSentences = 20, kElements = 5, kWidth = 64;
constexpr int64_t kBatch = 256, kNegatives = 3, kCandidates = 100;
constexpr int64_t kSpan = 90 * 86400, kFirst = 1483228800;  // three months of 2017

// Of the wall and of the CPU: on a machine where more is going on, the latter of one thread still means something.
struct Seconds {
  double wall = 0, cpu = 0;

  static Seconds now() {
    const auto read = [](clockid_t clock) {
      timespec t{};
      clock_gettime(clock, &t);
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    return {read(CLOCK_MONOTONIC), read(CLOCK_PROCESS_CPUTIME_ID)};
  }
  Seconds operator-(const Seconds& earlier) const { return {wall - earlier.wall, cpu - earlier.cpu}; }
};

Strings numbered(const char* letter, int64_t n) {
  StringsBuilder ids;
  for (int64_t i = 0; i < n; ++i) ids.push(letter + std::to_string(i));
  return ids.take();
}

Stacks noise(const Strings& ids, int64_t height, const char* stream) {
  RandomSequence random(1, stream);
  std::vector<float> x(static_cast<size_t>(ids.size() * height * kWidth));
  for (float& v : x) v = static_cast<float>(random.normal());
  return {ids, numbered("h", height), {std::move(x), ids.size() * height, kWidth}};
}

// Instances drawn at random; candidate 0 was clicked.
struct Clicks {
  Clicks(int64_t n, int64_t length, int64_t candidates) : candidates(candidates), length(length) {
    std::vector<double> upto(kArticles);
    double total = 0;
    for (int64_t a = 0; a < kArticles; ++a) upto[a] = total += 1.0 / static_cast<double>(a + 1);
    RandomSequence random(1, "clicks");
    const auto popular = [&] {
      const auto at = std::lower_bound(upto.begin(), upto.end(), random.uniform() * total) - upto.begin();
      return static_cast<int32_t>(std::min<int64_t>(at, kArticles - 1));
    };
    for (int64_t i = 0; i < n; ++i) {
      user.push_back(static_cast<int32_t>(random.below(kUsers)));
      int64_t t = kFirst + static_cast<int64_t>(random.below(kSpan));
      for (int64_t l = 0; l < length; ++l) {
        article.push_back(popular());
        time.push_back(t += static_cast<int64_t>(random.below(20000)));
      }
      moment.push_back(t + static_cast<int64_t>(random.below(20000)));
      candidate.push_back(popular());
      for (int64_t c = 1; c < candidates; ++c) candidate.push_back(static_cast<int32_t>(random.below(kArticles)));
    }
  }
  DhanInstance instance(int64_t i) const {
    const size_t at = static_cast<size_t>(i * length), L = static_cast<size_t>(length);
    return {user[i], std::span(article).subspan(at, L), std::span(time).subspan(at, L), moment[i]};
  }
  int64_t size() const { return static_cast<int64_t>(user.size()); }

  int64_t candidates, length;
  std::vector<int32_t> user, article, candidate;
  std::vector<int64_t> time, moment;
};

class ClickTask : public Trainee {
 public:
  static constexpr uint64_t kUntimed = 2;  // steps in which memory finds its size

  ClickTask(Dhan& model, const DhanData& data, const Clicks& clicks, bool busy_clock)
      : model_(model), data_(data), clicks_(clicks), busy_clock_(busy_clock) {}
  Parameters& parameters() override { return model_.parameters(); }
  int64_t examples() const override { return clicks_.size(); }
  double validate() override { return NAN; }
  std::unique_ptr<Step> step() override { return std::make_unique<ClickStep>(*this); }
  // Since the first step after those.
  Seconds passed() const { return Seconds::now() - began_; }

 private:
  class ClickStep : public Step {
   public:
    explicit ClickStep(ClickTask& task) : task_(task), step_(task.model_, task.data_) {}
    void prepare(std::span<const int64_t> rows, int64_t) override {
      step_.clear();
      positive_.clear();
      const Clicks& clicks = task_.clicks_;
      for (size_t i = 0; i < rows.size(); ++i) {
        step_.instance(clicks.instance(rows[i]));
        for (int64_t c = 0; c < clicks.candidates; ++c) {
          step_.candidate(static_cast<int64_t>(i), clicks.candidate[rows[i] * clicks.candidates + c]);
          positive_.push_back(c == 0);
        }
      }
      step_.prepare_instances();
      step_.prepare_candidates();
    }
    void begin() override {
      if (task_.draws_ != kUntimed) return;
      task_.began_ = Seconds::now();
      if (task_.busy_clock_) start_busy_clock();
    }
    Var loss(Tape& tape) override {
      const uint64_t draw = task_.draws_++;
      return grad::two_means_loss(tape, step_.logits(tape, &draw), tape.arena().copy(positive_).data());
    }

   private:
    ClickTask& task_;
    DhanStep step_;
    std::vector<uint8_t> positive_;
  };

  Dhan& model_;
  const DhanData& data_;
  const Clicks& clicks_;
  const bool busy_clock_;
  Seconds began_;
  uint64_t draws_ = 0;
};

// `busy`, where given, gets the seconds of the GPU at work, and all takes longer.
Seconds seconds_of_training(Dhan& model, const DhanData& data, int64_t steps, double* loss, double* busy = nullptr,
                            bool cuda_graphs = false) {
  const Clicks clicks((steps + ClickTask::kUntimed) * kBatch, model.options().length, 1 + kNegatives);
  ClickTask task(model, data, clicks, busy != nullptr);
  TrainOptions training;
  training.epochs = 1;
  training.batch = kBatch;
  training.cuda_graphs = cuda_graphs;
  training.optimiser = {.epsilon = 1e-6, .l2 = 1e-4, .l2_mode = "decoupled", .clip = 1};
  *loss = train(task, training, {}, {}).last.loss;
  if (busy) *busy = stop_busy_clock();
  return task.passed();
}

Seconds seconds_of_scoring(Dhan& model, const DhanData& data, int64_t instances, double* sum, double* busy = nullptr) {
  const Clicks clicks(instances, model.options().length, kCandidates);
  std::vector<DhanInstance> all;
  std::vector<int64_t> offsets{0};
  for (int64_t i = 0; i < instances; ++i) {
    all.push_back(clicks.instance(i));
    offsets.push_back((i + 1) * kCandidates);
  }
  DhanScorer scorer(model, data);
  if (busy) start_busy_clock();
  const Seconds began = Seconds::now();
  const std::vector<float> z = scorer.score(all, offsets, clicks.candidate);
  const Seconds took = Seconds::now() - began;
  if (busy) *busy = stop_busy_clock();
  *sum += std::accumulate(z.begin(), z.end(), 0.0);
  return took;
}

// What is left of the wall's seconds when the GPU's are taken away, as JSON.
std::string idle(double busy, double wall) { return std::isnan(busy) ? "null" : std::to_string(1 - busy / wall); }

int run(int64_t steps, int64_t scored, int threads, double dropout, const std::string& device) {
  set_threads(threads);
  use_device(pick_device(device));
  Corpus corpus;
  corpus.id = numbered("N", kArticles);
  const Stacks sentences = noise(corpus.id, kSentences, "sentences"),
               elements = noise(corpus.id, kElements, "elements");
  const DhanData data(corpus, &sentences, &elements, corpus.id);
  DhanOptions options;
  options.dropout = dropout;
  Dhan model(options, {kUsers, kArticles, kSentences, kWidth, kElements, kWidth}, 1);
  double loss = 0, sum = 0;
  const Seconds trained = seconds_of_training(model, data, steps, &loss);
  seconds_of_scoring(model, data, 4, &sum);
  sum = 0;
  const Seconds scoring = seconds_of_scoring(model, data, scored, &sum);
  double train_busy = NAN, score_busy = NAN, graph_rate = 0;
  RecordedCounts graphs;
  if (nd::device() == Device::cuda) {
    // Some of it once more, for how long of that time the GPU was at work, and all with steps as graphs.
    const int64_t some = std::min<int64_t>(steps, 50);
    double last = 0, again = 0;
    seconds_of_training(model, data, some, &last, &train_busy);
    train_busy *= static_cast<double>(steps) / static_cast<double>(some);
    seconds_of_scoring(model, data, scored, &again, &score_busy);
    const Seconds recorded = seconds_of_training(model, data, steps, &last, nullptr, true);
    graph_rate = static_cast<double>(steps * kBatch) / recorded.wall;
    graphs = recorded_counts();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto instances = static_cast<double>(steps * kBatch), pairs = static_cast<double>(scored * kCandidates);
  std::printf(
      "{\"threads\":%d,\"device\":\"%s\",\"dropout\":%g,\"instances_per_second\":%.1f,\"pairs_per_second\":%.0f,"
      "\"instances_per_cpu_second\":%.1f,\"pairs_per_cpu_second\":%.0f,\"instances\":%.0f,\"pairs\":%.0f,"
      "\"train_idle\":%s,\"score_idle\":%s,\"graph_instances_per_second\":%.1f,\"graph_steps\":%lu,"
      "\"graphs_built\":%lu,\"parameters\":%ld,\"loss\":%.6f,\"mean_score\":%.6f,\"peak_mib\":%.0f}\n",
      nd::threads(), device.c_str(), dropout, instances / trained.wall, pairs / scoring.wall, instances / trained.cpu,
      pairs / scoring.cpu, instances, pairs, idle(train_busy, trained.wall).c_str(),
      idle(score_busy, scoring.wall).c_str(), graph_rate, graphs.started, graphs.built, model.parameters().count(),
      loss, sum / pairs, static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

}  // namespace
}  // namespace nd

// dhan_bench [STEPS [SCORED [THREADS [DROPOUT [DEVICE]]]]]: optimiser steps, instances to score.
int main(int argc, char** argv) try {
  const auto count = [&](int at, int64_t otherwise) { return argc > at ? std::atoll(argv[at]) : otherwise; };
  return nd::run(count(1, 20), count(2, 200), static_cast<int>(count(3, 0)), argc > 4 ? std::atof(argv[4]) : 0.2,
                 argc > 5 ? argv[5] : "cpu");
} catch (const std::exception& e) {
  std::fprintf(stderr, "dhan_bench: %s\n", e.what());
  return 1;
}
