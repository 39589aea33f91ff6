// What is done with one item or one set, shared by attention.cu and neighbour_attention.cu. Everything lies on the
// device.
#pragma once

#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/reduce.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {

// Words of a mask that hold one bit for each of n columns.
constexpr int64_t mask_words(int64_t cols) { return (cols + 15) / 16; }
constexpr bool mask_bit(const uint16_t* words, int64_t c) { return (words[c / 16] >> (c % 16) & 1) != 0; }

// s_i = relu(Σ_j table_j[row]) · w + b, and a bit for each unit that is positive; one warp an item.
void score_items(const Tables& tables, const Mat& w, const Mat& b, uint16_t* mask, Mat s);
// p = softmax of s within each set; they may be the same. One warp a set.
void softmax_sets(const Index& sets, const Mat& s, Mat p);
// ds = (add ? ds : 0) + p ⊙ (dp − p · dp) within each set; ds may be dp when add is false.
void softmax_sets_backward(const Index& sets, const Mat& p, const Mat& dp, bool add, Mat ds);
// y = Σ_items p x[row], `row` null for items' own rows
void sum_sets(Call& call, const Index& sets, const Mat& p, const Mat& x, const int32_t* row, bool add, Mat y);
// dp_i = (add ? dp_i : 0) + dy[set] · x[row]
void dot_items(const Index& sets, const Mat& dy, const Mat& x, const int32_t* row, bool add, Mat dp);

}  // namespace nd::cuda
