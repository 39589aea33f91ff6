#include "lib/models/kred_train.h"

#include <algorithm>
#include <utility>

namespace nd {

KredStep::KredStep(Kred& model, const KredData& data)
    : model_(model), data_(data), batcher_(model, data), articles_(data.articles()) {
  clear();
}

void KredStep::clear() {
  articles_.clear();
  clicked_.clear();
  candidate_.clear();
  history_offsets_.assign(1, 0);
  candidate_offsets_.assign(1, 0);
}

void KredStep::user(std::span<const int32_t> history) {
  for (int32_t a : history) clicked_.push_back(articles_(a));
  history_offsets_.push_back(static_cast<int64_t>(clicked_.size()));
  candidate_offsets_.push_back(static_cast<int64_t>(candidate_.size()));
}

void KredStep::candidate(int32_t article) {
  candidate_.push_back(articles_(article));
  ++candidate_offsets_.back();
}

void KredStep::prepare() {
  arena_.reset();
  batch_ = batcher_.articles(arena_, articles_.rows(), &heads_);
  if (model_.uses_neighbours()) entities_ = batcher_.entities(arena_, heads_);
  histories_ = make_segments(arena_, arena_.copy(history_offsets_));
  clicks_ = make_index(arena_, arena_.copy(clicked_), batch_.count);
  users_ = make_segments(arena_, arena_.copy(candidate_offsets_));
  candidates_ = make_index(arena_, arena_.copy(candidate_), batch_.count);
}

Var KredStep::scores(Tape& tape) {
  const KredFrozen& frozen = data_.frozen();
  Var entities = !model_.uses_entities()    ? nullptr
                 : model_.uses_neighbours() ? model_.entities(tape, frozen, entities_)
                                            : tape.constant(frozen.entity_x);
  Var vectors = model_.articles(tape, frozen, batch_, entities);
  Var users = model_.users(tape, vectors, model_.history_logits(tape, vectors), histories_, clicks_);
  return model_.scores(tape, users, users_, vectors, candidates_);
}

Var KredStep::loss(Tape& tape, Var scores) {
  return grad::rank_loss(tape, users_, scores, static_cast<float>(model_.options().gamma));
}

KredUser2Item::KredUser2Item(Kred& model, KredData& data, const Behavior& train, const Behavior& valid,
                             const NegativeSampler& negatives, int64_t negatives_each, int64_t max_history,
                             bool resample, Judge judge)
    : model_(model),
      data_(data),
      train_(train),
      valid_(valid),
      negatives_(negatives),
      max_history_(max_history),
      resample_(resample),
      judge_(std::move(judge)),
      ranker_(model, data, max_history),
      negatives_each_(negatives_each) {
  for (int64_t i = 0; i < train.size(); ++i)
    for (int64_t c = train.candidate.offsets[i]; c < train.candidate.offsets[i + 1]; ++c)
      if (train.label[c] == kClicked)
        clicks_.push_back({static_cast<int32_t>(i), static_cast<int32_t>(c - train.candidate.offsets[i])});
}

class KredUser2Item::ClickStep : public Trainee::Step {
 public:
  explicit ClickStep(const KredUser2Item& task)
      : task_(task), step_(task.model_, task.data_), drawn_(static_cast<size_t>(task.negatives_each_)) {}

  void prepare(std::span<const int64_t> rows, int64_t epoch) override {
    step_.clear();
    for (const int64_t row : rows) {
      const Click& click = task_.clicks_[row];
      const auto history = task_.train_.history[task_.train_.impression_history[click.impression]];
      step_.user(history.last(std::min<size_t>(static_cast<size_t>(task_.max_history_), history.size())));
      step_.candidate(task_.train_.candidate[click.impression][click.position]);
      const int count = task_.negatives_.draw(click.impression, click.position, epoch, drawn_);
      for (int j = 0; j < count; ++j) step_.candidate(drawn_[j]);
    }
    step_.prepare();
  }
  Var loss(Tape& tape) override { return step_.loss(tape, step_.scores(tape)); }

 private:
  const KredUser2Item& task_;
  KredStep step_;
  std::vector<int32_t> drawn_;
};

std::unique_ptr<Trainee::Step> KredUser2Item::step() { return std::make_unique<ClickStep>(*this); }

double KredUser2Item::validate() {
  neighbours_of(0);
  const std::vector<float> scores = ranker_.score(valid_);
  require_numbers(scores);
  return judge_(valid_, scores);
}

void KredUser2Item::neighbours_of(int64_t epoch) {
  if (resample_ && std::exchange(neighbours_of_epoch_, epoch) != epoch) data_.choose_neighbours(epoch);
}

}  // namespace nd
