// Student's t-test of an estimate against zero.
#include <cmath>
#include <limits>

#include "lib/metrics/bootstrap.h"

namespace nd::metrics {
namespace {

// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz's method as modified
// by Thompson and Barnett. Converges within some tens of terms for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  auto guarded = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / guarded(1 - (a + b) * x / (a + 1)), h = d;
  for (int i = 1; i <= 10000; ++i) {
    const double n = i;
    const double even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    h *= d * c;
    const double odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return h;
}

// Regularised incomplete beta function I_x(a, b); y = 1 - x is given apart so that neither end loses digits.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, y) / b;
}

}  // namespace

double t_test(const Estimate& difference, int64_t judged) {
  if (judged < 2 || std::isnan(difference.value)) return std::numeric_limits<double>::quiet_NaN();
  double squares = 0;
  for (const float f : difference.influence) squares += static_cast<double>(f) * static_cast<double>(f);
  const double freedom = static_cast<double>(judged - 1);
  const double variance = squares * static_cast<double>(judged) / freedom;  // of the value
  // Without any spread a difference is either real or the rounding of two equal sums.
  if (variance == 0) return std::abs(difference.value) < 1e-12 ? 1 : 0;
  const double t2 = difference.value * difference.value / variance;
  return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t2), t2 / (freedom + t2));
}

}  // namespace nd::metrics
