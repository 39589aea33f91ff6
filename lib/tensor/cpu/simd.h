// Sixteen floats at a time: one register with AVX-512, two with AVX2, the same bits on both.
//
// Lanes are always sixteen and sums over lanes always use the same tree, so a result does not depend on how wide the
// machine's registers are. Multiply-adds are spelled out: the build has -ffp-contract=off, because what the compiler
// would fuse by itself differs between a loop's body and its remainder, and so between neighbours in a batch.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace nd::cpu {

// --- One register ---

#ifdef __AVX512F__
typedef __m512 Vec;
#else
typedef __m256 Vec;
#endif
typedef int32_t VecI __attribute__((vector_size(sizeof(Vec))));
constexpr int64_t kVec = sizeof(Vec) / sizeof(float);

inline Vec vec_spread(float x) {
#ifdef __AVX512F__
  return _mm512_set1_ps(x);
#else
  return _mm256_set1_ps(x);
#endif
}
// a b + c, rounded once.
inline Vec vec_fma(Vec a, Vec b, Vec c) {
#ifdef __AVX512F__
  return _mm512_fmadd_ps(a, b, c);
#else
  return _mm256_fmadd_ps(a, b, c);
#endif
}
inline Vec vec_absolute(Vec x) { return (Vec)((VecI)x & 0x7fffffff); }
inline Vec vec_load(const float* p) {
  Vec x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
inline void vec_store(float* p, Vec x) { std::memcpy(p, &x, sizeof x); }

#ifdef __AVX512F__
inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
#else
inline __m256i first_lanes(int64_t n) {
  alignas(32) static constexpr int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window + kVec - n));
}
#endif
// The first n lanes (0 <= n <= kVec), zeros behind them. Memory behind them is not touched.
inline Vec vec_load(const float* p, int64_t n) {
#ifdef __AVX512F__
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
#else
  return _mm256_maskload_ps(p, first_lanes(n));
#endif
}
// The same with what `rest` has behind them.
inline Vec vec_load(const float* p, int64_t n, Vec rest) {
#ifdef __AVX512F__
  return _mm512_mask_loadu_ps(rest, first_lanes(n), p);
#else
  return _mm256_blendv_ps(rest, vec_load(p, n), _mm256_castsi256_ps(first_lanes(n)));
#endif
}
inline void vec_store(float* p, Vec x, int64_t n) {
#ifdef __AVX512F__
  _mm512_mask_storeu_ps(p, first_lanes(n), x);
#else
  _mm256_maskstore_ps(p, first_lanes(n), x);
#endif
}
// The first n lanes of x (0 <= n <= kVec), zeros behind them.
inline Vec vec_keep(Vec x, int64_t n) {
#ifdef __AVX512F__
  return _mm512_maskz_mov_ps(first_lanes(n), x);
#else
  return _mm256_and_ps(x, _mm256_castsi256_ps(first_lanes(n)));
#endif
}

// --- Sixteen lanes ---

constexpr int64_t kLanes = 16;
constexpr int kParts = kLanes / kVec;

struct Lanes {
  Vec part[kParts];

  Lanes() = default;
  Lanes(float x) {  // in every lane
    for (Vec& p : part) p = vec_spread(x);
  }
};

// f(part) for each register.
template <class F>
inline Lanes each_part(F&& f) {
  Lanes y;
  for (int i = 0; i < kParts; ++i) y.part[i] = f(i);
  return y;
}

inline Lanes load(const float* p) {
  return each_part([p](int i) { return vec_load(p + i * kVec); });
}
inline void store(float* p, Lanes x) {
  for (int i = 0; i < kParts; ++i) vec_store(p + i * kVec, x.part[i]);
}
// Of n lanes, 0 < n <= 16, how many lie in part i.
inline int64_t in_part(int64_t n, int i) { return std::clamp<int64_t>(n - i * kVec, 0, kVec); }
// The first n lanes, zeros behind them. Memory behind them is not touched.
inline Lanes load(const float* p, int64_t n) {
  return each_part([&](int i) { return vec_load(p + i * kVec, in_part(n, i)); });
}
// The same with what `rest` has behind them.
inline Lanes load(const float* p, int64_t n, Lanes rest) {
  return each_part([&](int i) { return vec_load(p + i * kVec, in_part(n, i), rest.part[i]); });
}
inline void store(float* p, Lanes x, int64_t n) {
  for (int i = 0; i < kParts; ++i) vec_store(p + i * kVec, x.part[i], in_part(n, i));
}
// p[0], p[step], ..., p[15 step]
inline Lanes load_apart(const float* p, int64_t step) {
  return each_part([&](int i) {
    Vec x;
    for (int64_t l = 0; l < kVec; ++l) x[l] = p[(i * kVec + l) * step];
    return x;
  });
}
inline Lanes keep(Lanes x, int64_t n) {
  return each_part([&](int i) { return vec_keep(x.part[i], in_part(n, i)); });
}

