#include "lib/tensor/cuda/busy.h"

#include <chrono>
#include <cmath>

#include "lib/tensor/cuda/context.h"

namespace nd::cuda {

Busy::Busy(cudaStream_t stream) : stream_(stream) {
  ND_CHECK(cudaEventCreate(&begin_));
  ND_CHECK(cudaEventCreate(&end_));
}

Busy::~Busy() {
  static_cast<void>(cudaEventDestroy(begin_));
  static_cast<void>(cudaEventDestroy(end_));
}

// Does not wait for ever: a queue that is full, or a call that waits by itself, would never let the host open it.
void Busy::gate(void* self) {
  Busy& busy = *static_cast<Busy*>(self);
  std::unique_lock lock(busy.mutex_);
  if (!busy.changed_.wait_for(lock, std::chrono::seconds(1), [&] { return busy.open_; })) busy.given_up_ = true;
}

void Busy::let_go() {
  if (!holding_ || open_) return;
  ND_CHECK(cudaEventRecord(end_, stream_));
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_one();
}

void Busy::hold() {
  if (holding_) {
    float milliseconds = 0;
    ND_CHECK(cudaEventElapsedTime(&milliseconds, begin_, end_));
    seconds_ += milliseconds / 1e3;
  }
  const std::lock_guard lock(mutex_);
  open_ = false;
  holding_ = !given_up_;
  if (!holding_) return;
  ND_CHECK(cudaLaunchHostFunc(stream_, gate, this));
  ND_CHECK(cudaEventRecord(begin_, stream_));
}

double Busy::seconds() {
  const std::lock_guard lock(mutex_);
  return given_up_ ? NAN : seconds_;
}

}  // namespace nd::cuda
