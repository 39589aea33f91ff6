// Products of whole matrices on the device, for operations that need one inside (gemm.cu).
#pragma once

#include <cstdint>

#include "lib/tensor/mat.h"

namespace nd::cuda {

// c = (add ? c : 0) + a b
void product(const Mat& a, const Mat& b, bool add, Mat c);
// dw = (add ? dw : 0) + aᵀ dy
void product_tn(const Mat& a, const Mat& dy, bool add, Mat dw);

}  // namespace nd::cuda
