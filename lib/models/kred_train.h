// KRED's user2item training: one example per click, ranked against drawn negatives (eqs. 10 and 11).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "formats/behavior.h"
#include "lib/data/negatives.h"
#include "lib/models/kred_rank.h"
#include "lib/nn/train.h"

namespace nd {

// Users with their histories and candidates, collected one by one, then scored together: each distinct article and
// entity of the step is computed once.
class KredStep {
 public:
  KredStep(Kred& model, const KredData& data);

  void clear();
  // Articles are rows of the corpus. The history may be empty; the first candidate is the clicked one.
  void user(std::span<const int32_t> history);
  void candidate(int32_t article);

  // All of it that does not depend on the parameters, once everybody is there.
  void prepare();
  // Eq. (9) of every candidate [candidates, 1]; valid until clear().
  Var scores(Tape& tape);
  // Eqs. (10)-(11): mean over users, without the L2 term.
  Var loss(Tape& tape, Var scores);

 private:
  Kred& model_;
  const KredData& data_;
  KredBatcher batcher_;
  Distinct articles_;
  std::vector<int32_t> heads_, clicked_, candidate_;
  std::vector<int64_t> history_offsets_, candidate_offsets_;
  // What prepare() made.
  Arena arena_;
  ArticleBatch batch_;
  EntityBatch entities_;
  Index histories_, clicks_, users_, candidates_;
};

class KredUser2Item : public Trainee {
 public:
  // `judge` turns scores of valid's candidates, in order, into a number that is better when higher.
  using Judge = std::function<double(const Behavior& valid, std::span<const float> scores)>;

  KredUser2Item(Kred& model, KredData& data, const Behavior& train, const Behavior& valid,
                const NegativeSampler& negatives, int64_t negatives_each, int64_t max_history, bool resample,
                Judge judge);

  Parameters& parameters() override { return model_.parameters(); }
  int64_t examples() const override { return static_cast<int64_t>(clicks_.size()); }
  void begin_epoch(int64_t epoch) override { neighbours_of(epoch); }
  std::unique_ptr<Step> step() override;
  // Judges with the neighbours of epoch 0, which are those the trained model will be used with.
  double validate() override;

 private:
  class ClickStep;
  void neighbours_of(int64_t epoch);

  struct Click {
    int32_t impression, position;  // which of the impression's candidates was clicked
  };

  Kred& model_;
  KredData& data_;
  const Behavior &train_, &valid_;
  const NegativeSampler& negatives_;
  int64_t max_history_;
  bool resample_;
  int64_t neighbours_of_epoch_ = 0;
  Judge judge_;
  KredRanker ranker_;
  std::vector<Click> clicks_;
  int64_t negatives_each_;
};

}  // namespace nd
