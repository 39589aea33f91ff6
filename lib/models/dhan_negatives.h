// Which of the drawn articles a click is learnt against (D-HAN, sec. 3.7: those most like the clicked one;
// dhan.md 1.10).
//
// The paper ranks a drawn pool by similarity to the positive. The authors' code ranks it by weights that are never
// trained, which amounts to a uniform choice; here the similarity is one that means something.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/data/training_negatives.h"
#include "lib/models/dhan_score.h"

namespace nd {

struct DhanNegativeOptions {
  // "uniform": those drawn first; "similar": nearest to the positive by the sum of the cosines of their mean sentences,
  // mean elements and identities; "bilinear": h_pᵀ W h_j of a small net, trained to tell articles of one reader from
  // others; "score": those the model itself now scores highest (Zhang et al. 2013).
  std::string dns = "similar";
  int64_t each = 3;   // k
  int64_t pool = 50;  // drawn to choose from, anew at every step; fewer where there are no more
};

// What was drawn for some training clicks.
struct DhanPool {
  std::vector<int32_t> positive;        // of each click
  std::vector<int32_t> article, owner;  // drawn articles, and which click each was drawn for
  std::vector<int64_t> offsets;         // by click
};

class DhanNegatives {
 public:
  // With bilinear the net's parameters join the model's, named "negatives.*".
  DhanNegatives(Dhan& model, const DhanData& data, const Clicks& clicks, const TrainingNegatives& drawn,
                const DhanNegativeOptions& options, uint64_t seed);

  // Draws for these training clicks in this epoch; on any thread.
  void draw(std::span<const int32_t> clicks, int64_t epoch, DhanPool& pool) const;
  // Chooses from what was drawn for clicks with these instances.
  void choose(const DhanPool& pool, std::span<const DhanInstance> instances);
  // What was chosen for the i-th of them, the hardest first.
  std::span<const int32_t> of(int64_t i) const {
    return std::span(chosen_).subspan(static_cast<size_t>(offsets_[i]),
                                      static_cast<size_t>(offsets_[i + 1] - offsets_[i]));
  }
  // The loss of the bilinear net on what was drawn, [1, 1]; null where there is no net.
  Var loss(Tape& tape, const DhanPool& pool, std::span<const DhanInstance> instances);

  // How near to their positives the chosen ones are among their pools by the similarity of "similar", whatever the
  // choice is made by: mean rank from 0, nearest, to pool - 1.
  double mean_rank(const DhanPool& pool);

 private:
  std::vector<float> cosines(const DhanPool& pool);
  std::vector<float> matches(const DhanPool& pool);
  Var net(Tape& tape, std::span<const int32_t> articles);

  Dhan& model_;
  const DhanData& data_;
  const Clicks& clicks_;
  const TrainingNegatives& drawn_;
  DhanNegativeOptions options_;
  DhanScorer scorer_;
  Arena arena_;
  std::vector<int32_t> chosen_;
  std::vector<int64_t> offsets_;
};

}  // namespace nd
