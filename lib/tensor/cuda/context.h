// What the driver (driver.cu) has of CUDA: its errors in our words, the stream and cuBLAS.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "lib/tensor/cuda/order.h"

namespace nd::cuda {

// Error with one line and what to do, unless all is well: out of memory, a lost device, a driver too old, or our
// mistake.
void check(cudaError_t status, const char* call);
void check(cublasStatus_t status, const char* call);
#define ND_CHECK(call) ::nd::cuda::check((call), #call)

// cuBLAS, opened when first asked for; or, in half a sentence, why it cannot be.
struct Cublas {
  void* handle;
  std::string trouble;
};
const Cublas& cublas_library();
// A function of it; Error where there is none.
void* cublas_function(const char* name);
template <class Function>
Function* cublas_function(const char* name) {
  return reinterpret_cast<Function*>(cublas_function(name));
}

// One for the process, on GPU 0, made at first use (Error where there is none). All work is queued on one stream, so
// operations run in the order of their calls and none of them waits.
class Context {
 public:
  static Context& get();
  Context(const Context&) = delete;

  Order& order() { return *order_; }
  // With a workspace of our own: cuBLAS promises the same bits from run to run with one handle on one stream, and a
  // captured graph needs memory that stays.
  cublasHandle_t cublas();
  // The math mode of its products; float32 all through unless this is called.
  void allow_tf32(bool allowed);
  // Waits for all that was queued; Error if any of it failed.
  void wait() { wait_for(order().next_mark()); }
  // For what was asked for before this mark.
  void wait_for(uint64_t mark);
  // Is to be called before anything else that may wait.
  void about_to_wait();
  // From the first to the second: see driver.h.
  void start_busy_clock();
  double stop_busy_clock();

 private:
  Context();
  void set_math();
  ~Context() = delete;  // lives as long as the process: at exit the driver may be gone already

  cudaStream_t stream_ = nullptr;
  std::unique_ptr<Order> order_;
  cublasHandle_t cublas_ = nullptr;
  void* workspace_ = nullptr;
  cublasMath_t math_ = CUBLAS_DEFAULT_MATH;
};

}  // namespace nd::cuda
