// The training loop every model shares: shuffled mini-batches, validation after each epoch, early stopping with the
// best epoch restored, and a checkpoint from which a stopped run goes on to the very same bytes.
//
// All randomness is a function of (seed, epoch, row), so a checkpoint needs no generator state: parameters, moments,
// where the run stands and how good it has been are everything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lib/io/kind_file.h"
#include "lib/nn/parameters.h"
#include "lib/tensor/tape.h"

namespace nd {

struct TrainOptions {
  int64_t epochs = 100;   // at most
  int64_t batch = 64;     // examples a step
  int64_t patience = 10;  // stop after this many epochs without a better validation result; 0, or no result: never
  uint64_t seed = 1;
  OptimiserOptions optimiser;
  bool cuda_graphs = false;  // a step is started on the GPU as one graph; the same bytes
};

// What is trained.
class Trainee {
 public:
  virtual ~Trainee() = default;
  virtual Parameters& parameters() = 0;
  virtual int64_t examples() const = 0;
  // Called before the first step of an epoch.
  virtual void begin_epoch(int64_t /*epoch*/) {}

  // A place for one step after another, in two halves, of which the first can be done ahead, while a step in another
  // place is computed.
  class Step {
   public:
    virtual ~Step() = default;
    // All that the loss of these examples (rows in [0, examples())) in this epoch takes and that does not depend on the
    // parameters. On any thread, beside prepare and loss of other places.
    virtual void prepare(std::span<const int64_t> rows, int64_t epoch) = 0;
    // Called when its turn has come, before its loss, and before anything is recorded: what reads results back, or
    // waits for them, stands here.
    virtual void begin() {}
    // The mean loss of the examples prepared last, as a (1,1) value on the tape, good until the next prepare.
    virtual Var loss(Tape& tape) = 0;
  };
  virtual std::unique_ptr<Step> step() = 0;
  // How good the current parameters are, higher is better; NaN when nothing can be said.
  virtual double validate() = 0;
};

// Error when one of the scores to validate by is NaN: that is what has become of the parameters.
void require_numbers(std::span<const float> scores);

struct EpochReport {
  int64_t epoch = 0;  // from 1
  int64_t steps = 0;  // optimiser steps so far
  double loss = 0;    // mean over the epoch's examples
  double valid = 0;   // what validate() returned
  double best = 0;    // best so far
  int64_t best_epoch = 0;
  double seconds = 0;  // of this epoch in this run
  int64_t examples = 0;
};

// What a tool does on the way; every member may be empty.
struct TrainHooks {
  std::function<void(const EpochReport&)> epoch;
  std::function<void(int64_t done, int64_t total, double mean_loss)> step;  // within the epoch; on a GPU a step late
  std::function<int()> stop;  // a signal's number to stop for, else 0; asked after every step
  std::function<void(const std::string& path, int64_t epoch, int64_t step)> resumed;
};

// Where a stopped run is kept. An empty path keeps none.
struct CheckpointFile {
  std::string path;
  Meta meta;             // tool, options and inputs: a run goes on only under the same
  bool restart = false;  // ignore what is there
  double seconds = 30;   // also written this often without being asked, so that a killed machine costs little
};

struct TrainResult {
  EpochReport last;
  bool stopped_early = false;
};

// Trains until patience or epochs run out; the parameters end as they were after the best epoch. Throws Interrupted
// after writing the checkpoint when hooks.stop says so, and Error when the checkpoint on disk is of another run (naming
// the first difference) or the loss is not finite. Removes the checkpoint at the end: call finish_checkpoint() once the
// result is safely on disk.
TrainResult train(Trainee& trainee, const TrainOptions& options, const TrainHooks& hooks,
                  const CheckpointFile& checkpoint);
// For a trainer with a loop of its own: what a run stopped earlier left behind, nothing when there is none or when
// `restart` asks for a new start. Error when it cannot be read, or is of another run, naming the first difference.
std::optional<File<Checkpoint>> open_checkpoint(const CheckpointFile& checkpoint);
void finish_checkpoint(const CheckpointFile& checkpoint);

}  // namespace nd
