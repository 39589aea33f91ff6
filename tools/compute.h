// With what a tool computes, as --threads, --device and --tf32 ask.
#pragma once

#include "lib/cli/command.h"
#include "lib/io/error.h"
#include "lib/tensor/device.h"
#include "lib/tensor/parallel.h"

namespace nd {

// Error when the device cannot be had, or steps are to be CUDA graphs where no GPU is. Before anything is allocated.
inline void compute_with(const cli::Common& common, bool cuda_graphs = false) {
  set_threads(common.threads);
  use_device(pick_device(common.device));
  allow_tf32(common.tf32);
  if (cuda_graphs && device() != Device::cuda)
    throw Error("--cuda-graphs: this run computes on the CPU; leave it away, or use --device cuda");
}

inline void declare_cuda_graphs(cli::Command& c, bool& wanted) {
  c.flag(wanted, "--cuda-graphs",
         "start a step on the GPU as one CUDA graph instead of many kernels; unproven, the same bytes",
         cli::not_content);
}
// How well that went, once the training is over.
inline void tell_cuda_graphs(cli::Log& log) {
  if (const RecordedCounts counts = recorded_counts(); counts.started > 0)
    log.info("cuda_graphs", {{"steps", static_cast<int64_t>(counts.started)},
                             {"unlike_the_one_before", static_cast<int64_t>(counts.built)}});
}

}  // namespace nd
