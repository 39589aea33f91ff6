// Where this process computes, and memory there: the one place that knows which backends this build has.
//
// A process computes on one device, chosen once before anything is allocated. Floats of the device (a Mat whose device
// is cuda) are never read or written by host code but through copy_in, copy_out and fill; index arrays stay host memory
// everywhere, and what a kernel reads of them is copied by the operation that asks for it (lib/tensor/cuda/call.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/tensor/mat.h"

namespace nd {

class Arena;

#ifdef ND_CUDA
constexpr bool kHasCuda = true;
#else
constexpr bool kHasCuda = false;
#endif

// The device that `wish`, one of auto, cpu and cuda, stands for. Error, with what is missing, when cuda cannot be had;
// auto never fails.
Device pick_device(const std::string& wish);
// What the process computes on from here on; before the first Arena or Parameters. Without a call it is the CPU.
void use_device(Device device);
Device device();
// Whether products on a GPU may round their factors to TF32, which has ten bits of a float's 23; by default not. After
// use_device; nothing on a CPU.
void allow_tf32(bool allowed);

// For benchmarks: how many seconds of those from start to stop the GPU was at work, without the gaps in which it waited
// for the host; NaN where there is no GPU or it could not be told. Meanwhile everything takes longer.
void start_busy_clock();
double stop_busy_clock();

// Between its making and start(), what this thread asks of the GPU is not done but recorded, and then started as a
// whole (a CUDA graph). Nothing may be read back meanwhile but by value_later, what operations read is an arena's, and
// no other thread asks for anything; std::logic_error otherwise. What was recorded and never started is not done. With
// `on` false, or on a CPU, everything is done as ever.
class Recording {
 public:
  explicit Recording(bool on);
  ~Recording();
  Recording(const Recording&) = delete;
  void start();

 private:
  bool on_;
};
// How many were started, and for how many of them a graph had to be built, being unlike the one before.
struct RecordedCounts {
  uint64_t started = 0, built = 0;
};
RecordedCounts recorded_counts();

// Kinds of memory: of the host; of the host with a twin on the device, for what kernels read; of the device.
enum class Memory : uint8_t { host, mirrored, device };
// 64-byte aligned or better. std::bad_alloc, or Error where it is the GPU's that is used up.
std::byte* allocate(Memory kind, size_t bytes);
void release(Memory kind, std::byte* memory);
// Mirrored memory is going to be written anew: what its twin holds is void. Waits for copies on their way.
void renew(std::byte* memory);
// Its first `bytes` are copied to the device at once, rather than what operations read when they do.
void send(std::byte* memory, size_t bytes);

// to = from[0 .. to.size()); `from` may change as soon as this returns, or, where it lies in an Arena, at its reset.
void copy_in(const float* from, const Mat& to);
// to[0 .. from.size()) = from, when everything asked of the device before is done.
void copy_out(const Mat& from, float* to);
std::vector<float> values_of(const Mat& x);
// The number in a (1,1) matrix.
float value_of(const Mat& x);
// The same on its way, while the device goes on with what it was asked for, in memory of an arena until its reset.
struct LateValue {
  const float* at = nullptr;
  uint64_t mark = 0;
};
LateValue value_later(Arena& arena, const Mat& x);
// Waits for it, but not for what was asked for after it.
float value_of(const LateValue& x);
void fill(const Mat& x, float value);
// x itself where the arena's matrices lie on x's device, else a copy in the arena.
Mat to_device(Arena& arena, const Mat& x);

}  // namespace nd
