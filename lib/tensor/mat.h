// A row-major float matrix that something else owns: the one shape of data every operation works on.
#pragma once

#include <cstdint>

namespace nd {

enum class Device : uint8_t { cpu, cuda };

// Its members are constexpr so that kernels may call them too.
struct Mat {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  Device device = Device::cpu;

  constexpr int64_t size() const { return rows * cols; }
  constexpr bool empty() const { return data == nullptr; }
  constexpr float* row(int64_t i) const { return data + i * cols; }
};

}  // namespace nd
