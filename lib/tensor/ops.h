// What the models compute with: one list of operations (ops.inc), declared here once for callers (namespace ops) and
// once per backend. Callers use nd::ops, which checks shapes and hands over to the backend of the data's device.
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/index.h"
#include "lib/tensor/mat.h"

namespace nd {

struct ApartDraws;  // draws.h

enum class Activation : uint8_t { none, relu, tanh, sigmoid };

// A table and which of its rows each item uses.
struct Table {
  Mat values;
  Index index;
};

// Where a gradient goes, and whether it is added to what is there. An empty one is not asked for.
struct Into {
  Mat mat;
  bool add = false;
};

// Which numbers of a matrix become zero; the others are divided by the share that stays, so that the mean stays. A pure
// function of key, draw and place: backwards the same numbers are left out again, without a memory of them.
//
// With rows padded to whole sixteens of numbers, number e in all stays unless half (e % 128) / 16 of the words of
// Philox at counter (e / 128 * 16 + e % 16, draw) is below 65536 rate.
struct Dropout {
  double rate = 0;    // in [0, 1); 0 leaves everything as it is
  uint64_t key = 0;   // Random::key() of a stream named after the place in the model
  uint64_t draw = 0;  // the moment: another one drops other numbers
  // A CPU may keep what was decided, a bit a number in words for sixteen of a row: made forwards, read backwards where
  // `made` says so. Null: it is decided again, which is a fifteenth of D-HAN's training.
  uint16_t* words = nullptr;
  bool made = false;
};

// Attention inside blocks of `tokens` rows one after another (Vaswani et al. 2017): in each of `heads` slices of the
// columns, P = softmax(scale Q Kᵀ) and Y = dropout(P) V.
struct BlockAttention {
  int64_t tokens = 1;
  int64_t heads = 1;  // divides the columns
  float scale = 1;
  Dropout drop;
};

// Tokens with what an attention made of them, all (rows, n).
struct Tokens {
  Mat x, query, key, value;
};
struct TokensInto {
  Into x, query, key, value;
};

// D-HAN's sentence and element blocks (dhan.md 1.2, 1.3), the tokens of a block as columns of one stack. Block b has
// the `height` tokens of stack of[b], shared with all blocks of that stack, and up to two tokens of its own:
//   P = softmax(scale Q Kᵀ)    Y = dropout(P) V + bias    O = norm(X + dropout(Y)) ⊙ gamma + beta
//   z = Σ_t pool[t] O_t + pool_bias
// V holds values already multiplied by the output projection: that is the same sum, once per distinct token.
struct StackAttention {
  int64_t height = 0;
  Tokens stack;       // row s * height + t
  Index of;           // block -> stack, by stack too
  Tokens joined;      // stacks of another table, added to those where given (then blocks have no tokens of their own),
  Index joined_of;    // and which of them a block adds, by stack too
  int extras = 0;     // tokens of a block's own
  Tokens extra[2];    // tables of them,
  Index extra_of[2];  // and which row of its table a block uses
  Mat bias;           // (1,n)
  Mat gamma, beta;    // (1,n)
  Mat pool;           // (height + extras, 1)
  Mat pool_bias;      // (1,1)
  float scale = 1;
  Dropout drop_weights, drop_output;

  constexpr int64_t tokens() const { return height + extras; }
  bool joins() const { return !joined.x.empty(); }
};
struct StackAttentionInto {
  TokensInto stack, joined;
  Tokens extra[2];  // one row a block
  Into bias, gamma, beta, pool, pool_bias;
};

// A Transformer layer of one head (Vaswani et al. 2017), norms behind the sums, over blocks of `tokens` rows x:
//   P = softmax(scale (X score_w + score_b) Xᵀ)    H = norm(X + P (X value_w + value_b)) ⊙ gamma1 + beta1
//   O = norm(H + gelu(H inner_w + inner_b) outer_w + outer_b) ⊙ gamma2 + beta2
// score_w = W_q W_kᵀ and score_b = b_q W_kᵀ make the scores of queries and keys but for what is the same in a row, and
// value_w = W_v W_o, value_b = b_v W_o + b_o the outputs, as P's rows sum to 1.
struct EncoderLayer {
  int64_t tokens = 1;
  float scale = 1;
  Mat score_w, score_b, value_w, value_b;  // (n,n), (1,n)
  Mat inner_w, inner_b, outer_w, outer_b;  // (n,m), (1,m), (m,n), (1,n)
  Mat gamma1, beta1, gamma2, beta2;        // (1,n)
};

// The same with dropouts and a way back, for which queries keep their keys (what is the same in a row of scores has a
// gradient of zero, but it has one), in blocks of `tokens` rows of x(rows,n):
//   P = softmax(scale Q Kᵀ)    H = norm1(X + dropout(dropout(P) V + output_b))    Y = norm2(H + dropout(F))
//   F = gelu(H inner_w + inner_b) outer_w + outer_b
// Q, K and V are X w + b; V's weights are multiplied by the output projection already, which is the same sum.
struct TransformerLayer {
  // clang-format off
  enum Part : uint8_t {
    query_w, query_b, key_w, key_b, value_w, value_b,  // (n,n), (1,n)
    output_b, gamma1, beta1,                           // (1,n)
    inner_w, inner_b, outer_w, outer_b,                // (n,f), (1,f), (f,n), (1,n)
    gamma2, beta2,                                     // (1,n)
    kParts
  };
  // clang-format on
  Mat part[kParts];
  int64_t tokens = 1;
  float scale = 1;
  Dropout drop_weights, drop_attention, drop_outer;
};
// What the way back needs, and the softmax for those who want to see it. Without a way back all may be empty, or all
// but p.
struct TransformerKept {
  Mat query, key, value;  // (rows,n)
  Mat p;                  // (rows,tokens)
  Mat unit1, unit2;       // (rows,n) normalised rows before gamma and beta
  Mat inner;              // (rows,f) before its activation
  Mat inverse;            // (rows,2) of both standard deviations
};

// Gradients of an attention over sets (ops.inc), by table; no two are one matrix.
struct SetAttentionInto {
  Into key[5], value[5], w;
};
// Gradients of KRED's neighbour attention (ops.inc).
struct NeighbourAttentionInto {
  Into head, relation, layer, w;
};

// In float64, as 1 - beta2 would keep only five digits of float32.
struct AdamStep {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double longest = 0;  // all gradients together, of this squared norm (1,1), are first shortened to it; 0: they are not
  Mat squared_norm;
  bool decoupled = false;
  double c1 = 1, c2 = 1;
};
// What a step of Adam is made on: a parameter x with its gradient and moments, all of one shape.
struct AdamParameter {
  Mat g, m, v, x;
  double decay = 0;
  bool used_rows = false;  // rows of x whose gradient is zero keep value, moments and decay untouched
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

// Gradients of some rows of a table, as sums: run r is table row row[r], and its gradient Σ sign[item] g[item] over
// those of its items that are used. A row of which no item is used has no gradient, and stays as it is.
struct RowGradients {
  Mat g;
  Index runs;                     // by row
  std::span<const int32_t> row;   // [runs.rows]
  std::span<const float> sign;    // [as many as runs have items of]; empty: all are 1
  const uint8_t* used = nullptr;  // [g.rows]; null: all are
};

namespace ops {
#include "lib/tensor/ops.inc"
}
namespace cpu {
#include "lib/tensor/ops.inc"
}
namespace cuda {
#include "lib/tensor/ops.inc"
}

}  // namespace nd
