#include "lib/nn/train.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "lib/io/digest.h"
#include "lib/io/kind_file.h"
#include "lib/nn/steps_ahead.h"
#include "lib/tensor/device.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Where a run stands; with the parameters and their moments this is all of it.
struct Progress {
  int64_t epoch = 0;  // epochs finished
  int64_t done = 0;   // examples of the running epoch that are done
  int64_t steps = 0;  // optimiser steps in all
  double loss_sum = 0;
  double best = -std::numeric_limits<double>::infinity();
  int64_t best_epoch = 0;
};

// The first thing that differs between the run on disk and this one, "" when nothing does.
std::string difference(const Meta& disk, const Meta& run) {
  if (disk.tool != run.tool) return "tool " + disk.tool + " there, " + run.tool + " here";
  const json::Object none;
  const json::Object& a = disk.options.object() ? *disk.options.object() : none;
  const json::Object& b = run.options.object() ? *run.options.object() : none;
  for (const auto& [key, value] : b) {
    const auto there = a.find(key);
    const std::string was = there == a.end() ? "nothing" : there->second.dump();
    if (was != value.dump()) return "option " + key + " was " + was + ", is " + value.dump();
  }
  for (const auto& [key, value] : a)
    if (!b.count(key)) return "option " + key + " was " + value.dump() + ", is nothing";
  const auto digest = [](const Meta& meta, const std::string& role) -> std::string {
    for (const Input& input : meta.inputs)
      if (input.role == role) return hex(input.digest);
    return "nothing";
  };
  for (const Meta* meta : {&disk, &run})
    for (const Input& input : meta->inputs)
      if (const std::string was = digest(disk, input.role), is = digest(run, input.role); was != is)
        return "input " + input.role + " was " + was + ", is " + is;
  return "";
}

class Run {
 public:
  Run(Trainee& trainee, const TrainOptions& options, const TrainHooks& hooks, const CheckpointFile& file)
      : trainee_(trainee),
        parameters_(trainee.parameters()),
        options_(options),
        hooks_(hooks),
        file_(file),
        steps_([&] { return trainee.step(); }) {
    parameters_.write(best_, "best.", &Parameter::value);
  }

  TrainResult all() {
    resume();
    last_saved_ = now();
    TrainResult result;
    while (at_.epoch < options_.epochs) {
      const double began = now();
      one_epoch();
      EpochReport report = close_epoch();
      report.seconds = now() - began;
      result.last = report;
      if (hooks_.epoch) hooks_.epoch(report);
      if (options_.patience > 0 && at_.epoch - at_.best_epoch >= options_.patience) {
        result.stopped_early = true;
        break;
      }
      save_if(now() - last_saved_ >= file_.seconds);
    }
    parameters_.read(best_, "best.", &Parameter::value);
    return result;
  }

 private:
  void one_epoch() {
    order_.resize(static_cast<size_t>(trainee_.examples()));
    std::iota(order_.begin(), order_.end(), 0);
    RandomSequence random(options_.seed, "shuffle", static_cast<uint64_t>(at_.epoch + 1));
    shuffle(order_, random);
    const auto total = static_cast<int64_t>(order_.size());
    trainee_.begin_epoch(at_.epoch + 1);
    const int64_t steps = (total + options_.batch - 1) / options_.batch;
    steps_.begin(at_.done / options_.batch, steps, [this, epoch = at_.epoch + 1](Trainee::Step& step, int64_t number) {
      step.prepare(rows_of(number), epoch);
    });
    for (int64_t asked = at_.done; asked < total;) {
      const int64_t count = std::min(options_.batch, total - asked);
      asked += count;
      const Started next = start(steps_.next(), count);
      // While a GPU computes this step, the host sees what came of the one before and prepares the one after.
      finish(total);
      started_ = next;
      if (device() == Device::cpu || asked == total) finish(total);
      const int signal = hooks_.stop ? hooks_.stop() : 0;
      if (!file_.path.empty() && (signal != 0 || now() - last_saved_ >= file_.seconds)) {
        finish(total);
        save_if(true);
      }
      if (signal) throw Interrupted(signal);
    }
  }

  std::span<const int64_t> rows_of(int64_t step) const {
    const auto begin = static_cast<size_t>(step * options_.batch), batch = static_cast<size_t>(options_.batch);
    return std::span(order_).subspan(begin, std::min(batch, order_.size() - begin));
  }

  // A step that was asked for.
  struct Started {
    LateValue loss;
    int64_t examples = 0, steps_before = 0;
  };
  Started start(Trainee::Step& step, int64_t examples) {
    step.begin();
    // The next step must not write where this one may still be read. A CPU computes one after the other.
    Tape& tape = tapes_[device() == Device::cpu ? 0 : at_.steps % 2];
    tape.reset();
    parameters_.clear_gradients();
    // The first two are not recorded: memory finds its size, libraries and kernels are loaded.
    Recording recording(options_.cuda_graphs && ++steps_here_ > 2);
    const Var loss = step.loss(tape);
    tape.backward(loss);
    parameters_.step(options_.optimiser, ++at_.steps);
    const LateValue value = value_later(tape.arena(), loss->value);
    recording.start();
    return {value, examples, at_.steps - 1};
  }
  // Waits for the step that is under way, if one is.
  void finish(int64_t total) {
    if (!started_) return;
    const auto [loss, examples, steps_before] = *started_;
    started_.reset();
    const auto mean = static_cast<double>(value_of(loss));
    if (!std::isfinite(mean))
      throw Error("the loss is not finite in epoch " + std::to_string(at_.epoch + 1) + " after " +
                  std::to_string(steps_before) + " steps; try a smaller --lr");
    at_.done += examples;
    at_.loss_sum += mean * static_cast<double>(examples);
    if (hooks_.step) hooks_.step(at_.done, total, at_.loss_sum / static_cast<double>(at_.done));
  }

