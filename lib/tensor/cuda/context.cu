#include "lib/tensor/cuda/context.h"

#include <dlfcn.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "lib/io/error.h"
#include "lib/tensor/cuda/busy.h"
#include "lib/tensor/cuda/gpu.h"

namespace nd::cuda {
namespace {

constexpr size_t kWorkspace = 32 << 20;  // what cuBLAS asks for on Hopper

// Of the thread that started it, which queues all work: what others wait for, as they prepare the next steps, is done
// when this one waits.
thread_local std::unique_ptr<Busy> busy;

}  // namespace

// Linked in, its 600 MB would cost every start of every tool 70 ms or more, and a program could not even say that there
// is no GPU where the library is missing.
const Cublas& cublas_library() {
  static const Cublas library = [] {
    const std::string file = "libcublas.so." + std::to_string(CUBLAS_VER_MAJOR);
    void* opened = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    // Where the loader is not told of the toolkit, that of the build.
    if (!opened) opened = dlopen((std::string(ND_CUDA_LIBRARIES "/") + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened) return Cublas{opened, ""};
    return Cublas{nullptr, file + " of the CUDA toolkit cannot be loaded (" + dlerror() + ")"};
  }();
  return library;
}

void* cublas_function(const char* name) {
  const Cublas& library = cublas_library();
  if (!library.handle) throw Error("--device cuda: " + library.trouble + "; use --device cpu");
  void* const function = dlsym(library.handle, name);
  if (!function) throw Error(std::string("--device cuda: cuBLAS has no ") + name + "; use --device cpu");
  return function;
}

void check(cudaError_t status, const char* call) {
  const std::string why = cudaGetErrorString(status);
  switch (status) {
    case cudaSuccess:
      return;
    case cudaErrorMemoryAllocation:
      throw Error("--device cuda: out of GPU memory; use a smaller --batch, or --device cpu");
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorNoKernelImageForDevice:
      throw Error("--device cuda: " + (find_gpu().trouble.empty() ? why : find_gpu().trouble) + "; use --device cpu");
    case cudaErrorDevicesUnavailable:
    case cudaErrorECCUncorrectable:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchTimeout:
    case cudaErrorSystemDriverMismatch:
      throw Error("--device cuda: the GPU is lost (" + why + "); run again, or use --device cpu");
    default:
      throw Error("--device cuda: " + std::string(call) + ": " + why + "; use --device cpu");
  }
}

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED) check(cudaErrorMemoryAllocation, call);
  throw Error("--device cuda: " + std::string(call) + " failed with cuBLAS status " + std::to_string(status) +
              "; use --device cpu");
}

Context& Context::get() {
  static Context* const context = new Context;
  return *context;
}

Context::Context() {
  if (const Gpu gpu = find_gpu(); !gpu.trouble.empty())
    throw Error("--device cuda: " + gpu.trouble + "; use --device cpu");
  ND_CHECK(cudaSetDevice(0));
  ND_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  order_ = std::make_unique<Order>(stream_);
  // The pool keeps what is given back: a steady step asks nothing of the system.
  cudaMemPool_t pool;
  ND_CHECK(cudaDeviceGetDefaultMemPool(&pool, 0));
  uint64_t keep = UINT64_MAX;
  ND_CHECK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
}

cublasHandle_t Context::cublas() {
  if (!cublas_) {
    ND_CHECK(cudaMallocAsync(&workspace_, kWorkspace, stream_));
    ND_CHECK(cublas_function<decltype(cublasCreate_v2)>("cublasCreate_v2")(&cublas_));
    ND_CHECK(cublas_function<decltype(cublasSetStream_v2)>("cublasSetStream_v2")(cublas_, stream_));
    ND_CHECK(
        cublas_function<decltype(cublasSetWorkspace_v2)>("cublasSetWorkspace_v2")(cublas_, workspace_, kWorkspace));
    set_math();
  }
  return cublas_;
}

void Context::allow_tf32(bool allowed) {
  math_ = allowed ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH;
  if (cublas_) set_math();
}

void Context::set_math() {
  ND_CHECK(cublas_function<decltype(cublasSetMathMode)>("cublasSetMathMode")(cublas_, math_));
}

void Context::wait_for(uint64_t mark) {
  if (!busy) return order_->wait_for(mark);
  about_to_wait();
  order_->wait_for(order_->next_mark());  // the clock wants to know when all is done
  busy->hold();
}

void Context::about_to_wait() {
  if (busy) busy->let_go();
}

void Context::start_busy_clock() {
  wait();
  busy = std::make_unique<Busy>(stream_);
  busy->hold();
}

double Context::stop_busy_clock() {
  wait();
  const double seconds = busy->seconds();
  about_to_wait();
  ND_CHECK(cudaStreamSynchronize(stream_));
  busy.reset();
  return seconds;
}

}  // namespace nd::cuda
