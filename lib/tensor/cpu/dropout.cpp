// Philox (lib/tensor/random.h) on as many counters at once as a register holds.
#include "lib/tensor/cpu/dropout.h"

#include <cmath>

namespace nd::cpu {
namespace {

typedef uint32_t VecU __attribute__((vector_size(sizeof(Vec))));
typedef uint64_t VecU64 __attribute__((vector_size(sizeof(Vec))));

constexpr uint32_t kLane[kLanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr int64_t kGroup = 8;  // words of sixteen decisions that sixteen counters give

uint32_t threshold(const Dropout& drop) { return static_cast<uint32_t>(std::lround(drop.rate * 65536)); }

// x m by lanes, 64 bits each, as high and low halves.
inline void wide_product(VecU x, uint32_t m, VecU& high, VecU& low) {
#ifdef __AVX512F__
  const __m512i factor = _mm512_set1_epi32(static_cast<int>(m));
  const VecU64 even = (VecU64)_mm512_maskz_mul_epu32(0xFF, (__m512i)x, factor);
  const VecU64 odd = (VecU64)_mm512_maskz_mul_epu32(0xFF, (__m512i)((VecU64)x >> 32), factor);
  high = (VecU)_mm512_mask_blend_epi32(0xAAAA, (__m512i)(even >> 32), (__m512i)odd);
  low = (VecU)_mm512_mask_blend_epi32(0xAAAA, (__m512i)even, (__m512i)(odd << 32));
#else
  const __m256i factor = _mm256_set1_epi32(static_cast<int>(m));
  const VecU64 even = (VecU64)_mm256_mul_epu32((__m256i)x, factor);
  const VecU64 odd = (VecU64)_mm256_mul_epu32((__m256i)((VecU64)x >> 32), factor);
  high = (VecU)_mm256_blend_epi32((__m256i)(even >> 32), (__m256i)odd, 0xAA);
  low = (VecU)_mm256_blend_epi32((__m256i)even, (__m256i)(odd << 32), 0xAA);
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

// The eight words of group g.
void group_words(const Dropout& drop, int64_t g, uint32_t least, uint16_t* word) {
  for (int w = 0; w < kGroup; ++w) word[w] = 0;
  for (int part = 0; part < kParts; ++part) {
    VecU c[4];
    const uint64_t first = static_cast<uint64_t>(g) * kLanes + static_cast<uint64_t>(part * kVec);
    std::memcpy(&c[0], kLane, sizeof c[0]);
    c[0] += static_cast<uint32_t>(first);
    c[1] = VecU{} + static_cast<uint32_t>(first >> 32);
    c[2] = VecU{} + static_cast<uint32_t>(drop.draw);
    c[3] = VecU{} + static_cast<uint32_t>(drop.draw >> 32);
    auto k0 = static_cast<uint32_t>(drop.key), k1 = static_cast<uint32_t>(drop.key >> 32);
    for (int round = 0; round < 10; ++round) {
      VecU high0, low0, high1, low1;
      wide_product(c[0], 0xD2511F53, high0, low0);
      wide_product(c[2], 0xCD9E8D57, high1, low1);
      c[0] = high1 ^ c[1] ^ k0;
      c[1] = low1;
      c[2] = high0 ^ c[3] ^ k1;
      c[3] = low0;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    for (int w = 0; w < kGroup; ++w)
      word[w] |= static_cast<uint16_t>(at_least(w % 2 ? c[w / 2] >> 16 : c[w / 2] & 0xFFFF, least) << (part * kVec));
  }
}

}  // namespace

void kept_words(const Dropout& drop, int64_t first, int64_t count, uint16_t* word) {
  const uint32_t least = threshold(drop);
  for (int64_t at = first; at < first + count;) {
    const int64_t g = at / kGroup, end = std::min((g + 1) * kGroup, first + count);
    uint16_t group[kGroup];
    group_words(drop, g, least, group);
    for (; at < end; ++at) *word++ = group[at % kGroup];
  }
}

float kept_scale(const Dropout& drop) { return 65536.0f / static_cast<float>(65536 - threshold(drop)); }

}  // namespace nd::cpu
