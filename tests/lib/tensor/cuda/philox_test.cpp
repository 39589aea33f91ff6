// What a kernel draws is what the CPU draws, in every bit of all four words: for counters, draws and keys around the
// borders of 32 and of 64 bits, and for a hundred thousand of any size. random_test.cpp holds the CPU's against the
// paper's.
#include "tests/lib/tensor/cuda/philox.h"

#include <gtest/gtest.h>

#include "lib/tensor/device.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

constexpr uint64_t kBorder = uint64_t{1} << 32;

cuda::PhiloxInput input(uint64_t counter, uint64_t draw, uint64_t key) {
  const auto low = [](uint64_t x) { return static_cast<uint32_t>(x); };
  const auto high = [](uint64_t x) { return static_cast<uint32_t>(x >> 32); };
  return {{low(counter), high(counter), low(draw), high(draw)}, low(key), high(key)};
}

TEST(PhiloxOnCuda, DrawsTheCpusWords) {
  ASSERT_EQ(pick_device("cuda"), Device::cuda);
  std::vector<cuda::PhiloxInput> asked;
  const uint64_t sizes[] = {0, 1, kBorder - 1, kBorder, kBorder + 1, uint64_t{1} << 40, ~uint64_t{0} / 2, ~uint64_t{0}};
  for (const uint64_t counter : sizes)
    for (const uint64_t draw : sizes)
      for (const uint64_t key : sizes) asked.push_back(input(counter, draw, key));
  for (uint64_t i = 0; i < 100000; ++i)
    asked.push_back(input(Random::mix(3 * i), Random::mix(3 * i + 1), Random::mix(3 * i + 2)));
  const auto words = cuda::philox(asked);
  ASSERT_EQ(words.size(), asked.size());
  for (size_t i = 0; i < asked.size(); ++i)
    ASSERT_EQ(words[i], Random::philox(asked[i].counter, asked[i].k0, asked[i].k1)) << "number " << i;
}

// As operations draw: by a stream's key, from a counter of 64 bits.
TEST(PhiloxOnCuda, DrawsTheNumbersOfAStream) {
  ASSERT_EQ(pick_device("cuda"), Device::cuda);
  for (const uint64_t seed : {uint64_t{1}, uint64_t{1} << 62}) {
    const Random random(seed, "dropout");
    std::vector<cuda::PhiloxInput> asked;
    for (uint64_t i = 0; i < 2000; ++i) asked.push_back(input(kBorder - 1000 + i, kBorder + 7, random.key()));
    const auto words = cuda::philox(asked);
    for (uint64_t i = 0; i < 2000; ++i) ASSERT_EQ(words[i], random.words(kBorder - 1000 + i, kBorder + 7)) << i;
  }
}

}  // namespace
}  // namespace nd
