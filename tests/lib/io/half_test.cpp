// F16 and BF16 against the definition of their bits, over every half there is.
#include "lib/io/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nd {
namespace {

// Value of a binary16 by its definition.
double f16_value(uint16_t h) {
  const double sign = h & 0x8000 ? -1 : 1;
  const int exponent = h >> 10 & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return mantissa ? NAN : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
}

TEST(Half, EveryF16WidensToItsValueAndNarrowsBack) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float wide = widen_f16(static_cast<uint16_t>(h));
    if (std::isnan(f16_value(h))) {
      EXPECT_TRUE(std::isnan(wide));
      EXPECT_TRUE(std::isnan(widen_f16(narrow_f16(wide))));
    } else {
      ASSERT_EQ(wide, f16_value(h)) << h;
      ASSERT_EQ(narrow_f16(wide), h);
    }
  }
}

TEST(Half, EveryBf16WidensAndNarrowsBack) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float wide = widen_bf16(static_cast<uint16_t>(h));
    if (!std::isnan(wide)) {
      ASSERT_EQ(std::bit_cast<uint32_t>(wide), h << 16);
      ASSERT_EQ(narrow_bf16(wide), h);
    } else {
      ASSERT_TRUE(std::isnan(widen_bf16(narrow_bf16(wide))));
    }
  }
}

// Between two neighbours lies their middle: below it rounds down, above it up, on it to the even one.
template <class Widen, class Narrow>
void rounds_to_nearest_even(Widen widen, Narrow narrow, uint16_t last_finite) {
  for (uint16_t low = 0; low < last_finite; ++low) {
    const float a = widen(low), b = widen(low + 1), middle = static_cast<float>((double{a} + double{b}) / 2);
    ASSERT_EQ(narrow(middle), low % 2 ? low + 1 : low) << low;
    ASSERT_EQ(narrow(std::nextafter(middle, 0.0f)), low) << low;
    ASSERT_EQ(narrow(std::nextafter(middle, INFINITY)), low + 1) << low;
    ASSERT_EQ(narrow(-middle), 0x8000 | narrow(middle));
  }
}

TEST(Half, NarrowingRoundsToNearestEven) {
  rounds_to_nearest_even(widen_f16, narrow_f16, 0x7bff);
  rounds_to_nearest_even(widen_bf16, narrow_bf16, 0x7f7f);
}

TEST(Half, TooLargeBecomesInfinite) {
  EXPECT_EQ(narrow_f16(65519), 0x7bff);
  EXPECT_EQ(narrow_f16(65520), 0x7c00);
  EXPECT_EQ(narrow_f16(-1e30f), 0xfc00);
  EXPECT_EQ(narrow_f16(INFINITY), 0x7c00);
  EXPECT_EQ(narrow_bf16(3.4e38f), 0x7f80);
}

}  // namespace
}  // namespace nd
