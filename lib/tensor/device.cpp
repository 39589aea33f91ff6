#include "lib/tensor/device.h"

#include "lib/io/error.h"
#include "lib/tensor/cuda/gpu.h"

namespace nd {
namespace {

// The backend has operations but no model runs on it yet, so a GPU is of no use to a tool.
std::string why_no_cuda() {
  if constexpr (kHasCuda) {
    const cuda::Gpu gpu = cuda::find_gpu();
    return gpu.trouble.empty() ? "there is a GPU (" + gpu.name + "), but models cannot run on it yet" : gpu.trouble;
  } else {
    return "this build has no CUDA backend, as no nvcc was found when it was made";
  }
}

}  // namespace

Device pick_device(const std::string& wish) {
  if (wish == "cuda") throw Error("--device cuda: " + why_no_cuda() + "; use --device cpu");
  return Device::cpu;
}

}  // namespace nd
