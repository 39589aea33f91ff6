// A row-major float matrix that something else owns: the one shape of data every operation works on.
#pragma once

#include <cstdint>

namespace nd {

enum class Device : uint8_t { cpu, cuda };

struct Mat {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  Device device = Device::cpu;

  int64_t size() const { return rows * cols; }
  bool empty() const { return data == nullptr; }
  float* row(int64_t i) const { return data + i * cols; }
};

}  // namespace nd
