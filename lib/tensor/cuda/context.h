// Everything a CUDA operation needs from its surroundings: errors, memory, the stream, cuBLAS and the launch of a
// kernel. Only .cu files and the tests of the GPU include it.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace nd::cuda {

// Error with one line and what to do, unless all is well: out of memory, a lost device, a driver too old, or our
// mistake.
void check(cudaError_t status, const char* call);
void check(cublasStatus_t status, const char* call);
#define ND_CHECK(call) ::nd::cuda::check((call), #call)

// One for the process, on GPU 0, made at first use (Error where there is none). All work is queued on one stream, so
// operations run in the order of their calls and none of them waits.
class Context {
 public:
  static Context& get();
  Context(const Context&) = delete;

  cudaStream_t stream() const { return stream_; }
  // With a workspace of our own: cuBLAS promises the same bits from run to run with one handle on one stream, and a
  // captured graph needs memory that stays.
  cublasHandle_t cublas();
  // At least this many bytes, for one operation: the next one writes over them. Grows, and then the stream is waited
  // for.
  void* scratch(size_t bytes);
  template <class T>
  T* scratch(int64_t count) {
    return static_cast<T*>(scratch(static_cast<size_t>(count) * sizeof(T)));
  }
  // Waits for all that was queued; Error if any of it failed.
  void wait();

 private:
  Context();
  ~Context() = delete;  // lives as long as the process: at exit the driver may be gone already

  cudaStream_t stream_ = nullptr;
  cublasHandle_t cublas_ = nullptr;
  void* workspace_ = nullptr;
  void* scratch_ = nullptr;
  size_t scratch_size_ = 0;
};

// Device memory, from the driver's pool, which keeps what is given back.
class Memory {
 public:
  Memory() = default;
  explicit Memory(size_t bytes);
  Memory(Memory&& o) noexcept : data_(std::exchange(o.data_, nullptr)) {}
  Memory& operator=(Memory&& o) noexcept {
    std::swap(data_, o.data_);
    return *this;
  }
  ~Memory();
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

// Queues kernel<<<blocks, threads>>>(arguments...); nothing for no blocks.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), int64_t blocks, int threads, Arguments&&... arguments) {
  if (blocks == 0) return;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.stream = Context::get().stream();
  ND_CHECK(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...));
}

}  // namespace nd::cuda
