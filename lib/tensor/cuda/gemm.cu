// Matrix products by cuBLAS. Ours lie row by row, which to BLAS is the transpose: c = a b is asked for as cᵀ = bᵀ aᵀ.
//
// A row's bits may depend on how many rows there are, unlike on the CPU: cuBLAS picks its kernel by shape.
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/math.h"
#include "lib/tensor/cuda/products.h"
#include "lib/tensor/cuda/reduce.h"

namespace nd::cuda {
namespace {

void clear_unless(bool add, const Mat& x) {
  if (!add) set_all(x, 0.0f);
}

// to[i] = a[rows[i]]; `rows` on the device.
void gather_rows(const Mat& a, const int32_t* rows, Mat to) {
  each(to.size(), [=] ND_KERNEL(int64_t i) { to.data[i] = a.row(rows[i / to.cols])[i % to.cols]; });
}

}  // namespace

void product(const Mat& a, const Mat& b, bool add, Mat c) {
  if (c.size() == 0) return;
  if (a.cols == 0) return clear_unless(add, c);
  sgemm(false, false, c.cols, c.rows, a.cols, b.data, b.cols, a.data, a.cols, add ? 1.0f : 0.0f, c.data, c.cols);
}

void product_tn(const Mat& a, const Mat& dy, bool add, Mat dw) {
  if (dw.size() == 0) return;
  if (dy.rows == 0) return clear_unless(add, dw);
  sgemm(false, true, dw.cols, dw.rows, dy.rows, dy.data, dy.cols, a.data, a.cols, add ? 1.0f : 0.0f, dw.data, dw.cols);
}

void gemm(const Mat& a, const int32_t* rows, const Mat& b, const Mat& bias, Activation act, bool add, Mat c) {
  Call call;
  Mat left = a;
  if (rows) {
    left = call.scratch(c.rows, a.cols);
    gather_rows(a, call.in(rows, c.rows), left);
  }
  product(left, b, add, c);
  if (bias.empty() && act == Activation::none) return;
  each(c.size(), [=] ND_KERNEL(int64_t i) {
    c.data[i] = apply(act, bias.empty() ? c.data[i] : c.data[i] + bias.data[i % c.cols]);
  });
}

void gemm_nt(const Mat& dy, const Mat& b, bool add, Mat dx) {
  if (dx.size() == 0) return;
  if (dy.cols == 0) return clear_unless(add, dx);
  sgemm(true, false, dx.cols, dx.rows, dy.cols, b.data, b.cols, dy.data, dy.cols, add ? 1.0f : 0.0f, dx.data, dx.cols);
}

void gemm_tn(const Mat& a, const int32_t* rows, const Mat& dy, bool add, Mat dw) {
  Call call;
  Mat left = a;
  if (rows) {
    left = call.scratch(dy.rows, a.cols);
    gather_rows(a, call.in(rows, dy.rows), left);
  }
  product_tn(left, dy, add, dw);
}

void column_sums(const Mat& x, bool add, Mat out) {
  Call call;
  sum_rows(call, x.data, x.rows, x.cols, x.cols, add, out.data);
}

}  // namespace nd::cuda
