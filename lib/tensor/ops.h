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

// In float64, as 1 - beta2 would keep only five digits of float32.
struct AdamStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double decay = 0;
  bool decoupled = false;
  double c1 = 1, c2 = 1;
};

// Triples to be told from triples of which one side was replaced (Bordes et al. 2013). Each has a query: head +
// relation where the tail was replaced, tail − relation where the head was. Triples come in chunks that share the
// replacements: those of chunk c are chunk[c] .. chunk[c + 1), theirs are `drawn` entities from replacement[c * drawn]
// on.
struct TranseBatch {
  std::span<const int32_t> anchor;       // [triples] the entity that stays
  std::span<const int32_t> relation;     // [triples]
  std::span<const float> sign;           // [triples] query = anchor + sign * relation
  std::span<const int32_t> answer;       // [triples] the entity that was replaced
  std::span<const int64_t> chunk;        // [chunks + 1]
  std::span<const int32_t> replacement;  // [chunks * drawn]
  int64_t drawn = 0;

  int64_t triples() const { return static_cast<int64_t>(anchor.size()); }
  int64_t chunks() const { return static_cast<int64_t>(chunk.size()) - 1; }
};

// With d the distance of a query to its answer and d_j to its J replacements:
//   margin            1/J Σ_j [margin + d − d_j]_+                               (Bordes et al. 2013, eq. 1)
//   self-adversarial  −log σ(margin − d) − Σ_j p_j log σ(d_j − margin),  p = softmax(−temperature d_j), held constant
//                                                                                (Sun et al. 2019, eqs. 4 and 5)
struct TranseLoss {
  bool l1 = false;  // the distance is Σ|x|, else sqrt(Σ x²)
  bool self_adversarial = true;
  float margin = 5;
  float temperature = 3;
};

namespace ops {
#include "lib/tensor/ops.inc"
}
namespace cpu {
#include "lib/tensor/ops.inc"
}

}  // namespace nd
