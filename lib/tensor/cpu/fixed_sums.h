// add_where_positive (masked_sums.h) on the tile unit (AMX), whose eight-bit integers multiply sixteen times as fast as
// floats do.
//
// The numbers of kTogether scaled rows are one unit times integers of 23 bits and a sign, and those are three digits of
// eight bits with their signs: x = unit (2^16 d0 + 2^8 d1 + d2). The bits are one digit. So a sum errs by half a unit
// an item, where floats err by half a last bit an addition, and sums of integers are exact: they depend on no order.
//
// The tile unit works beside the vector units: sums of one block become floats while the next block is multiplied.
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "lib/tensor/cpu/masked_sums.h"
#include "lib/tensor/cpu/simd.h"
#include "lib/tensor/cpu/tiles.h"
#include "lib/tensor/mat.h"

#if defined(__AMX_INT8__) && defined(__AVX512VBMI__)
#define ND_TILE_UNIT
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace nd::cpu::fixed {

constexpr int64_t kTogether = 256;  // items summed over one unit, at most

#ifdef ND_TILE_UNIT

// Whether this process may use the tiles: the kernel has to be asked once.
inline bool available() {
  constexpr int kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool allowed = syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return allowed;
}

constexpr int64_t kTile = 16, kDepth = 64;  // rows of a tile; digits in a row of it, or sums of 32 bits, sixteen
constexpr int64_t kTileBytes = kTile * kDepth, kSteps = kTogether / kDepth;
constexpr int kDigits = 3;

// A thread's eight tiles, all whole, while it lives.
class Tiles {
 public:
  Tiles() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } shape;
    for (int i = 0; i < 8; ++i) shape.bytes[i] = kDepth, shape.rows[i] = kTile;
    _tile_loadconfig(&shape);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
};

typedef int32_t Words __attribute__((vector_size(64)));

// f(column, how many) for every sixteen columns of n.
template <class F>
[[gnu::always_inline]] inline void each_vector(int64_t n, F&& f) {
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) f(c, kLanes);
  if (c < n) f(c, n - c);
}

// The largest magnitude, found among integers: they have the order of the numbers, and what is not a number is above
// all.
inline float largest(const float* x, int64_t n) {
  Words most = {};
  const auto take = [&](Words magnitude) { most = magnitude > most ? magnitude : most; };
  each_vector(n, [&](int64_t c, int64_t lanes) { take((Words)vec_load(x + c, lanes) & 0x7fffffff); });
  const Words lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (int32_t step : {8, 4, 2, 1}) take(__builtin_shuffle(most, lane ^ step));
  return ((Vec)most)[0];
}

// The digits of sixteen numbers, in bytes 2, 1 and 0 of each word.
inline Words digits(Vec x, Vec inverse) {
  const Words half = Words{} + 0x808080;
  return ((Words)_mm512_maskz_cvtps_epi32(0xFFFF, x * inverse) + half) ^ half;
}
// The digits of one place of four items, a word of four for each lane.
inline Words interleave(const Words (&d)[4], int place) {
  const int shift = 8 * (kDigits - 1 - place);
  Words w = d[0] >> shift & 0xff;
  for (int i = 1; i < 4; ++i) w |= (d[i] >> shift & 0xff) << 8 * i;
  return w;
}

// The bits of items as bytes: for each sixteen units kSteps tiles, a row a unit and 64 items in it.
inline void spread_bits(const uint16_t* mask, int64_t words, int64_t items, int8_t* to) {
  for (int64_t first = 0; first < items; first += kDepth)
    for (int64_t word = 0; word < words; ++word) {
      alignas(64) uint16_t bits[kDepth] = {};
      for (int64_t i = 0; i < std::min(items - first, kDepth); ++i) bits[i] = mask[(first + i) * words + word];
      const __m512i low = _mm512_load_si512(bits), high = _mm512_load_si512(bits + kDepth / 2);
      int8_t* const tile = to + (word * kSteps + first / kDepth) * kTileBytes;
      for (int64_t unit = 0; unit < kTile; ++unit) {
        const __m512i bit = _mm512_set1_epi16(static_cast<int16_t>(1 << unit));
        const __mmask64 set = _mm512_test_epi16_mask(low, bit) | uint64_t{_mm512_test_epi16_mask(high, bit)} << 32;
        _mm512_store_si512(tile + unit * kDepth, _mm512_maskz_set1_epi8(set, 1));
      }
    }
}

// The rows of items [begin, end) times scale times inverse: for each sixteen columns kSteps times kDigits tiles, of one
// place each, a row four items. What lies behind the last item is of no account: nobody's bit is set for it.
inline void split_rows(const Mat& x, const int32_t* tail, const float* scale, int64_t begin, int64_t end, float inverse,
                       int8_t* to) {
  for (int64_t i = begin; i < end; i += 4) {
    const float* row[4];
    Vec times[4];
    for (int64_t j = 0; j < 4; ++j) {
      const int64_t item = std::min(i + j, end - 1);
      row[j] = x.row(tail[item]);
      times[j] = vec_spread(scale[item] * inverse);
    }
    int8_t* at = to + (i - begin) / kDepth * kDigits * kTileBytes + (i - begin) % kDepth / 4 * kDepth;
    each_vector(
        x.cols, [&](int64_t c, int64_t lanes) __attribute__((always_inline)) {
          Words d[4];
          for (int j = 0; j < 4; ++j) d[j] = digits(vec_load(row[j] + c, lanes), times[j]);
          for (int place = 0; place < kDigits; ++place) {
            const Words w = interleave(d, place);
            std::memcpy(at + place * kTileBytes, &w, sizeof w);
          }
          at += kSteps * kDigits * kTileBytes;
        });
  }
}

