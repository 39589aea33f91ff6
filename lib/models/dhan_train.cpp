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

// Instances and negatives of these rows.
void DhanTask::choose(std::span<const int64_t> rows, int64_t epoch) {
  click_.clear();
  instance_.clear();
  for (const int64_t row : rows) {
    click_.push_back(windows_.train[static_cast<size_t>(row)]);
    instance_.push_back(ranker_.instance(click_.back()));
  }
  negatives_.choose(click_, instance_, epoch);
}

Var DhanTask::loss(Tape& tape, std::span<const int64_t> rows, int64_t epoch) {
  choose(rows, epoch);
  step_.clear();
  std::vector<uint8_t> positive;
  for (size_t i = 0; i < click_.size(); ++i) {
    step_.instance(instance_[i]);
    step_.candidate(clicks_.article.values[click_[i]]);
    positive.push_back(1);
    for (const int32_t article : negatives_.of(static_cast<int64_t>(i))) {
      step_.candidate(article);
      positive.push_back(0);
    }
  }
  auto kept = tape.arena().array<uint8_t>(step_.pairs());
  std::copy(positive.begin(), positive.end(), kept.begin());
  // A row comes once an epoch, so its number stands for the step.
  const uint64_t draw = static_cast<uint64_t>(epoch) << 40 | static_cast<uint64_t>(rows[0]);
  Var loss = grad::two_means_loss(tape, step_.logits(tape, &draw), kept.data());
  Var of_net = negatives_.loss(tape, instance_);
  return of_net ? grad::gather_sum(tape, {{loss, identity(1)}, {of_net, identity(1)}}) : loss;
}

double DhanTask::validate() { return judge_(valid_, ranker_.score(valid_.impression, valid_.candidate)); }

double DhanTask::negative_rank(int64_t epoch, int64_t examples) {
  const int64_t n = std::min(examples, this->examples());
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < n; ++i) rows.push_back(i * this->examples() / n);
  choose(rows, epoch);
  return negatives_.mean_rank();
}

}  // namespace nd
