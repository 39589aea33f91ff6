#include "lib/tensor/device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "lib/io/error.h"
#include "lib/tensor/arena.h"
#include "lib/tensor/cuda/driver.h"

namespace nd {
namespace {

constexpr size_t kHugePage = 2 << 20;

Device& chosen() {
  static Device device = Device::cpu;
  return device;
}

std::byte* allocate_host(size_t bytes) {
  auto* memory =
      static_cast<std::byte*>(std::aligned_alloc(kHugePage, (bytes + kHugePage - 1) / kHugePage * kHugePage));
  if (!memory) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);  // rows are gathered at random: fewer TLB misses; only a hint
  return memory;
}

bool on_gpu(const Mat& x) { return kHasCuda && x.device == Device::cuda; }

}  // namespace

Device pick_device(const std::string& wish) {
  if (wish != "cuda" && wish != "auto") return Device::cpu;
  if constexpr (kHasCuda) {
    const std::string missing = cuda::what_is_missing();
    if (missing.empty()) return Device::cuda;
    if (wish == "cuda") throw Error("--device cuda: " + missing + "; use --device cpu");
  } else if (wish == "cuda") {
    throw Error(
        "--device cuda: this build has no CUDA backend, as no nvcc was found when it was made; use --device cpu");
  }
  return Device::cpu;
}

void use_device(Device device) { chosen() = device; }
Device device() { return chosen(); }

void allow_tf32(bool allowed) {
  if constexpr (kHasCuda)
    if (device() == Device::cuda) cuda::allow_tf32(allowed);
}

void start_busy_clock() {
  if constexpr (kHasCuda)
    if (device() == Device::cuda) cuda::start_busy_clock();
}
double stop_busy_clock() {
  if constexpr (kHasCuda)
    if (device() == Device::cuda) return cuda::stop_busy_clock();
  return std::nan("");
}

std::byte* allocate(Memory kind, size_t bytes) {
  if (kind == Memory::host) return allocate_host(bytes);
  if constexpr (kHasCuda) return kind == Memory::mirrored ? cuda::allocate_mirrored(bytes) : cuda::allocate(bytes);
  throw std::logic_error("this build has no backend for such memory");
}

void release(Memory kind, std::byte* memory) {
  if (kind == Memory::host) return std::free(memory);
  if constexpr (kHasCuda) kind == Memory::mirrored ? cuda::release_mirrored(memory) : cuda::release(memory);
}

void renew(std::byte* memory) {
  if constexpr (kHasCuda) cuda::renew(memory);
}

void send(std::byte* memory, size_t bytes) {
  if constexpr (kHasCuda) cuda::send(memory, bytes);
}

void copy_in(const float* from, const Mat& to) {
  if (to.size() == 0) return;
  if constexpr (kHasCuda)
    if (on_gpu(to)) return cuda::copy_in(to.data, from, static_cast<size_t>(to.size()) * sizeof(float));
  std::copy_n(from, to.size(), to.data);
}

void copy_out(const Mat& from, float* to) {
  if (from.size() == 0) return;
  if constexpr (kHasCuda)
    if (on_gpu(from)) return cuda::copy_to_host(to, from.data, static_cast<size_t>(from.size()) * sizeof(float));
  std::copy_n(from.data, from.size(), to);
}

std::vector<float> values_of(const Mat& x) {
  std::vector<float> out(static_cast<size_t>(x.size()));
  copy_out(x, out.data());
  return out;
}

float value_of(const Mat& x) {
  if (x.size() != 1) throw std::logic_error("value_of: more or less than one number");
  float value = 0;
  copy_out(x, &value);
  return value;
}

LateValue value_later(Arena& arena, const Mat& x) {
  if (x.size() != 1) throw std::logic_error("value_later: more or less than one number");
  const std::span<float> to = arena.array<float>(1);
  if constexpr (kHasCuda)
    if (on_gpu(x)) {
      cuda::copy_out_later(to.data(), x.data, sizeof(float));
      return {to.data(), cuda::mark()};
    }
  to[0] = x.data[0];
  return {to.data(), 0};
}

float value_of(const LateValue& x) {
  if constexpr (kHasCuda) cuda::wait_for(x.mark);
  return *x.at;
}

Recording::Recording(bool on) : on_(kHasCuda && on && device() == Device::cuda) {
  if constexpr (kHasCuda)
    if (on_) cuda::begin_recording();
}
Recording::~Recording() {
  if constexpr (kHasCuda)
    if (on_) cuda::drop_recording();
}
void Recording::start() {
  if constexpr (kHasCuda)
    if (std::exchange(on_, false)) cuda::start_recorded();
}
RecordedCounts recorded_counts() {
  if constexpr (kHasCuda)
    if (device() == Device::cuda) return cuda::recorded_counts();
  return {};
}

void fill(const Mat& x, float value) {
  if constexpr (kHasCuda)
    if (on_gpu(x)) return cuda::set_all(x, value);
  std::fill_n(x.data, x.size(), value);
}

Mat to_device(Arena& arena, const Mat& x) {
  if (x.empty() || x.device == arena.device()) return x;
  if (x.device != Device::cpu) throw std::logic_error("to_device: from one device to another");
  const Mat copy = arena.mat(x.rows, x.cols);
  copy_in(x.data, copy);
  return copy;
}

}  // namespace nd