inline Lanes operator+(Lanes a, Lanes b) {
  return each_part([&](int i) { return a.part[i] + b.part[i]; });
}
inline Lanes operator-(Lanes a, Lanes b) {
  return each_part([&](int i) { return a.part[i] - b.part[i]; });
}
inline Lanes operator*(Lanes a, Lanes b) {
  return each_part([&](int i) { return a.part[i] * b.part[i]; });
}
inline Lanes operator/(Lanes a, Lanes b) {
  return each_part([&](int i) { return a.part[i] / b.part[i]; });
}
inline Lanes operator-(Lanes x) {
  return each_part([&](int i) { return -x.part[i]; });
}
inline Lanes absolute(Lanes x) {
  return each_part([&](int i) { return vec_absolute(x.part[i]); });
}
inline Lanes fma(Lanes a, Lanes b, Lanes c) {
  return each_part([&](int i) { return vec_fma(a.part[i], b.part[i], c.part[i]); });
}
inline Lanes square_root(Lanes x) {
#ifdef __AVX512F__  // with a full mask: GCC 12 takes the unmasked form for a use of uninitialised memory (its bug
                    // 105593)
  return each_part([&](int i) { return _mm512_maskz_sqrt_ps(0xFFFF, x.part[i]); });
#else
  return each_part([&](int i) { return _mm256_sqrt_ps(x.part[i]); });
#endif
}
// yes where a < b, no elsewhere (and where one is not a number).
inline Lanes where_less(Lanes a, Lanes b, Lanes yes, Lanes no) {
  return each_part([&](int i) { return a.part[i] < b.part[i] ? yes.part[i] : no.part[i]; });
}

// The larger of a and b; b where they cannot be compared.
inline Lanes larger(Lanes a, Lanes b) { return where_less(b, a, a, b); }

// max(x, 0); what is not a number stays that, so that a diverged training shows in its loss.
inline Lanes relu(Lanes x) { return where_less(x, 0.0f, 0.0f, x); }

// Bit l says whether lane l is above zero.
inline uint16_t positive(Lanes x) {
#ifdef __AVX512F__
  return _mm512_cmp_ps_mask(x.part[0], _mm512_setzero_ps(), _CMP_GT_OQ);
#else
  const int low = _mm256_movemask_ps(_mm256_cmp_ps(x.part[0], _mm256_setzero_ps(), _CMP_GT_OQ));
  const int high = _mm256_movemask_ps(_mm256_cmp_ps(x.part[1], _mm256_setzero_ps(), _CMP_GT_OQ));
  return static_cast<uint16_t>(low | high << 8);
#endif
}

// sum + x where the bit is set, sum elsewhere.
inline Lanes add_where(uint16_t bits, Lanes sum, Lanes x) {
#ifdef __AVX512F__
  return each_part([&](int i) { return _mm512_mask_add_ps(sum.part[i], bits, sum.part[i], x.part[i]); });
#else
  return each_part([&](int i) {
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_and_si256(_mm256_set1_epi32(bits >> (i * kVec)), lane);
    return _mm256_blendv_ps(sum.part[i], sum.part[i] + x.part[i], _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane)));
  });
#endif
}

