#include "lib/models/dhan_train.h"

#include <algorithm>
#include <utility>

namespace nd {

DhanTask::DhanTask(Dhan& model, const DhanData& data, const Clicks& clicks, const Windows& windows,
                   std::vector<int32_t> user, const TrainingNegatives& drawn, const DhanNegativeOptions& negatives,
                   const Candidates& valid, Judge judge, uint64_t seed)
    : model_(model),
      windows_(windows),
      valid_(valid),
      data_(data),
      judge_(std::move(judge)),
      ranker_(model, data, clicks, std::move(user)),
      negatives_(model, data, clicks, drawn, negatives, seed) {}

// Instances of these rows, and articles to choose their negatives from.
void DhanTask::draw(std::span<const int64_t> rows, int64_t epoch, Drawn& drawn) const {
  drawn.click.clear();
  drawn.instance.clear();
  for (const int64_t row : rows) {
    drawn.click.push_back(windows_.train[static_cast<size_t>(row)]);
    drawn.instance.push_back(ranker_.instance(drawn.click.back()));
  }
  negatives_.draw(drawn.click, drawn.instance, epoch, drawn.pool);
}

// The model chooses among what was drawn, so candidates have to wait for their turn. On a GPU the host never learns
// which they are, so it does not wait for the choice either: what hangs on their number alone is prepared, and each is
// computed for itself. On a CPU each distinct one is computed once.
class DhanTask::WindowStep : public Trainee::Step {
 public:
  explicit WindowStep(DhanTask& task) : task_(task), step_(task.model_, task.data_) {}

  void prepare(std::span<const int64_t> rows, int64_t epoch) override {
    task_.draw(rows, epoch, drawn_);
    step_.clear();
    for (const DhanInstance& instance : drawn_.instance) step_.instance(instance);
    step_.prepare_instances();
    const Index& candidates = drawn_.pool.candidates;
    positive_.assign(static_cast<size_t>(candidates.items), 0);
    for (int64_t i = 0; i < candidates.rows; ++i) positive_[candidates.begin(i)] = 1;
    if (on_gpu_) step_.prepare_pairs({candidates.offsets, static_cast<size_t>(candidates.rows + 1)}, true);
    // A row comes once an epoch, so its number stands for the step.
    draw_ = static_cast<uint64_t>(epoch) << 40 | static_cast<uint64_t>(rows[0]);
  }

  Var loss(Tape& tape) override {
    DhanPool& pool = drawn_.pool;
    task_.negatives_.choose(pool);
    if (on_gpu_) {
      step_.candidates(pool.candidate);
    } else {
      for (int64_t c = 0; c < pool.candidates.items; ++c) step_.candidate(pool.candidates.row_of(c), pool.candidate[c]);
      step_.prepare_candidates();
    }
    Var loss = grad::two_means_loss(tape, step_.logits(tape, &draw_), tape.arena().copy(positive_).data());
    Var of_net = task_.negatives_.loss(tape, pool);
    return of_net ? grad::gather_sum(tape, {{loss, identity(1)}, {of_net, identity(1)}}) : loss;
  }

 private:
  DhanTask& task_;
  Drawn drawn_;
  const bool on_gpu_ = device() != Device::cpu;
  DhanStep step_;
  std::vector<uint8_t> positive_;  // by candidate
  uint64_t draw_ = 0;
};

std::unique_ptr<Trainee::Step> DhanTask::step() { return std::make_unique<WindowStep>(*this); }

double DhanTask::validate() {
  const std::vector<float> scores = ranker_.score(valid_.impression, valid_.candidate);
  require_numbers(scores);
  return judge_(valid_, scores);
}

double DhanTask::negative_rank(int64_t epoch, int64_t examples) {
  const int64_t n = std::min(examples, this->examples());
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.push_back(i * this->examples() / n);
  Drawn drawn;
  draw(rows, epoch, drawn);
  negatives_.choose(drawn.pool);
  return negatives_.mean_rank(drawn.pool);
}

}  // namespace nd
