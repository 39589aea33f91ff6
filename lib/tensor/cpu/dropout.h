// Which numbers of some rows a dropout keeps, one bit each, and what it makes of them (Dropout in ops.h).
#pragma once

#include <cstdint>
#include <vector>

#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/ops.h"

namespace nd::cpu {

// Bit l of word[i] says whether decision 16 (first + i) + l is to keep its number; for `count` words.
void kept_words(const Dropout& drop, int64_t first, int64_t count, uint16_t* word);

// What survivors are multiplied by: the share of 65536 that is dropped is a whole number, so this is exact.
float kept_scale(const Dropout& drop);

// Rows [first, first + count) of a matrix of `cols` columns. `memory` is the caller's, to be used again and again where
// the dropout has none.
class KeptRows {
 public:
  KeptRows(const Dropout& drop, int64_t cols, int64_t first, int64_t count, std::vector<uint16_t>& memory)
      : all_(drop.rate == 0), words_((cols + kLanes - 1) / kLanes), first_(first), scale_(kept_scale(drop)) {
    if (all_) return;
    if (!drop.words && static_cast<int64_t>(memory.size()) < count * words_)
      memory.resize(static_cast<size_t>(count * words_));
    uint16_t* const words = drop.words ? drop.words + first * words_ : memory.data();
    if (!drop.words || !drop.made) kept_words(drop, first * words_, count * words_, words);
    word_ = words;
  }
  // Numbers c .. c + 16 of row r, c a multiple of 16, after dropout.
  Lanes operator()(int64_t r, int64_t c, Lanes x) const {
    return all_ ? x : add_where(word_[(r - first_) * words_ + c / kLanes], 0.0f, x * scale_);
  }

 private:
  bool all_;
  int64_t words_, first_;
  Lanes scale_;
  const uint16_t* word_ = nullptr;
};

}  // namespace nd::cpu