// The two halves added, then the halves of that, down to one.
inline float sum(Lanes x) {
#ifdef __AVX512F__
  const Vec y = x.part[0];
  const __m256 eight = __builtin_shufflevector(y, y, 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(y, y, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  const __m256 eight = x.part[0] + x.part[1];
#endif
  const __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
}

// The largest of all lanes, of numbers.
inline float largest(Lanes x) {
#ifdef __AVX512F__
  const Vec y = x.part[0];
  const __m256 eight = _mm256_max_ps(__builtin_shufflevector(y, y, 0, 1, 2, 3, 4, 5, 6, 7),
                                     __builtin_shufflevector(y, y, 8, 9, 10, 11, 12, 13, 14, 15));
#else
  const __m256 eight = _mm256_max_ps(x.part[0], x.part[1]);
#endif
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return std::max(two[0], two[1]);
}

// Asks for p[0 .. n) to be brought near.
inline void prefetch(const float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) __builtin_prefetch(p + i);
  __builtin_prefetch(p + n - 1);  // few rows start at a cache line: they end in one line more
}

inline float first(Lanes x) { return x.part[0][0]; }

inline float dot(const float* a, const float* b, int64_t n) {
  Lanes s = 0.0f;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) s = fma(load(a + i), load(b + i), s);
  if (i < n) s = fma(load(a + i, n - i), load(b + i, n - i), s);
  return sum(s);
}

// to = from, for the short rows that a call to the library would cost as much as.
inline void copy_row(const float* from, int64_t n, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  if (i < n) store(to + i, load(from + i, n - i), n - i);
}

// y += a x
inline void axpy(float a, const float* x, float* y, int64_t n) {
  const Lanes s = a;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, fma(s, load(x + i), load(y + i)));
  if (i < n) store(y + i, fma(s, load(x + i, n - i), load(y + i, n - i)), n - i);
}

// f(0), ..., f(N - 1) with constants for arguments: arrays they index stay in registers, which loops left to the
// compiler only get when it is in the mood.
template <int N, class F>
[[gnu::always_inline]] inline void unrolled(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>()), ...);
  }
  (std::make_integer_sequence<int, N>());
}

// y[0 .. n) = (add ? y : 0) + Σ weight(i) row(i)[0 .. n) over i in [begin, end), in that order. The sums stay in
// registers: a load cannot take what it needs from the store before it where that wrote part of a register.
template <int V, class Weight, class Row>
inline void weighted_sum_columns(int64_t begin, int64_t end, Weight&& weight, Row&& row, int64_t c, int64_t last,
                                 bool add, float* y) {
  Lanes sum[V];
  unrolled<V>([&](auto v) { sum[v] = 0.0f; });
  if (add) {
    unrolled<V - 1>([&](auto v) { sum[v] = load(y + c + v * kLanes); });
    sum[V - 1] = load(y + c + (V - 1) * kLanes, last);
  }
  for (int64_t i = begin; i < end; ++i) {
    const Lanes a = weight(i);
    const float* x = row(i) + c;
    unrolled<V - 1>([&](auto v) { sum[v] = fma(a, load(x + v * kLanes), sum[v]); });
    sum[V - 1] = fma(a, load(x + (V - 1) * kLanes, last), sum[V - 1]);
  }
  unrolled<V - 1>([&](auto v) { store(y + c + v * kLanes, sum[v]); });
  store(y + c + (V - 1) * kLanes, sum[V - 1], last);
}
template <class Weight, class Row>
inline void weighted_sum(int64_t begin, int64_t end, Weight&& weight, Row&& row, int64_t n, bool add, float* y) {
  constexpr int64_t kMost = 6;  // leaves registers to load with, where a register is half of the lanes
  for (int64_t c = 0; c < n; c += kMost * kLanes) {
    const int64_t vectors = std::min((n - c + kLanes - 1) / kLanes, kMost), last = n - c - (vectors - 1) * kLanes;
    const auto columns = [&]<int V>() {
      weighted_sum_columns<V>(begin, end, weight, row, c, std::min(last, kLanes), add, y);
    };
    switch (vectors) {
      case 1:
        columns.template operator()<1>();
        break;
      case 2:
        columns.template operator()<2>();
        break;
      case 3:
        columns.template operator()<3>();
        break;
      case 4:
        columns.template operator()<4>();
        break;
      case 5:
        columns.template operator()<5>();
        break;
      default:
        columns.template operator()<6>();
    }
  }
}

// Rows lie anywhere in tables larger than the caches: asking for a row this many items ahead hides the wait.
constexpr int64_t kAhead = 8;
// Tables of no more numbers than this stay near by themselves.
constexpr int64_t kNear = 1 << 15;

}  // namespace nd::cpu
