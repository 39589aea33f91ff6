// Philox (lib/tensor/random.h) on as many counters at once as a register holds.
#include "lib/tensor/cpu/dropout.h"

#include <algorithm>
#include <cmath>

namespace nd::cpu {
namespace {

typedef uint32_t VecU __attribute__((vector_size(sizeof(Vec))));
typedef uint64_t VecU64 __attribute__((vector_size(sizeof(Vec))));

constexpr uint64_t kEven[kLanes / 2] = {0, 2, 4, 6, 8, 10, 12, 14};
constexpr int64_t kGroup = 8;  // words of sixteen decisions that sixteen counters give

uint32_t threshold(const Dropout& drop) { return static_cast<uint32_t>(std::lround(drop.rate * 65536)); }

// Numbers of 32 bits stand in the low halves of 64, and what stands above them is of no account: so a product leaves
// its low half where the next round wants it.
inline VecU64 product(VecU64 x, uint32_t m) {
#ifdef __AVX512F__
  return (VecU64)_mm512_maskz_mul_epu32(0xFF, (__m512i)x, _mm512_set1_epi64(m));
#else
  return (VecU64)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(m));
#endif
}
// A shuffle, as shifts wait for the port that multiplies.
inline VecU64 high(VecU64 x) {
#ifdef __AVX512F__
  return (VecU64)_mm512_maskz_shuffle_epi32(0xFFFF, (__m512i)x, static_cast<_MM_PERM_ENUM>(0xF5));
#else
  return (VecU64)_mm256_shuffle_epi32((__m256i)x, 0xF5);
#endif
}
inline VecU interleaved(VecU64 even, VecU64 odd) {
#ifdef __AVX512F__
  return (VecU)_mm512_mask_blend_epi32(0xAAAA, (__m512i)even, (__m512i)(odd << 32));
#else
  return (VecU)_mm256_blend_epi32((__m256i)even, (__m256i)(odd << 32), 0xAA);
#endif
}

// Bit l: lane l of x is at least `least`; both are below 65536.
inline uint16_t at_least(VecU x, uint32_t least) {
#ifdef __AVX512F__
  return _mm512_cmp_epi32_mask((__m512i)x, _mm512_set1_epi32(static_cast<int>(least)), _MM_CMPINT_NLT);
#else
  const __m256i above = _mm256_cmpgt_epi32((__m256i)x, _mm256_set1_epi32(static_cast<int>(least) - 1));
  return static_cast<uint16_t>(_mm256_movemask_ps((__m256)above));
#endif
}

// Keys of Philox's rounds, where its multiplications find them without waiting for a register to be filled.
struct Keys {
  VecU64 of[10][2];
  explicit Keys(const Dropout& drop) {
    auto k0 = static_cast<uint32_t>(drop.key), k1 = static_cast<uint32_t>(drop.key >> 32);
    for (auto& round : of) {
      round[0] = VecU64{} + k0;
      round[1] = VecU64{} + k1;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
  }
};

// The eight words of group g: sixteen counters give them.
void group_words(const Dropout& drop, const Keys& keys, int64_t g, uint32_t least, uint16_t* word) {
  for (int w = 0; w < kGroup; ++w) word[w] = 0;
  for (int part = 0; part < kParts; ++part) {
    // Counters of even and of odd lanes.
    VecU64 all[2][4];
    for (int side = 0; side < 2; ++side) {
      VecU64* const c = all[side];
      const uint64_t first = static_cast<uint64_t>(g) * kLanes + static_cast<uint64_t>(part * kVec + side);
      std::memcpy(&c[0], kEven, sizeof c[0]);
      c[0] += first;
      c[1] = VecU64{} + (first >> 32);
      c[2] = VecU64{} + drop.draw;
      c[3] = VecU64{} + (drop.draw >> 32);
      for (const auto& key : keys.of) {
        const VecU64 p0 = product(c[0], 0xD2511F53), p1 = product(c[2], 0xCD9E8D57);
        c[0] = high(p1) ^ c[1] ^ key[0];
        c[1] = p1;
        c[2] = high(p0) ^ c[3] ^ key[1];
        c[3] = p0;
      }
    }
    VecU c[4];
    for (int i = 0; i < 4; ++i) c[i] = interleaved(all[0][i], all[1][i]);
    for (int w = 0; w < kGroup; ++w)
      word[w] |= static_cast<uint16_t>(at_least(w % 2 ? c[w / 2] >> 16 : c[w / 2] & 0xFFFF, least) << (part * kVec));
  }
}

}  // namespace

void kept_words(const Dropout& drop, int64_t first, int64_t count, uint16_t* word) {
  const uint32_t least = threshold(drop);
  const Keys keys(drop);
  for (int64_t at = first; at < first + count;) {
    const int64_t g = at / kGroup, end = std::min((g + 1) * kGroup, first + count);
    uint16_t group[kGroup];
    group_words(drop, keys, g, least, group);
    word = std::copy_n(group + at % kGroup, end - at, word);
    at = end;
  }
}

float kept_scale(const Dropout& drop) { return 65536.0f / static_cast<float>(65536 - threshold(drop)); }

}  // namespace nd::cpu
