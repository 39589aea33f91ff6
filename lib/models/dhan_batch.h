// Puts the distinct articles and users of a step together, with indices both ways.
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

// What Dhan::candidates() takes of the same, where the device alone may know them; each as often as it is there.
// `by_row` for gradients.
DhanArticles dhan_candidates_there(Arena& arena, const Dhan& model, const DhanData& data,
                                   std::span<const int32_t> articles, bool by_row);

// The rows of time tables, and the decays, of some instances; fills those members of a batch.
void fill_times(Arena& arena, const DhanOptions& options, std::span<const DhanInstance> instances, DhanBatch& batch);

// What depends on one article, one user or the parameters alone, for those given (distinct).
DhanParts dhan_parts(Tape& tape, Dhan& model, const DhanData& data, const DhanArticles& read,
                     const DhanArticles& candidates, const Index& users);

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
// The same in two halves: what the instances alone say, and the rest.
DhanBatch dhan_instances(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row);
void add_pairs(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row, DhanBatch& batch);

// Instances with their candidates, collected one by one, then scored together. Nothing but logits() reads parameters.
class DhanStep {
 public:
  DhanStep(Dhan& model, const DhanData& data);

  void clear();
  // The spans must live until clear().
  void instance(const DhanInstance& instance);
  // Once all instances are there, before or after the first candidate.
  void prepare_instances();
  // Of the i-th instance; in their order.
  void candidate(int64_t i, int32_t article);
  // Once all candidates are there and the instances prepared.
  void prepare_candidates();

  // Or else, where it is known late, and perhaps to the device alone, which they are: first how many, those of instance
  // i being offsets[i] .. offsets[i + 1), once the instances are prepared; then which [offsets.back()]. Each is
  // computed for itself, though it be the same as another. `by_row` as in dhan_batch.
  void prepare_pairs(std::span<const int64_t> offsets, bool by_row);
  void candidates(std::span<const int32_t> articles);

  // The score of every candidate [pairs, 1], in order; see Dhan::logits.
  Var logits(Tape& tape, const uint64_t* draw = nullptr, DhanAttention* attention = nullptr);

 private:
  Dhan& model_;
  const DhanData& data_;
  Distinct read_, candidates_, users_;
  std::vector<DhanInstance> instance_;
  std::vector<int32_t> history_, instance_user_, pair_instance_, pair_candidate_;
  // What was prepared.
  Arena arena_;
  DhanRows rows_;
  DhanArticles read_articles_, candidate_articles_;
  Index user_rows_;
  DhanBatch batch_;
  bool by_row_ = true;
};

}  // namespace nd
