// The masks that say which units of a score were positive (attention.cu, neighbour_attention.cu).
#pragma once

#include <cstdint>

namespace nd::cuda {

// Words of a mask that hold one bit for each of n columns.
constexpr int64_t mask_words(int64_t cols) { return (cols + 15) / 16; }
constexpr bool mask_bit(const uint16_t* words, int64_t c) { return (words[c / 16] >> (c % 16) & 1) != 0; }

}  // namespace nd::cuda
