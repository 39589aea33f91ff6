// Which numbers of a matrix a dropout keeps (Dropout in ops.h): the same bits of Philox as on the CPU.
#pragma once

#include <cmath>

#include "lib/tensor/ops.h"
#include "lib/tensor/random.h"

namespace nd::cuda {

class Kept {
 public:
  // Of a matrix of `cols` columns.
  Kept(const Dropout& drop, int64_t cols)
      : least_(static_cast<uint32_t>(std::lround(drop.rate * 65536))),
        all_(drop.rate == 0),
        scale_(65536.0f / static_cast<float>(65536 - least_)),
        key_(drop.key),
        draw_(drop.draw),
        width_((cols + 15) / 16 * 16) {}

  // x in row r and column c, after dropout.
  constexpr float operator()(int64_t r, int64_t c, float x) const { return all_ ? x : keeps(r, c) ? x * scale_ : 0.0f; }

  constexpr bool keeps(int64_t r, int64_t c) const {
    const auto e = static_cast<uint64_t>(r * width_ + c), counter = e / 128 * 16 + e % 16, half = e % 128 / 16;
    const auto words = Random::philox({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32),
                                       static_cast<uint32_t>(draw_), static_cast<uint32_t>(draw_ >> 32)},
                                      static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32));
    return (words[half / 2] >> (half % 2 * 16) & 0xFFFF) >= least_;
  }

 private:
  uint32_t least_;
  bool all_;
  float scale_;
  uint64_t key_, draw_;
  int64_t width_;
};

}  // namespace nd::cuda
