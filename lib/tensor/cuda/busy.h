// How long the GPU is at work, without the gaps in which it waits for the host. Events around a step would count those
// in: a queue that runs dry in the middle of it looks the same as a long kernel. So what is queued between two waits is
// held back until all of it is there, and then runs in one go between two events.
#pragma once

#include <cuda_runtime.h>

#include <condition_variable>
#include <mutex>

namespace nd::cuda {

class Busy {
 public:
  explicit Busy(cudaStream_t stream);
  ~Busy();
  Busy(const Busy&) = delete;

  // Before the host waits for the stream, and after it has.
  void let_go();
  void hold();
  // Seconds so far; NaN where work had to be let go before it was all there, as then it may have waited.
  double seconds();

 private:
  static void CUDART_CB gate(void* self);

  const cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  bool holding_ = false;
  double seconds_ = 0;
  // What the gate, which a thread of CUDA's waits at, shares with the host.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false, given_up_ = false;
};

}  // namespace nd::cuda
