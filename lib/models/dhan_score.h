// Scores of many candidates for many instances. What depends on an article or a user alone is made once for hundreds of
// instances; then every thread takes a few of them from end to end, so that what lies between stays in its caches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/models/dhan_batch.h"

namespace nd {

class DhanScorer {
 public:
  DhanScorer(Dhan& model, const DhanData& data);

  // One score a candidate, with the parameters as they are now; those of instance i are candidate[offsets[i]] ..
  // candidate[offsets[i + 1]), articles of the corpus. A score depends on its instance and candidate alone, to the bit.
  std::vector<float> score(std::span<const DhanInstance> instances, std::span<const int64_t> offsets,
                           std::span<const int32_t> candidate);

 private:
  void collect(const DhanInstance& instance, std::span<const int32_t> candidates);
  void score_collected(std::span<const DhanInstance> instances, float* out);

  Dhan& model_;
  const DhanData& data_;
  Distinct read_, candidates_, users_;
  std::vector<int32_t> history_, instance_user_, pair_candidate_;
  std::vector<int64_t> first_pair_;  // of each instance
  std::unique_ptr<Arena> arena_;
};

}  // namespace nd
