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
      clicks_(clicks),
      judge_(std::move(judge)),
      step_(model, data),
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
  negatives_.draw(drawn.click, epoch, drawn.pool);
}

Var DhanTask::loss(Tape& tape, const Drawn& drawn, uint64_t draw) {
  negatives_.choose(drawn.pool, drawn.instance);
  step_.clear();
  std::vector<uint8_t> positive;
  for (size_t i = 0; i < drawn.click.size(); ++i) {
    step_.instance(drawn.instance[i]);
    step_.candidate(clicks_.article.values[drawn.click[i]]);
    positive.push_back(1);
    for (const int32_t article : negatives_.of(static_cast<int64_t>(i))) {
      step_.candidate(article);
      positive.push_back(0);
    }
  }
  Var loss = grad::two_means_loss(tape, step_.logits(tape, &draw), tape.arena().copy(positive).data());
  Var of_net = negatives_.loss(tape, drawn.pool, drawn.instance);
  return of_net ? grad::gather_sum(tape, {{loss, identity(1)}, {of_net, identity(1)}}) : loss;
}

// The model chooses among what was drawn, so no more than that is done ahead.
class DhanTask::WindowStep : public Trainee::Step {
 public:
  explicit WindowStep(DhanTask& task) : task_(task) {}
  void prepare(std::span<const int64_t> rows, int64_t epoch) override {
    task_.draw(rows, epoch, drawn_);
    // A row comes once an epoch, so its number stands for the step.
    draw_ = static_cast<uint64_t>(epoch) << 40 | static_cast<uint64_t>(rows[0]);
  }
  Var loss(Tape& tape) override { return task_.loss(tape, drawn_, draw_); }

 private:
  DhanTask& task_;
  Drawn drawn_;
  uint64_t draw_ = 0;
};

std::unique_ptr<Trainee::Step> DhanTask::step() { return std::make_unique<WindowStep>(*this); }

double DhanTask::validate() { return judge_(valid_, ranker_.score(valid_.impression, valid_.candidate)); }

double DhanTask::negative_rank(int64_t epoch, int64_t examples) {
  const int64_t n = std::min(examples, this->examples());
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.push_back(i * this->examples() / n);
  Drawn drawn;
  draw(rows, epoch, drawn);
  negatives_.choose(drawn.pool, drawn.instance);
  return negatives_.mean_rank(drawn.pool);
}

}  // namespace nd
