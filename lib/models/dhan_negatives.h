// Which of the drawn articles a click is learnt against (D-HAN, sec. 3.7: those most like the clicked one;
// dhan.md 1.10).
//
// The paper ranks a drawn pool by similarity to the positive. The authors' code ranks it by weights that are never
// trained, which amounts to a uniform choice; here the similarity is one that means something.
#pragma once

#include <cstdint>
#include <memory>
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

// What is drawn for some training clicks, and chosen of it. All sizes are known ahead; which articles they are may be
// known to the device alone, and not before choose().
struct DhanPool {
  Arena arena;
  std::span<const DhanInstance> instances;  // of the clicks
  Index drawn, candidates;                  // runs, by click
  std::span<const int32_t> positive;        // [clicks]
  std::span<const int32_t> positive_of;     // [drawn] the one it was drawn for
  std::span<int32_t> article;               // [drawn]
  std::span<int32_t> candidate;             // [candidates] a click's positive, then what was chosen, hardest first
  Mat rank;                                 // [drawn, 1] how many of the click's were preferred to it
  ApartDraws draws;                         // of them, where they are drawn by choose()
  std::unique_ptr<DhanStep> scored;         // all that were drawn, where the model scores them on a GPU
};

class DhanNegatives {
 public:
  // With bilinear the net's parameters join the model's, named "negatives.*".
  DhanNegatives(Dhan& model, const DhanData& data, const Clicks& clicks, const TrainingNegatives& drawn,
                const DhanNegativeOptions& options, uint64_t seed);

  // All that takes no operation, for these training clicks with their instances in this epoch; on any thread. The
  // instances must live as long as what is drawn for them.
  void draw(std::span<const int32_t> clicks, std::span<const DhanInstance> instances, int64_t epoch,
            DhanPool& pool) const;
  // Draws the rest, and chooses. The host waits for nothing here, except for "score" on a CPU.
  void choose(DhanPool& pool);
  // The loss of the bilinear net on what was drawn, [1, 1]; null where there is no net.
  Var loss(Tape& tape, const DhanPool& pool);

  // How near to their positives the chosen ones are among their pools by the similarity of "similar", whatever the
  // choice is made by: mean rank from 0, nearest, to pool - 1.
  double mean_rank(DhanPool& pool);

 private:
  Mat cosines(DhanPool& pool);
  Mat matches(DhanPool& pool);
  Mat scores(DhanPool& pool);
  Var net(Tape& tape, std::span<const int32_t> articles);

  Dhan& model_;
  const DhanData& data_;
  const Clicks& clicks_;
  const TrainingNegatives& drawn_;
  DhanNegativeOptions options_;
  DhanScorer scorer_;
  Arena tables_;  // what lists_ names
  ApartDraws lists_;
  Arena arena_;  // of choose()
};

}  // namespace nd
