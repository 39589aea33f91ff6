// What the models compute with: one list of operations (ops.inc), declared here once for callers (namespace ops) and
// once per backend. Callers use nd::ops, which checks shapes and hands over to the backend of the data's device.
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/index.h"
#include "lib/tensor/mat.h"

namespace nd {

enum class Activation : uint8_t { none, relu, tanh, sigmoid };

// A table and which of its rows each item uses.
struct Table {
  Mat values;
  Index index;
};

struct AdamStep {
  float lr = 1e-3f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  float decay = 0;
  bool decoupled = false;
  float c1 = 1, c2 = 1;
};

namespace ops {
#include "lib/tensor/ops.inc"
}
namespace cpu {
#include "lib/tensor/ops.inc"
}

}  // namespace nd
