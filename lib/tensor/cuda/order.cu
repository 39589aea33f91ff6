#include "lib/tensor/cuda/order.h"

#include <algorithm>
#include <stdexcept>

#include "lib/tensor/cuda/context.h"

namespace nd::cuda {

// Where this fails so does what is called next, and says so.
Relaxed::Relaxed() { static_cast<void>(cudaThreadExchangeStreamCaptureMode(&mode_)); }
Relaxed::~Relaxed() { static_cast<void>(cudaThreadExchangeStreamCaptureMode(&mode_)); }

Order::Order(cudaStream_t stream) : stream_(stream) {
  ND_CHECK(cudaStreamCreateWithFlags(&for_memory_, cudaStreamNonBlocking));
  for (cudaEvent_t& event : event_) ND_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
}

cudaStream_t Order::stream() {
  const std::lock_guard lock(mutex_);
  if (recording_ && recorder_ != std::this_thread::get_id())
    throw std::logic_error("the GPU is asked for something beside the step that is being recorded");
  return stream_;
}

void Order::set_mark() {
  ++marks_;
  ND_CHECK(cudaEventRecord(event_[marks_ % kMarks], stream_));
}

uint64_t Order::mark() {
  const std::lock_guard lock(mutex_);
  if (recording_) return marks_ + 1;
  set_mark();
  return marks_;
}

uint64_t Order::next_mark() {
  const std::lock_guard lock(mutex_);
  return marks_ + 1;
}

void Order::wait_for(uint64_t mark) {
  cudaEvent_t event;
  {
    const std::lock_guard lock(mutex_);
    if (mark > marks_) {
      if (recording_) throw std::logic_error("a step waits for itself while it is being recorded");
      set_mark();
    }
    event = event_[mark % kMarks];
  }
  const Relaxed relaxed;
  ND_CHECK(cudaEventSynchronize(event));
}

void Order::begin_recording() {
  Context::get().cublas();  // is not to be made in the middle of it
  const std::lock_guard lock(mutex_);
  set_mark();  // others may have to wait for what was asked for until now
  ND_CHECK(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  recording_ = true;
  recorder_ = std::this_thread::get_id();
}

bool Order::recording() {
  const std::lock_guard lock(mutex_);
  return recording_ && recorder_ == std::this_thread::get_id();
}

cudaGraph_t Order::end_capture() {
  cudaGraph_t graph = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream_, &graph);
  recording_ = false;
  ND_CHECK(status);
  return graph;
}

void Order::start_recorded() {
  const std::lock_guard lock(mutex_);
  const cudaGraph_t graph = end_capture();
  cudaGraphExecUpdateResultInfo info;
  if (last_ && cudaGraphExecUpdate(last_, graph, &info) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    ND_CHECK(cudaGraphExecDestroy(last_));  // one that is running ends first
    last_ = nullptr;
  }
  if (!last_) {
    ND_CHECK(cudaGraphInstantiate(&last_, graph, 0));
    ++counts_.built;
  }
  ++counts_.started;
  ND_CHECK(cudaGraphLaunch(last_, stream_));
  ND_CHECK(cudaGraphDestroy(graph));
  set_mark();
  for (std::byte* const memory : released_) static_cast<void>(cudaFreeAsync(memory, stream_));
  released_.clear();
}

void Order::drop_recording() {
  const std::lock_guard lock(mutex_);
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream_, &graph) == cudaSuccess && graph) static_cast<void>(cudaGraphDestroy(graph));
  static_cast<void>(cudaGetLastError());
  recording_ = false;
  for (std::byte* const memory : released_) static_cast<void>(cudaFreeAsync(memory, stream_));
  released_.clear();
}

// Not on the stream that may be captured: a graph would own the memory.
std::byte* Order::allocate(size_t bytes) {
  const Relaxed relaxed;
  void* memory = nullptr;
  ND_CHECK(cudaMallocAsync(&memory, std::max<size_t>(bytes, 1), for_memory_));
  ND_CHECK(cudaStreamSynchronize(for_memory_));
  return static_cast<std::byte*>(memory);
}

// Of a lost device nothing can be given back, and a destructor has nobody to tell.
void Order::release(std::byte* memory) {
  const std::lock_guard lock(mutex_);
  if (recording_) released_.push_back(memory);
  else static_cast<void>(cudaFreeAsync(memory, stream_));
}

}  // namespace nd::cuda
