// D-HAN in use: scores for instances of a log of clicks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/clicks.h"
#include "lib/models/dhan_score.h"

namespace nd {

class DhanRanker {
 public:
  // `user`: the row of identities of each of the clicks' users.
  DhanRanker(Dhan& model, const DhanData& data, const Clicks& clicks, std::vector<int32_t> user);

  // What is to be predicted at a click that has a whole history before it.
  DhanInstance instance(int64_t click) const;
  // Error naming `path` for one of these clicks that has none.
  void require_histories(std::span<const int32_t> clicks, const std::string& path) const;

  // Scores of candidate.values, for the clicks named by `instance`.
  std::vector<float> score(std::span<const int32_t> instance, const Ragged<int32_t>& candidate);

 private:
  Dhan& model_;
  const DhanData& data_;
  const Clicks& clicks_;
  std::vector<int32_t> user_;
  DhanScorer scorer_;
};

}  // namespace nd
