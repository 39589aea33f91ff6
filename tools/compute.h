// With what a tool computes, as --threads, --device and --tf32 ask.
#pragma once

#include "lib/cli/command.h"
#include "lib/tensor/device.h"
#include "lib/tensor/parallel.h"

namespace nd {

// Error when the device cannot be had. Before anything is allocated.
inline void compute_with(const cli::Common& common) {
  set_threads(common.threads);
  use_device(pick_device(common.device));
  allow_tf32(common.tf32);
}

}  // namespace nd
