// The real GPU (driver.h), on the process' one context. Not yet run on one: `make gpu-check` is to prove it.
#include "lib/tensor/cuda/driver.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <stdexcept>
#include <string>

#include "lib/io/error.h"
#include "lib/tensor/cuda/context.h"
#include "lib/tensor/cuda/gpu.h"
#include "lib/tensor/cuda/stream.h"

namespace nd::cuda {
namespace {

std::atomic<uint64_t> asked_for = 0;  // pieces of memory

int narrow(int64_t n) {
  if (n > INT_MAX) throw Error("a product has more rows than cuBLAS takes; use a smaller --batch, or --device cpu");
  return static_cast<int>(n);
}

}  // namespace

cudaStream_t stream() { return Context::get().order().stream(); }
void check_launch() { ND_CHECK(cudaGetLastError()); }

std::string what_is_missing() {
  const std::string trouble = find_gpu().trouble;
  return trouble.empty() ? cublas_library().trouble : trouble;
}

std::byte* allocate(size_t bytes) {
  ++asked_for;
  return Context::get().order().allocate(bytes);
}
void release(std::byte* memory) { Context::get().order().release(memory); }

uint64_t allocations() { return asked_for; }
std::byte* allocate_pinned(size_t bytes) {
  ++asked_for;
  Context::get();  // says in its own words when there is no GPU
  const Relaxed relaxed;
  void* memory = nullptr;
  ND_CHECK(cudaMallocHost(&memory, std::max<size_t>(bytes, 1)));
  return static_cast<std::byte*>(memory);
}
void release_pinned(std::byte* memory) {
  const Relaxed relaxed;
  static_cast<void>(cudaFreeHost(memory));
}

void copy_to_device(void* to, const void* from, size_t bytes) {
  ND_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()));
}
void copy_to_host(void* to, const void* from, size_t bytes) {
  if (recording()) throw std::logic_error("a step reads what it computes while it is being recorded");
  Context::get().about_to_wait();  // the copy waits by itself where the host's side is not pinned
  ND_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
  synchronize();
}
void copy_to_host_later(void* to, const void* from, size_t bytes) {
  ND_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
}
void synchronize() { Context::get().wait(); }

uint64_t mark() { return Context::get().order().mark(); }
uint64_t next_mark() { return Context::get().order().next_mark(); }
void wait_for(uint64_t mark) {
  if (mark > 0) Context::get().wait_for(mark);
}
void begin_recording() { Context::get().order().begin_recording(); }
void start_recorded() { Context::get().order().start_recorded(); }
void drop_recording() { Context::get().order().drop_recording(); }
bool recording() { return Context::get().order().recording(); }
RecordedCounts recorded_counts() { return Context::get().order().recorded_counts(); }

void start_busy_clock() { Context::get().start_busy_clock(); }
double stop_busy_clock() { return Context::get().stop_busy_clock(); }

void allow_tf32(bool allowed) { Context::get().allow_tf32(allowed); }

void sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
           const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  const cublasHandle_t handle = Context::get().cublas();
  static const auto run = cublas_function<decltype(cublasSgemm_v2)>("cublasSgemm_v2");
  const auto op = [](bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const float alpha = 1;
  ND_CHECK(run(handle, op(transpose_a), op(transpose_b), narrow(m), narrow(n), narrow(k), &alpha, a, narrow(lda), b,
               narrow(ldb), &beta, c, narrow(ldc)));
}

}  // namespace nd::cuda
