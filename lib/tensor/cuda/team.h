// How every kernel is written: as phases of a team.
//
// A team is a warp (32 lanes) or a block (128). A kernel is a function of a team and the item that it works on; what it
// does is a row of phases, each a loop over numbers 0 .. n that the lanes share out among themselves. Iterations of one
// phase must not depend on each other; a phase sees everything the phases before it wrote. What stands outside a phase
// is done by every lane alike. So there is no barrier to forget, and the very same source runs on a CPU as plain loops:
// that is how the kernels are tested where there is no GPU, with the iterations of every phase in either order, and
// with sums in the order of the GPU's (tests/lib/tensor/cuda).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#ifdef __CUDACC__
#include "lib/tensor/cuda/stream.h"
#define ND_KERNEL __device__
#define ND_UNROLL _Pragma("unroll")  // a loop whose array is to stay in registers
#else
#define ND_KERNEL
#define ND_UNROLL
#endif

namespace nd::cuda {

constexpr int kThreads = 128;  // of a block
constexpr int kLanes = 32;
constexpr int64_t kSharedFloats = 48 * 1024 / 4 - kThreads / kLanes;  // of a block's teams, without asking for more
// A grid has at most so many blocks; each takes further items in strides.
constexpr int64_t kMostBlocks = 1 << 16;

// What a team may hold in shared memory, a multiple of four floats so that every warp's part is aligned.
constexpr int64_t team_floats(int64_t floats) { return (floats + 3) / 4 * 4; }
template <int kSize>
constexpr bool fits(int64_t floats) {
  return team_floats(floats) * (kThreads / kSize) <= kSharedFloats;
}
constexpr int64_t blocks_for(int64_t items, int64_t each) {
  const int64_t blocks = (items + each - 1) / each;
  return blocks < kMostBlocks ? blocks : kMostBlocks;
}

#ifdef __CUDACC__

template <int kSize>
class Team {
 public:
  static_assert(kSize == kLanes || kSize == kThreads);
  float* memory;  // shared by the lanes; as many floats as the launch asked for

  __device__ Team(float* shared, int64_t floats)
      : memory(shared + kThreads / kLanes + (kSize == kLanes ? threadIdx.x / kLanes * floats : 0)), sums_(shared) {}

  template <class F>
  __device__ void each(int64_t n, F&& f) const {
    for (int64_t i = lane(); i < n; i += kSize) f(i);
    wait();
  }
  // What every lane keeps for itself from phase to phase: in registers, where loops over its arrays are unrolled.
  template <class T>
  struct Own {
    T mine;
  };
  template <class T, class F>
  __device__ void each_own(Own<T>& own, F&& f) const {
    f(static_cast<int64_t>(lane()), own.mine);
    wait();
  }
  // Σ f(i): every lane its own, then lanes 16, 8, 4, 2, 1 apart, then warps in order. The same for all lanes.
  template <class F>
  __device__ float sum(int64_t n, F&& f) const {
    float x = 0;
    for (int64_t i = lane(); i < n; i += kSize) x += f(i);
    return reduce(x, [](float a, float b) { return a + b; });
  }
  // The largest f(i), -infinity where n is 0.
  template <class F>
  __device__ float max(int64_t n, F&& f) const {
    float x = -INFINITY;
    for (int64_t i = lane(); i < n; i += kSize) x = fmaxf(x, f(i));
    return reduce(x, [](float a, float b) { return fmaxf(a, b); });
  }
  // Bit i % 16 of words[i / 16] says f(i); bits beyond n are 0.
  template <class F>
  __device__ void bits(int64_t n, F&& f, uint16_t* words) const {
    static_assert(kSize == kLanes);
    for (int64_t first = 0; first < n; first += kLanes) {
      const int64_t i = first + lane();
      const unsigned set = __ballot_sync(~0u, i < n && f(i));
      if (lane() % 16 == 0 && i < n) words[i / 16] = static_cast<uint16_t>(set >> lane());
    }
    wait();
  }

 private:
  __device__ int lane() const { return static_cast<int>(threadIdx.x) % kSize; }
  __device__ void wait() const {
    if constexpr (kSize == kLanes) __syncwarp();
    else __syncthreads();
  }
  template <class Join>
  __device__ float reduce(float x, Join join) const {
    for (int apart = kLanes / 2; apart > 0; apart /= 2) x = join(x, __shfl_xor_sync(~0u, x, apart));
    if constexpr (kSize > kLanes) {
      if (threadIdx.x % kLanes == 0) sums_[threadIdx.x / kLanes] = x;
      __syncthreads();
      x = sums_[0];
      for (int warp = 1; warp < kSize / kLanes; ++warp) x = join(x, sums_[warp]);
    }
    wait();
    return x;
  }
  float* sums_;
};

namespace detail {
template <int kSize, int kBlocks, class F>
__global__ void __launch_bounds__(kThreads, kBlocks) run_teams(int64_t items, int64_t floats, F f) {
  extern __shared__ float4 shared[];
  constexpr int kTeams = kThreads / kSize;
  const Team<kSize> team(reinterpret_cast<float*>(shared), floats);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kTeams + threadIdx.x / kSize; i < items;
       i += static_cast<int64_t>(gridDim.x) * kTeams)
    f(team, i);
}
template <class F>
__global__ void __launch_bounds__(kThreads) run_each(int64_t items, F f) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < items;
       i += static_cast<int64_t>(gridDim.x) * kThreads)
    f(i);
}
}  // namespace detail

