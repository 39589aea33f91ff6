// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
//
// A number is a pure function of (seed, stream name, counter), so results depend neither on threads nor on the order
// of drawing, and every distribution is our own, so they do not depend on the standard library either.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace nd {

class Random {
 public:
  // Streams of different names are independent: "init", "shuffle", "negatives", "dropout", ...
  constexpr Random(uint64_t seed, std::string_view stream) : key_(mix(seed ^ mix(hash(stream)))) {}

  // What stands for seed and stream where numbers are drawn by other code (Dropout).
  uint64_t key() const { return key_; }

  // Four words for the counter (a, b).
  constexpr std::array<uint32_t, 4> words(uint64_t a, uint64_t b = 0) const {
    return philox({static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32), static_cast<uint32_t>(b),
                   static_cast<uint32_t>(b >> 32)},
                  static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32));
  }
  // Uniform 64 bits.
  constexpr uint64_t bits(uint64_t a, uint64_t b = 0) const {
    const auto w = words(a, b);
    return uint64_t{w[1]} << 32 | w[0];
  }
  // Uniform in [0, 1), 53 bits.
  double uniform(uint64_t a, uint64_t b = 0) const { return static_cast<double>(bits(a, b) >> 11) * 0x1p-53; }
  // Uniform in {0, ..., n - 1}, n >= 1; the bias is below n / 2^64.
  constexpr uint64_t below(uint64_t n, uint64_t a, uint64_t b = 0) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(bits(a, b)) * n) >> 64);
  }
  // Standard normal (Box-Muller).
  double normal(uint64_t a, uint64_t b = 0) const {
    const auto w = words(a, b);
    const double u = (static_cast<double>((uint64_t{w[1]} << 32 | w[0]) >> 11) + 0.5) * 0x1p-53;
    const double v = static_cast<double>((uint64_t{w[3]} << 32 | w[2]) >> 11) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
  }

  // The generator itself: ten rounds on counter c under the key (k0, k1).
  static constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
      c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return c;
  }
  // A good 64-bit finaliser (splitmix64), also for seeded hashes of ids.
  static constexpr uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  // FNV-1a.
  static constexpr uint64_t hash(std::string_view text) {
    uint64_t h = 0xCBF29CE484222325;
    for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return h;
  }

 private:
  uint64_t key_;
};

// Draws one after another from one stream, for code that is sequential anyway.
class RandomSequence {
 public:
  RandomSequence(uint64_t seed, std::string_view stream, uint64_t substream = 0)
      : random_(seed, stream), substream_(substream) {}
  uint64_t bits() { return random_.bits(next_++, substream_); }
  double uniform() { return random_.uniform(next_++, substream_); }
  uint64_t below(uint64_t n) { return random_.below(n, next_++, substream_); }
  double normal() { return random_.normal(next_++, substream_); }

 private:
  Random random_;
  uint64_t substream_;
  uint64_t next_ = 0;
};

// Fisher-Yates.
template <class Items>
void shuffle(Items& items, RandomSequence& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace nd
