// How parameters start and step.
#include "lib/nn/parameters.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nd {
namespace {

std::vector<float> values(const Mat& x) { return {x.data, x.data + x.size()}; }

TEST(Parameters, StartAsAskedFor) {
  Parameters p;
  const Mat ones = p.add("ones", 2, 50, Init::ones, 1).value;
  const Mat uniform = p.add("uniform", 100, 50, Init::uniform, 1, false, 0.25).value;
  const Mat normal = p.add("normal", 100, 50, Init::normal, 1, false, 0.02).value;
  double most = 0, square = 0;
  for (float x : values(ones)) EXPECT_EQ(x, 1);
  for (float x : values(uniform)) most = std::max(most, std::fabs(static_cast<double>(x)));
  for (float x : values(normal)) square += static_cast<double>(x) * x / 5000;
  EXPECT_LE(most, 0.25);
  EXPECT_GE(most, 0.249);
  EXPECT_NEAR(std::sqrt(square), 0.02, 0.001);
}

// Two parameters with gradients 3 and 4 in one place each: together a gradient of length 5.
class ThreeAndFour : public testing::Test {
 protected:
  ThreeAndFour() {
    for (const char* name : {"a", "b"}) {
      Parameter& p = parameters.add(name, 1, 20, Init::ones, 1);
      std::fill_n(p.grad.data, 20, 0.0f);
      p.grad.data[7] = name[0] == 'a' ? 3 : 4;
      p.started = true;
    }
    // Plain steps along the gradient: the moments are the gradient and its square.
    options.beta1 = options.beta2 = 0;
    options.lr = 1;
    options.l2 = 0;
    options.epsilon = 1e6;
  }
  // How far a step moved both, in units of the gradient; epsilon stands over all of the deviation.
  std::pair<double, double> moved() {
    parameters.step(options, 1);
    const auto by = [&](const char* name) { return (1 - parameters.find(name)->value.data[7]) * 1e6; };
    return {by("a"), by("b")};
  }
  Parameters parameters;
  OptimiserOptions options;
};

TEST_F(ThreeAndFour, LongGradientsAreCutToTheLengthAskedForTogether) {
  options.lr = 1e4;  // so that a float holds the difference
  options.clip = 1;
  const auto [a, b] = moved();
  EXPECT_NEAR(a / 1e4, 0.6, 1e-3);
  EXPECT_NEAR(b / 1e4, 0.8, 1e-3);
}

TEST_F(ThreeAndFour, ShortGradientsStayAsTheyAre) {
  options.lr = 1e4;
  options.clip = 6;
  const auto [a, b] = moved();
  EXPECT_NEAR(a / 1e4, 3, 1e-3);
  EXPECT_NEAR(b / 1e4, 4, 1e-3);
}

TEST_F(ThreeAndFour, DecayLeavesOutWhatIsNotToDecay) {
  parameters.find("b")->decayed = false;
  for (const char* mode : {"coupled", "decoupled"}) {
    options.l2 = 0.25;
    options.l2_mode = mode;
    options.epsilon = 1e-8;
    parameters.step(options, 1);
    EXPECT_LT(parameters.find("a")->value.data[0], 1) << mode;
    EXPECT_EQ(parameters.find("b")->value.data[0], 1) << mode;
  }
}

}  // namespace
}  // namespace nd
