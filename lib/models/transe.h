// TransE (Bordes et al., "Translating Embeddings for Modeling Multi-relational Data", NIPS 2013): entities and
// relations as vectors with head + relation close to tail, learnt by telling triples from ones with a replaced side.
//
// Training is in synchronous mini-batches: the gradients of a batch are taken at the same parameters and summed per row
// in a fixed order, so the result is the same bits for any number of threads (lock-free updates are faster, and differ
// from run to run).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/kg.h"
#include "formats/vectors.h"
#include "lib/nn/train.h"

namespace nd {

struct TranseOptions {
  int64_t dim = 90;
  std::string norm = "l2";                // distance |h + r − t|: l1, or l2 (the root, not the square)
  std::string loss = "self-adversarial";  // or margin: see TranseLoss in lib/tensor/ops.h
  double margin = 5;
  double temperature = 3;              // self-adversarial only
  int64_t negatives = 64;              // replacements of a triple
  int64_t chunk = 64;                  // triples that share their replacements
  std::string corrupt = "uniform";     // which side: "uniform" by a fair coin, "bernoulli" by the relation's shape
  bool filter = false;                 // draw again what would be a training triple; chunk must be 1
  std::string optimiser = "adam";      // adam, adagrad or sgd, on the rows a batch uses only
  double lr = 0.01, final_lr = 0.001;  // of the first and of the last step, falling linearly
  double start = 0.1;                  // vectors begin uniform in ±start
  std::string bound = "none";          // "ball": vectors a step has moved are shortened to length 1 at most;
                                       // "sphere": entity vectors are set to length 1 before each epoch
  int64_t batch = 2048, epochs = 100;
  uint64_t seed = 1;
  bool cuda_graphs = false;  // a step is started on the GPU as one graph; the same bytes
};

// "best": the self-adversarial loss with shared replacements as in the defaults above, what works best; "paper": margin
// loss, one replacement. Throws UsageError for another name.
TranseOptions transe_preset(std::string_view name);

// Throws UsageError for settings that make no sense together.
void check(const TranseOptions& options);

// For each relation how often the tail is the side that is replaced: 0.5 by "uniform"; hpt / (tph + hpt) by "bernoulli"
// (Wang et al. 2014), with tph the mean number of tails of a head and hpt of heads of a tail among these triples, so
// that mostly the side with few true answers is replaced, which makes fewer true triples by accident.
std::vector<double> tail_shares(const Kg& kg, int64_t triples, std::string_view corrupt);

struct TranseReport {
  int64_t epoch = 0;    // from 1
  double loss = 0;      // mean over the epoch's triples
  double lr = 0;        // of its last step
  double seconds = 0;   // of this epoch in this run
  int64_t triples = 0;  // done in these seconds
};

// What a tool does on the way; every member may be empty.
struct TranseHooks {
  std::function<void(const TranseReport&)> epoch;
  std::function<void(int64_t done, int64_t total)> step;  // triples, over all epochs; on a GPU a step late
  std::function<int()> stop;  // a signal's number to stop for, else 0; asked after every step
  std::function<void(const std::string& path, int64_t epoch, int64_t step)> resumed;
};

// Trains on the first `triples` triples of the graph. Every entity and relation of the graph gets a vector; those in
// none of these triples keep their start, and are never drawn as replacements. Goes on from `checkpoint` where a run of
// the same settings stopped, ending with the same bytes; throws Interrupted after writing it when hooks.stop says so.
// Error when there is nothing to train on, or when the loss is no longer finite.
Vectors train_transe(const Kg& kg, int64_t triples, const TranseOptions& options, const TranseHooks& hooks,
                     const CheckpointFile& checkpoint);

}  // namespace nd
