// How every trainer tells about its training: a bar or a line within an epoch, a line after it, a line when it goes on.
#pragma once

#include <memory>
#include <string>

#include "lib/cli/log.h"
#include "lib/cli/signals.h"
#include "lib/nn/train.h"

namespace nd {

// Hooks that log and stop at signals. `examples` is what an epoch counts, `measure` what validation returns.
inline TrainHooks train_hooks(cli::Log& log, const std::string& examples, const std::string& measure) {
  const auto bar = std::make_shared<std::unique_ptr<cli::Progress>>();
  TrainHooks hooks;
  hooks.stop = cli::stop_requested;
  hooks.step = [&log, examples, bar](int64_t done, int64_t total, double) {
    if (!*bar) *bar = std::make_unique<cli::Progress>(log, examples, total);
    (*bar)->at(done);
  };
  hooks.epoch = [&log, measure, bar](const EpochReport& r) {
    bar->reset();
    log.info("epoch", {{"epoch", r.epoch},
                       {"loss", r.loss},
                       {measure, r.valid},
                       {"best", r.best},
                       {"best_epoch", r.best_epoch},
                       {"seconds", r.seconds}});
  };
  hooks.resumed = [&log](const std::string& path, int64_t epoch, int64_t step) {
    log.info("resumed", {{"from", path}, {"epoch", epoch}, {"step", step}});
  };
  return hooks;
}

}  // namespace nd
