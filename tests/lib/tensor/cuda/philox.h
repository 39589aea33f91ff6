// The generator of lib/tensor/random.h as a kernel runs it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nd::cuda {

struct PhiloxInput {
  std::array<uint32_t, 4> counter;
  uint32_t k0, k1;
};
// The four words of each.
std::vector<std::array<uint32_t, 4>> philox(const std::vector<PhiloxInput>& asked);

}  // namespace nd::cuda
