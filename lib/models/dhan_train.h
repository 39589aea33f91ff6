// D-HAN's training: one example per training window, the article read next against chosen negatives (eq. (9)).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "formats/candidates.h"
#include "lib/data/windows.h"
#include "lib/models/dhan_negatives.h"
#include "lib/models/dhan_rank.h"
#include "lib/nn/train.h"

namespace nd {

class DhanTask : public Trainee {
 public:
  // `judge` turns scores of valid's candidates, in order, into a number that is better when higher.
  using Judge = std::function<double(const Candidates& valid, std::span<const float> scores)>;

  // `user`: the row of identities of each of the clicks' users; `valid` names clicks of the same file.
  DhanTask(Dhan& model, const DhanData& data, const Clicks& clicks, const Windows& windows, std::vector<int32_t> user,
           const TrainingNegatives& drawn, const DhanNegativeOptions& negatives, const Candidates& valid, Judge judge,
           uint64_t seed);

  Parameters& parameters() override { return model_.parameters(); }
  int64_t examples() const override { return static_cast<int64_t>(windows_.train.size()); }
  std::unique_ptr<Step> step() override;
  double validate() override;

  // How hard the negatives of this epoch are as the model stands now: DhanNegatives::mean_rank of up to `examples`
  // training windows, evenly chosen.
  double negative_rank(int64_t epoch, int64_t examples);

 private:
  class WindowStep;
  struct Drawn {
    std::vector<int32_t> click;
    std::vector<DhanInstance> instance;
    DhanPool pool;
  };
  void draw(std::span<const int64_t> rows, int64_t epoch, Drawn& drawn) const;

  Dhan& model_;
  const Windows& windows_;
  const Candidates& valid_;
  const DhanData& data_;
  Judge judge_;
  DhanRanker ranker_;
  DhanNegatives negatives_;
};

}  // namespace nd
