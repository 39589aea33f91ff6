// Sixteen floats at a time, in GCC's vector extensions: one register with AVX-512, two with AVX2, the same bits on both.
//
// Lanes are always sixteen and sums over lanes always use the same tree, so a result does not depend on how wide the
// machine's registers are.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace nd::cpu {

constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(64), may_alias));
typedef int32_t LanesI __attribute__((vector_size(64), may_alias));
typedef float LanesU __attribute__((vector_size(64), aligned(4), may_alias));  // anywhere in memory

inline Lanes zeros() { return Lanes{}; }
inline Lanes spread(float x) { return Lanes{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
inline Lanes load(const float* p) { return *reinterpret_cast<const LanesU*>(p); }
inline void store(float* p, Lanes x) { *reinterpret_cast<LanesU*>(p) = x; }

// The first n lanes (0 < n <= 16), zeros behind them.
inline Lanes load(const float* p, int64_t n) {
#ifdef __AVX512F__
  return reinterpret_cast<Lanes>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
#else
  Lanes x{};
  std::memcpy(&x, p, static_cast<size_t>(n) * sizeof(float));
  return x;
#endif
}
inline void store(float* p, Lanes x, int64_t n) {
#ifdef __AVX512F__
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(x));
#else
  std::memcpy(p, &x, static_cast<size_t>(n) * sizeof(float));
#endif
}

inline Lanes relu(Lanes x) { return x > 0.0f ? x : Lanes{}; }

// Bit l says whether lane l is above zero.
inline uint16_t positive(Lanes x) {
#ifdef __AVX512F__
  return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(x), _mm512_setzero_ps(), _CMP_GT_OQ);
#else
  __m256 half[2];
  std::memcpy(half, &x, sizeof half);
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(half[0], _mm256_setzero_ps(), _CMP_GT_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(half[1], _mm256_setzero_ps(), _CMP_GT_OQ));
  return static_cast<uint16_t>(low | high << 8);
#endif
}

// sum + x where the bit is set, sum elsewhere.
inline Lanes add_where(uint16_t bits, Lanes sum, Lanes x) {
#ifdef __AVX512F__
  return reinterpret_cast<Lanes>(_mm512_mask_add_ps(reinterpret_cast<__m512>(sum), bits, reinterpret_cast<__m512>(sum),
                                                    reinterpret_cast<__m512>(x)));
#else
  constexpr LanesI lane = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  const LanesI set = (LanesI{} + int32_t{bits}) & lane;
  return set != 0 ? sum + x : sum;
#endif
}

inline float sum(Lanes x) {
  float a[16];
  std::memcpy(a, &x, sizeof a);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) a[i] += a[i + half];
  return a[0];
}

inline float dot(const float* a, const float* b, int64_t n) {
  Lanes s{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) s += load(a + i) * load(b + i);
  if (i < n) s += load(a + i, n - i) * load(b + i, n - i);
  return sum(s);
}

// y += a * x
inline void axpy(float a, const float* x, float* y, int64_t n) {
  const Lanes s = spread(a);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) + s * load(x + i));
  if (i < n) store(y + i, load(y + i, n - i) + s * load(x + i, n - i), n - i);
}

}  // namespace nd::cpu