  EpochReport close_epoch() {
    EpochReport report;
    report.examples = at_.done;
    report.loss = at_.loss_sum / static_cast<double>(std::max<int64_t>(at_.done, 1));
    report.valid = trainee_.validate();
    report.epoch = ++at_.epoch;
    at_.done = 0;
    at_.loss_sum = 0;
    // Without a validation result the last epoch is the best there is.
    if (report.valid > at_.best || std::isnan(report.valid)) {
      if (!std::isnan(report.valid)) at_.best = report.valid;
      at_.best_epoch = at_.epoch;
      parameters_.write(best_, "best.", &Parameter::value);
    }
    report.steps = at_.steps;
    report.best = at_.best;
    report.best_epoch = at_.best_epoch;
    return report;
  }

  void save_if(bool due) {
    if (!due || file_.path.empty()) return;
    Checkpoint c;
    parameters_.write(c.tensor, "now.", &Parameter::value);
    parameters_.write(c.tensor, "m.", &Parameter::m);
    parameters_.write(c.tensor, "v.", &Parameter::v);
    c.tensor.insert(best_.begin(), best_.end());
    c.counter["progress"] = std::vector<int64_t>{at_.epoch, at_.done, at_.steps, at_.best_epoch};
    c.number["losses"] = std::vector<double>{at_.loss_sum, at_.best};
    save(file_.path, c, file_.meta);
    last_saved_ = now();
  }

  void resume() {
    const auto saved = open_checkpoint(file_);
    if (!saved) return;
    const File<Checkpoint>& c = *saved;
    try {
      parameters_.read(c->tensor, "now.", &Parameter::value);
      parameters_.read(c->tensor, "m.", &Parameter::m);
      parameters_.read(c->tensor, "v.", &Parameter::v);
      for (auto& [name, matrix] : best_) {
        const auto found = c->tensor.find(name);
        if (found == c->tensor.end()) throw Error("tensor " + name + " is missing");
        matrix = found->second;
      }
      const auto counts = c->counter.find("progress");
      const auto numbers = c->number.find("losses");
      if (counts == c->counter.end() || counts->second.size() != 4 || numbers == c->number.end() ||
          numbers->second.size() != 2)
        throw Error("progress is missing");
      const auto& n = counts->second;
      at_ = {n[0], n[1], n[2], numbers->second[0], numbers->second[1], n[3]};
    } catch (const Error& e) {
      throw Error(file_.path, std::string(e.what()) + "; give --restart to start anew");
    }
    if (hooks_.resumed) hooks_.resumed(file_.path, at_.epoch, at_.steps);
  }

  Trainee& trainee_;
  Parameters& parameters_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  const CheckpointFile& file_;
  Progress at_;
  std::map<std::string, Matrix> best_;
  double last_saved_ = 0;
  Arena arenas_[2];
  Tape tapes_[2] = {Tape(arenas_[0]), Tape(arenas_[1])};
  int64_t steps_here_ = 0;  // of this run
  std::optional<Started> started_;
  std::vector<int64_t> order_;       // of the running epoch
  StepsAhead<Trainee::Step> steps_;  // reads it
};

}  // namespace

void require_numbers(std::span<const float> scores) {
  if (std::ranges::any_of(scores, [](float score) { return std::isnan(score); }))
    throw Error("the model scores NaN in the validation; try a smaller --lr");
}

TrainResult train(Trainee& trainee, const TrainOptions& options, const TrainHooks& hooks,
                  const CheckpointFile& checkpoint) {
  if (trainee.examples() == 0) throw Error("there is nothing to train on: no clicked candidate in the training file");
  return Run(trainee, options, hooks, checkpoint).all();
}

std::optional<File<Checkpoint>> open_checkpoint(const CheckpointFile& checkpoint) {
  if (checkpoint.path.empty() || checkpoint.restart || access(checkpoint.path.c_str(), F_OK) != 0) return std::nullopt;
  auto saved = [&] {
    try {
      return load<Checkpoint>(checkpoint.path);
    } catch (const Error& e) {
      throw Error(std::string(e.what()) + "; give --restart to start anew");
    }
  }();
  const std::string other = difference(saved.meta, checkpoint.meta);
  if (!other.empty())
    throw Error(checkpoint.path, "a training with other settings was stopped here (" + other +
                                     "); give --restart to start anew, or the old settings to go on");
  return saved;
}

void finish_checkpoint(const CheckpointFile& checkpoint) {
  if (!checkpoint.path.empty()) unlink(checkpoint.path.c_str());
}

}  // namespace nd