// The sums of 32 units and sixteen columns, of each place apart.
constexpr int64_t kBlock = 2 * kTile;
struct Block {
  alignas(64) int32_t sum[2][kDigits][kTile][kTile];

  // Adds up the products of `steps` tiles of bits, for the upper and the lower sixteen units, and three tiles of
  // digits; calls pace(step) after each.
  template <class Pace>
  [[gnu::always_inline]] void multiply(const int8_t* upper, const int8_t* lower, const int8_t* rows, int64_t steps,
                                       Pace&& pace) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (int64_t k = 0; k < steps; ++k, upper += kTileBytes, lower += kTileBytes, rows += kDigits * kTileBytes) {
      _tile_loadd(6, upper, kDepth);
      _tile_loadd(7, rows, kDepth);
      _tile_dpbssd(0, 6, 7);
      _tile_loadd(7, rows + kTileBytes, kDepth);
      _tile_dpbssd(1, 6, 7);
      _tile_loadd(7, rows + 2 * kTileBytes, kDepth);
      _tile_dpbssd(2, 6, 7);
      _tile_loadd(6, lower, kDepth);
      _tile_dpbssd(5, 6, 7);
      _tile_loadd(7, rows + kTileBytes, kDepth);
      _tile_dpbssd(4, 6, 7);
      _tile_loadd(7, rows, kDepth);
      _tile_dpbssd(3, 6, 7);
      pace(k);
    }
    _tile_stored(0, sum[0][0], kDepth);
    _tile_stored(1, sum[0][1], kDepth);
    _tile_stored(2, sum[0][2], kDepth);
    _tile_stored(3, sum[1][0], kDepth);
    _tile_stored(4, sum[1][1], kDepth);
    _tile_stored(5, sum[1][2], kDepth);
  }

  // A unit's sums, in units of the digits.
  Vec row(int64_t unit) const {
    Vec s[kDigits];
    for (int place = 0; place < kDigits; ++place)
      s[place] = _mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_load_si512(sum[unit / kTile][place][unit % kTile]));
    return vec_fma(vec_fma(s[0], vec_spread(256), s[1]), vec_spread(256), s[2]);
  }
};

// sums[unit] += Σ scale_i x[tail_i] over those items of [begin, end), kTogether at most, whose mask has the unit's bit.
// reach_i is the largest magnitude in x[tail_i]. The calling thread has Tiles.
inline void add_where_positive(const Mat& x, const int32_t* tail, const float* reach, const uint16_t* mask,
                               const float* scale, int64_t begin, int64_t end, const UnitSums& sums) {
  constexpr float kLargest = 0x7f0000;  // a little more would still have digits
  static thread_local std::vector<float> memory;
  const int64_t words = sums.units / kTile, columns = (x.cols + kTile - 1) / kTile;
  const int64_t bytes = (words + columns * kDigits) * kSteps * kTileBytes;
  auto* const bits = reinterpret_cast<int8_t*>(aligned(memory, bytes / static_cast<int64_t>(sizeof(float))));
  int8_t* const rows = bits + words * kSteps * kTileBytes;
  float most = 1e-30f;  // where all are zeros any unit will do
  for (int64_t i = begin; i < end; ++i) {
    const float here = reach[i] * std::abs(scale[i]);
    if (!(here <= most)) most = here;
    if (!(most <= FLT_MAX)) break;  // what is not a number stays
  }
  const float unit = most / kLargest;
  spread_bits(mask + begin * words, words, end - begin, bits);
  split_rows(x, tail, scale, begin, end, 1 / unit, rows);

  const int64_t blocks = columns * ((words + 1) / 2), steps = (end - begin + kDepth - 1) / kDepth;
  const auto take = [&](const Block& block, int64_t n, int64_t from, int64_t to) __attribute__((always_inline)) {
    const int64_t first = n / columns * kBlock, c = n % columns * kTile;
    to = std::min(to, sums.units - first);
    float* sum = sums.row(c / kColumns, first + from) + c % kColumns;
    for (int64_t r = from; r < to; ++r, sum += kColumns)
      vec_store(sum, vec_fma(block.row(r), vec_spread(unit), vec_load(sum)));
  };
  Block block[2];
  for (int64_t n = 0; n < blocks; ++n) {
    const int64_t word = n / columns * 2, lower = std::min(word + 1, words - 1);
    block[n % 2].multiply(bits + word * kSteps * kTileBytes, bits + lower * kSteps * kTileBytes,
                          rows + n % columns * kSteps * kDigits * kTileBytes, steps, [&](int64_t k) {
                            if (n > 0) take(block[(n + 1) % 2], n - 1, kBlock * k / steps, kBlock * (k + 1) / steps);
                          });
  }
  take(block[(blocks + 1) % 2], blocks - 1, 0, kBlock);
}

#else

inline bool available() { return false; }
struct Tiles {};
inline float largest(const float*, int64_t) { return 0; }
inline void add_where_positive(const Mat&, const int32_t*, const float*, const uint16_t*, const float*, int64_t,
                               int64_t, const UnitSums&) {}

#endif

// Whether sums are made on the tiles: where they can be, unless a test wants to see the other way.
inline bool& enabled() {
  static bool on = available();
  return on;
}

}  // namespace nd::cpu::fixed
