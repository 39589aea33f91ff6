// Puts the distinct articles and users of a step together, with indices both ways, in the step's arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/models/dhan.h"
#include "lib/models/dhan_data.h"
#include "lib/models/distinct.h"

namespace nd {

// What is to be predicted: who reads next, having read what and when, and the moment.
struct DhanInstance {
  int32_t user = 0;                  // row of identities
  std::span<const int32_t> article;  // the L articles read last, oldest first; rows of the corpus
  std::span<const int64_t> time;     // when, seconds since 1970
  int64_t now = 0;
};

// These articles of the corpus (distinct) as rows of the model's matrices.
DhanArticles dhan_articles(Arena& arena, const Dhan& model, const DhanData& data, std::span<const int32_t> articles);

// The rows of time tables, and the decays, of some instances; fills those members of a batch.
void fill_times(Arena& arena, const DhanOptions& options, std::span<const DhanInstance> instances, DhanBatch& batch);

// What depends on one article, one user or the parameters alone, for those given (distinct).
DhanParts dhan_parts(Tape& tape, Dhan& model, const DhanData& data, std::span<const int32_t> read,
                     std::span<const int32_t> candidates, std::span<const int32_t> users);

// Instances and pairs by their rows of the parts; `read`, `candidates`, `users`: how many rows those have.
struct DhanRows {
  std::span<const DhanInstance> instances;
  std::span<const int32_t> history;        // [instances * L]
  std::span<const int32_t> instance_user;  // [instances]
  std::span<const int32_t> pair_instance;  // [pairs], in order
  std::span<const int32_t> pair_candidate;
  int64_t read = 0, candidates = 0, users = 0;
};
// All spans must outlive the batch. With `by_row` it can be used for gradients and for attention to show, which takes
// time in proportion to the parts' rows.
DhanBatch dhan_batch(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row);

// Instances with their candidates, collected one by one, then scored together.
class DhanStep {
 public:
  DhanStep(Dhan& model, const DhanData& data);

  void clear();
  // The spans must live until clear().
  void instance(const DhanInstance& instance);
  void candidate(int32_t article);
  int64_t instances() const { return static_cast<int64_t>(instance_.size()); }
  int64_t pairs() const { return static_cast<int64_t>(pair_instance_.size()); }

  // The score of every candidate [pairs, 1], in order; see Dhan::logits.
  Var logits(Tape& tape, const uint64_t* draw = nullptr, DhanAttention* attention = nullptr);

 private:
  Dhan& model_;
  const DhanData& data_;
  Distinct read_, candidates_, users_;
  std::vector<DhanInstance> instance_;
  std::vector<int32_t> history_, instance_user_, pair_instance_, pair_candidate_;
};

}  // namespace nd
