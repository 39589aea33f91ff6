// Numbers that are read and written four at a time, in one access: rows whose width is a multiple of four, in memory
// that starts at a multiple of 16 bytes.
#pragma once

#include <cstdint>

#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

struct alignas(16) Four {
  float at[4];
};
inline bool in_fours(const float* x) { return reinterpret_cast<uintptr_t>(x) % sizeof(Four) == 0; }
ND_KERNEL inline Four& four_at(float* x) { return *reinterpret_cast<Four*>(x); }
ND_KERNEL inline Four plus(Four a, const Four& b) {
  for (int i = 0; i < 4; ++i) a.at[i] += b.at[i];
  return a;
}

}  // namespace nd::cuda
