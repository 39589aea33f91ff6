// What kernels are launched with.
#pragma once

#include <cuda_runtime.h>

namespace nd::cuda {

cudaStream_t stream();
// Error when the last launch could not be made.
void check_launch();

}  // namespace nd::cuda
