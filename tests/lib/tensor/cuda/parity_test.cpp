// Every case of op_cases.h and ragged_cases.h on the GPU: values and gradients as the CPU has them, within rounding,
// and the same bits from run to run.
//
// The same file is two programs. test_cuda_emulated runs the kernels' sources as loops on the CPU, everywhere; there it
// also runs every loop of a kernel from its end, which must change no bit: iterations of a phase do not depend on each
// other. test_cuda runs them on a GPU (make gpu-check).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lib/tensor/device.h"
#include "tests/lib/tensor/cuda/ragged_cases.h"
#include "tests/lib/tensor/op_runner.h"
#ifdef ND_EMULATED
#include "lib/tensor/cuda/team.h"
#include "tests/lib/tensor/cuda/emulated.h"
#endif

namespace nd {
namespace {

using namespace cases;

// Relative to the largest number of a result. What is summed up of very many is rounded in another order.
double tolerance(const OpCase& c) {
  const bool large =
      std::any_of(c.choices.begin(), c.choices.end(), [](const Choice& i) { return i.items() >= 10000; });
  return large ? 2e-4 : 2e-5;
}
constexpr double kSmall = 0.1;  // gradients all smaller than this are left over from larger terms that cancel

class OnCuda : public testing::TestWithParam<OpCase> {
 protected:
  void SetUp() override { ASSERT_EQ(pick_device("cuda"), Device::cuda); }
};
INSTANTIATE_TEST_SUITE_P(Table, OnCuda, testing::ValuesIn(all()), [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Ragged, OnCuda, testing::ValuesIn(ragged()), [](const auto& info) { return info.param.name; });

template <class Numbers>
void expect_near(const Numbers& got, const Numbers& expected, double tolerance, double least, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double scale = least;
  for (const auto v : expected) scale = std::max(scale, std::fabs(static_cast<double>(v)));
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_LE(std::fabs(static_cast<double>(got[i]) - static_cast<double>(expected[i])), tolerance * scale)
        << what << " at " << i << ": " << got[i] << ", on the CPU " << expected[i];
}

void expect_same_bits(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.value.values, b.value.values);
  for (size_t k = 0; k < a.grad.size(); ++k)
    EXPECT_TRUE(a.grad[k].empty() ||
                std::memcmp(a.grad[k].data(), b.grad[k].data(), a.grad[k].size() * sizeof(float)) == 0)
        << "gradient of input " << k;
}

TEST_P(OnCuda, IsWhatTheCpuComputes) {
  const OpCase& c = GetParam();
  for (const Gradients mode : {Gradients::none, Gradients::set, Gradients::added}) {
    const Outcome here = run(c, mode, Device::cuda), there = run(c, mode);
    expect_near(here.value.values, there.value.values, tolerance(c), 0, "value");
    for (size_t k = 0; k < there.grad.size(); ++k)
      expect_near(here.grad[k], there.grad[k], tolerance(c), mode == Gradients::added ? 3 : kSmall,
                  "gradient of input " + std::to_string(k));
  }
}

TEST_P(OnCuda, GivesTheSameBitsFromRunToRun) {
  const OpCase& c = GetParam();
  const Outcome once = run(c, Gradients::added, Device::cuda);
#ifdef ND_EMULATED
  cuda::emulation().backwards = true;
#endif
  expect_same_bits(run(c, Gradients::added, Device::cuda), once);
#ifdef ND_EMULATED
  cuda::emulation().backwards = false;
#endif
}

}  // namespace
}  // namespace nd