// f(team, i) for i in [0, items), each by a team with `floats` floats of shared memory. With kBlocks lanes have so few
// registers that so many blocks fit on a multiprocessor.
template <int kSize, int kBlocks = 1, class F>
void teams(int64_t items, int64_t floats, const F& f) {
  if (items == 0) return;
  constexpr int64_t kTeams = kThreads / kSize;
  const int64_t room = team_floats(floats);
  if (!fits<kSize>(floats)) throw std::logic_error("a team asks for more shared memory than there is");
  const size_t bytes = static_cast<size_t>(kThreads / kLanes + room * kTeams) * sizeof(float);
  detail::run_teams<kSize, kBlocks>
      <<<static_cast<unsigned>(blocks_for(items, kTeams)), kThreads, bytes, stream()>>>(items, room, f);
  check_launch();
}
// f(i) for i in [0, items), independent of each other.
template <class F>
void each(int64_t items, const F& f) {
  if (items == 0) return;
  detail::run_each<<<static_cast<unsigned>(blocks_for(items, kThreads)), kThreads, 0, stream()>>>(items, f);
  check_launch();
}

#else  // the same on a CPU, one lane after another

// Whether loops run from their ends, and who runs what is launched, now or later; set by the tests.
struct Emulation {
  bool backwards = false;
  void (*launch)(std::function<void()> kernel) = nullptr;
};
inline Emulation& emulation() {
  static Emulation instance;
  return instance;
}

template <class F>
void in_some_order(int64_t n, F&& f) {
  for (int64_t i = 0; i < n; ++i) f(emulation().backwards ? n - 1 - i : i);
}

template <int kSize>
class Team {
 public:
  float* memory;
  explicit Team(float* shared) : memory(shared) {}

  template <class F>
  void each(int64_t n, F&& f) const {
    in_some_order(n, f);
  }
  template <class T>
  struct Own {
    std::vector<T> of_lane = std::vector<T>(kSize);
  };
  template <class T, class F>
  void each_own(Own<T>& own, F&& f) const {
    in_some_order(kSize, [&](int64_t lane) { f(lane, own.of_lane[static_cast<size_t>(lane)]); });
  }
  template <class F>
  float sum(int64_t n, F&& f) const {
    return reduce(n, 0.0f, f, [](float a, float b) { return a + b; });
  }
  template <class F>
  float max(int64_t n, F&& f) const {
    return reduce(n, -INFINITY, f, [](float a, float b) { return std::fmax(a, b); });
  }
  template <class F>
  void bits(int64_t n, F&& f, uint16_t* words) const {
    static_assert(kSize == kLanes);
    in_some_order((n + 15) / 16, [&](int64_t word) {
      unsigned set = 0;
      for (int64_t i = word * 16; i < n && i < word * 16 + 16; ++i) set |= (f(i) ? 1u : 0u) << (i % 16);
      words[word] = static_cast<uint16_t>(set);
    });
  }

 private:
  template <class F, class Join>
  static float reduce(int64_t n, float none, F&& f, Join join) {
    float x[kSize], next[kSize];
    for (int lane = 0; lane < kSize; ++lane) {
      x[lane] = none;
      for (int64_t i = lane; i < n; i += kSize) x[lane] = join(x[lane], f(i));
    }
    for (int apart = kLanes / 2; apart > 0; apart /= 2) {
      for (int lane = 0; lane < kSize; ++lane) next[lane] = join(x[lane], x[lane ^ apart]);
      std::copy(next, next + kSize, x);
    }
    for (int warp = 1; warp < kSize / kLanes; ++warp) x[0] = join(x[0], x[warp * kLanes]);
    return x[0];
  }
};

// With arguments of its own, as a launch has.
template <class Kernel>
void launch(Kernel kernel) {
  if (emulation().launch) emulation().launch(kernel);
  else kernel();
}
template <int kSize, int kBlocks = 1, class F>
void teams(int64_t items, int64_t floats, const F& f) {
  if (items == 0) return;
  if (!fits<kSize>(floats)) throw std::logic_error("a team asks for more shared memory than there is");
  launch([=] {
    std::vector<float> shared(static_cast<size_t>(floats));
    in_some_order(items, [&](int64_t i) {
      std::fill(shared.begin(), shared.end(), NAN);  // what was not written is not there
      f(Team<kSize>(shared.data()), i);
    });
  });
}
template <class F>
void each(int64_t items, const F& f) {
  if (items > 0) launch([=] { in_some_order(items, f); });
}

#endif

using Warp = Team<kLanes>;
using Block = Team<kThreads>;
constexpr int kWarp = kLanes, kBlock = kThreads;

}  // namespace nd::cuda
