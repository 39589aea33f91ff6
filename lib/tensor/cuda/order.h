// The order of work on the stream: marks in it to wait for, and steps that are recorded as a CUDA graph and then
// started with one call. See driver.h for what each function is for.
//
// A step's launches are captured and the graph of the step before is updated with them, which is cheap while the same
// kernels follow one another, whatever their sizes and arguments; where they do not, a new one is built. Unproven.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/tensor/cuda/driver.h"

namespace nd::cuda {

// While one lives its thread may make calls that CUDA otherwise forbids to one that captures a stream, as it cannot
// know that they leave that stream alone: for memory, and to wait for what came before.
class Relaxed {
 public:
  Relaxed();
  ~Relaxed();
  Relaxed(const Relaxed&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

class Order {
 public:
  explicit Order(cudaStream_t stream);
  Order(const Order&) = delete;

  // What kernels are launched on. std::logic_error on a thread beside the one that records a step: it would add to it.
  cudaStream_t stream();

  uint64_t mark();
  uint64_t next_mark();
  void wait_for(uint64_t mark);

  void begin_recording();
  void start_recorded();
  void drop_recording();
  bool recording();
  RecordedCounts recorded_counts() const { return counts_; }

  // Memory is had and given back on any thread, whether a step is being recorded or not.
  std::byte* allocate(size_t bytes);
  void release(std::byte* memory);

 private:
  void set_mark();
  cudaGraph_t end_capture();

  // So many can be told apart; who waits for an older one waits for a newer one in its place.
  static constexpr uint64_t kMarks = 16;

  const cudaStream_t stream_;
  cudaStream_t for_memory_ = nullptr;
  std::mutex mutex_;
  cudaEvent_t event_[kMarks] = {};
  uint64_t marks_ = 0;  // set so far
  bool recording_ = false;
  std::thread::id recorder_;
  std::vector<std::byte*> released_;  // while recording
  cudaGraphExec_t last_ = nullptr;
  RecordedCounts counts_;
};

}  // namespace nd::cuda
