// Differentiable operations: value now, gradient when the tape runs back. One folder, grad/, holds them side by side.
// Shapes are (rows, columns); a null Var for a bias means there is none.
#pragma once

#include <initializer_list>
#include <span>

#include "lib/tensor/index.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/tape.h"

namespace nd::grad {

// A left factor and its weights: x(m,k) · w(k,n). With `rows`, x is a frozen table (std::logic_error where its gradient
// is wanted) and row i is x[rows[i]].
struct Term {
  Var x;
  Var w;
  const int32_t* rows = nullptr;
};
// y(m,n) = act(Σ_j x_j · w_j + bias(1,n)); up to three terms are one layer over concatenated inputs, uncopied.
Var linear(Tape& tape, std::initializer_list<Term> terms, Var bias, Activation act, int64_t m);

Var activate(Tape& tape, Activation act, Var x);
Var gelu(Tape& tape, Var x);
// y(m, n1 + n2) = x1 ⊕ x2, row by row
Var concat(Tape& tape, Var x1, Var x2);
// The same numbers in the same order as rows of `cols`.
Var reshape(Tape& tape, Var x, int64_t cols);

// Blocks of tokens, see ops.h and ops.inc.
Var dropout(Tape& tape, const Dropout& drop, Var x);
// norm(x + dropout(r)) ⊙ gamma + beta; r may be null
Var layer_norm(Tape& tape, Var x, Var r, const Dropout& drop, Var gamma, Var beta);
// `weights`, when given, gets the softmax (rows * heads, tokens) as block_attention keeps it.
Var block_attention(Tape& tape, const BlockAttention& form, Var query, Var key, Var value, Mat* weights = nullptr);
struct TokenVars {
  Var x, query, key, value;
};
struct StackVars {
  TokenVars stack;
  Index of;
  int extras = 0;
  TokenVars extra[2] = {};
  Index extra_of[2] = {};
  TokenVars joined = {};  // of another table of stacks, added; or none
  Index joined_of = {};
  Var bias, gamma, beta, pool, pool_bias;
};
// z(blocks,n); `weights`, when given, gets the softmax (blocks * tokens, tokens). The height is the
// stack's rows by the number of stacks.
Var stack_attention(Tape& tape, const StackVars& vars, float scale, const Dropout& drop_weights,
                    const Dropout& drop_output, Mat* weights = nullptr);
// TransformerLayer with these variables for its parts; `weights`, when given, gets the softmax (rows, tokens).
Var transformer_layer(Tape& tape, TransformerLayer form, const Var (&part)[TransformerLayer::kParts], Var x,
                      Mat* weights = nullptr);
Var mix_tokens(Tape& tape, Var x, Var w, Var bias);
Var shift_tokens(Tape& tape, int64_t tokens, int64_t by, Var x);
// h of an LSTM whose gates get a(m,4n) + h_{t-1} u(n,4n)
Var lstm(Tape& tape, int64_t tokens, bool reverse, Var a, Var u);

// A table and which row of it each item uses. Up to five tables take part in one operation.
struct Rows {
  Var table;
  Index index;
};
// y(items,n) = Σ_j table_j[row_j]
Var gather_sum(Tape& tape, std::span<const Rows> tables);
inline Var gather_sum(Tape& tape, std::initializer_list<Rows> tables) {
  return gather_sum(tape, std::span(tables.begin(), tables.size()));
}
// s(items,1) = relu(Σ_j table_j[row_j]) · w(n,1) + b(1,1)
Var relu_dot(Tape& tape, std::span<const Rows> tables, Var w, Var b);
inline Var relu_dot(Tape& tape, std::initializer_list<Rows> tables, Var w, Var b) {
  return relu_dot(tape, std::span(tables.begin(), tables.size()), w, b);
}
// s(items,1) = a[i] · b[i], or the cosine of the two
Var row_dots(Tape& tape, const Rows& a, const Rows& b, bool cosine);

// p(items,1) = softmax of s(items,1) within each segment
Var segment_softmax(Tape& tape, const Index& segments, Var s);
// y(segments,n) = Σ_items p x[row]
Var segment_sum(Tape& tape, const Index& segments, Var p, const Rows& x);
// y(segments,n) = Σ_items p Σ_j table_j[row_j]. As gather_sum and the above, but the items' own gradients, which are
// rows of y's times a number, are never made: tables read them where they are few. Without gradients the items' own
// rows are not made either; the sums are then added table by table, so last digits may differ.
Var segment_sum(Tape& tape, const Index& segments, Var p, std::span<const Rows> tables);
// y(segments,k): attention over sets, see ops.inc. `weights`, when given, gets p(items,1). No table of keys or of
// values takes part twice.
Var set_attention(Tape& tape, const Index& segments, std::span<const Rows> keys, Var w, std::span<const Rows> values,
                  Var* weights);
inline Var set_attention(Tape& tape, const Index& segments, std::initializer_list<Rows> keys, Var w,
                         std::initializer_list<Rows> values, Var* weights) {
  return set_attention(tape, segments, std::span(keys.begin(), keys.size()), w,
                       std::span(values.begin(), values.size()), weights);
}
// Which row of a frozen matrix each item uses.
struct FrozenRows {
  Mat x;
  const int32_t* row;
};
// y(segments,k): KRED's neighbour attention, see ops.inc. `weights`, when given, gets p(items,1).
Var neighbour_attention(Tape& tape, const Index& segments, Var head, const Rows& relation, const FrozenRows& tail,
                        Var layer, Var w, Var* weights);
// y(segments,n) = the largest of x(items,n) in each column, zeros for an empty segment
Var segment_max(Tape& tape, const Index& segments, Var x);

// loss(1,1): see ops.inc
Var rank_loss(Tape& tape, const Index& segments, Var s, float gamma);
Var cross_entropy(Tape& tape, Var x, const int32_t* label);
Var two_means_loss(Tape& tape, Var z, const uint8_t* positive);

}  // namespace nd::grad
