// Batches of TransE: which side of each triple is replaced, by what, and which rows of the tables a step then moves.
// Nothing of this depends on the vectors, so it can be made ahead, on any thread (lib/nn/steps_ahead.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/kg.h"
#include "lib/models/distinct.h"
#include "lib/models/transe.h"
#include "lib/tensor/arena.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/random.h"

namespace nd {

// Whether a triple is among the training triples: a set of 64-bit hashes, so that one false yes in about 10^13
// questions costs a redrawn replacement and nothing else.
class TripleSet {
 public:
  void build(const Kg& kg, int64_t triples);
  bool has(int32_t head, int32_t relation, int32_t tail) const;
  // For many questions in a row: ask for all places, then look, so that they do not wait one after another.
  void prefetch(int32_t head, int32_t relation, int32_t tail) const;

 private:
  static uint64_t key(int32_t head, int32_t relation, int32_t tail);
  size_t find(uint64_t wanted) const;
  std::vector<uint64_t> slots_;
};

// What all batches of a training draw from.
struct TranseDraws {
  TranseDraws(const Kg& kg, int64_t triples, const TranseOptions& options);

  const Kg& kg;
  const TranseOptions& options;
  Random sides, negatives;
  std::vector<double> tail_share;  // by relation
  std::vector<int32_t> seen;       // entities of the training triples: what replacements are drawn from
  TripleSet known;                 // where replacements are filtered
};

// A batch, and what is made of its gradients, dquery, danswer and dreplacement of ops::transe_loss as one matrix.
class TransePlace {
 public:
  explicit TransePlace(const TranseDraws& draws);

  // Sets the batch to these training triples, of which the first is at `begin` in the epoch's order: those whose tail
  // is replaced come first. A pure function of its arguments and the draws.
  void prepare(std::span<const int64_t> triples, int64_t epoch, int64_t begin);

  // Brings all of it to the device at once; before operations read it.
  void send() { arena_.send(); }

  const TranseBatch& batch() const { return batch_; }
  // Runs, rows and signs of the gradients; their numbers, and which are used, are the step's.
  const RowGradients& of_entities() const { return of_entities_; }
  const RowGradients& of_relations() const { return of_relations_; }

 private:
  void add_side(const std::vector<int64_t>& triples, const Array<int32_t>& anchor, const Array<int32_t>& answer,
                float sign);
  void draw_replacements(int64_t epoch, int64_t begin);
  void find_rows();

  const TranseDraws& draws_;
  Arena arena_;
  std::vector<int64_t> tails_, heads_;  // triples of which this side is replaced
  std::span<int32_t> anchor_, relation_, answer_, replacement_;
  std::span<float> sign_;
  std::span<int64_t> chunk_;
  size_t triples_ = 0, chunks_ = 0;  // so far
  Distinct entities_, relations_;
  TranseBatch batch_;
  RowGradients of_entities_, of_relations_;
};

}  // namespace nd
