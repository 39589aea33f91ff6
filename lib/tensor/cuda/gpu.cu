#include "lib/tensor/cuda/gpu.h"

#include <cuda_runtime.h>

namespace nd::cuda {
namespace {

std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

}  // namespace

Gpu find_gpu() {
  int driver = 0, runtime = 0, count = 0;
  // Both fail on a machine without a driver, which then has version 0.
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return {"", "no GPU here: no NVIDIA driver is loaded"};
  if (cudaRuntimeGetVersion(&runtime) == cudaSuccess && driver / 1000 < runtime / 1000)
    return {"", "the NVIDIA driver is too old: it supports CUDA " + version(driver) + ", this build needs " +
                    version(runtime) + " (update the driver)"};
  if (const cudaError_t e = cudaGetDeviceCount(&count); e != cudaSuccess || count == 0)
    return {"", std::string("no GPU here: ") + (e == cudaSuccess ? "the driver finds none" : cudaGetErrorString(e))};
  cudaDeviceProp about;
  if (const cudaError_t e = cudaGetDeviceProperties(&about, 0); e != cudaSuccess)
    return {"", std::string("no GPU here: ") + cudaGetErrorString(e)};
  constexpr int kOldest = 8;  // the least of CMAKE_CUDA_ARCHITECTURES
  if (about.major < kOldest)
    return {"", std::string("this GPU (") + about.name + ") is too old: compute capability " +
                    std::to_string(about.major) + "." + std::to_string(about.minor) + ", at least 8.0 is needed"};
  return {about.name, ""};
}

}  // namespace nd::cuda
