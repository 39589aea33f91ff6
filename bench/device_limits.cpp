// What the device of this machine can do at most, measured with the library's own operations: bytes moved a second
// where one array is read and another read and written (axpy), and floating-point operations a second of
// single-precision products (gemm). Prints one JSON line; bench/gpu.sh sets beside it what the models reach.
//
//   device_limits [DEVICE [SIZE]]     SIZE of the square products, 4096; the arrays have 16 SIZE² numbers
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/ops.h"

namespace nd {
namespace {

// Seconds of one f() in the fastest of five rounds, after one that does not count. Reading a number of the result at a
// round's end waits for all of it.
template <class F>
double fastest(const Mat& result, F&& f) {
  constexpr int kTimes = 10;
  Mat first = result;
  first.rows = first.cols = 1;
  double best = 1e30;
  for (int round = 0; round <= 5; ++round) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kTimes; ++i) f();
    value_of(first);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (round > 0) best = std::min(best, took.count() / kTimes);
  }
  return best;
}

int run(const std::string& wish, int64_t size) {
  use_device(pick_device(wish));
  Arena arena(device());
  const Mat x = arena.mat(16 * size, size), y = arena.mat(16 * size, size);
  const Mat a = arena.mat(size, size), b = arena.mat(size, size), c = arena.mat(size, size);
  for (const Mat& m : {x, y, a, b}) fill(m, 0.5f);
  const double moved = 3 * sizeof(float) * static_cast<double>(x.size());
  const double operations = 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
  const double axpy = fastest(y, [&] { ops::axpy(0.5f, x, y); });
  const double gemm = fastest(c, [&] { ops::gemm(a, nullptr, b, {}, Activation::none, false, c); });
  std::printf("{\"device\":\"%s\",\"bytes_per_second\":%.4g,\"product_flops\":%.4g}\n", wish.c_str(), moved / axpy,
              operations / gemm);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) try {
  return nd::run(argc > 1 ? argv[1] : "auto", argc > 2 ? std::atoll(argv[2]) : 4096);
} catch (const std::exception& e) {
  std::fprintf(stderr, "device_limits: %s\n", e.what());
  return 1;
}
