// What CUDA's errors are called: one line each, with what to do. No GPU is needed, as none of them is met.
#include <gtest/gtest.h>

#include <string>

#include "lib/io/error.h"
#include "lib/tensor/cuda/context.h"

namespace nd::cuda {
namespace {

template <class Status>
std::string line_of(Status status) {
  try {
    check(status, "cudaSomething(x)");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(CudaErrors, SuccessIsNone) {
  EXPECT_EQ(line_of(cudaSuccess), "");
  EXPECT_EQ(line_of(CUBLAS_STATUS_SUCCESS), "");
}

TEST(CudaErrors, OutOfMemoryAsksForSmallerBatches) {
  const std::string line = "--device cuda: out of GPU memory; use a smaller --batch, or --device cpu";
  EXPECT_EQ(line_of(cudaErrorMemoryAllocation), line);
  EXPECT_EQ(line_of(CUBLAS_STATUS_ALLOC_FAILED), line);
}

TEST(CudaErrors, ALostDeviceAsksToRunAgain) {
  for (const cudaError_t status : {cudaErrorDevicesUnavailable, cudaErrorECCUncorrectable, cudaErrorHardwareStackError,
                                   cudaErrorLaunchTimeout, cudaErrorSystemDriverMismatch})
    EXPECT_EQ(line_of(status), std::string("--device cuda: the GPU is lost (") + cudaGetErrorString(status) +
                                   "); run again, or use --device cpu");
}

TEST(CudaErrors, ADriverThatDoesNotDoIsSaidToBe) {
  for (const cudaError_t status : {cudaErrorInsufficientDriver, cudaErrorNoDevice, cudaErrorUnsupportedPtxVersion,
                                   cudaErrorNoKernelImageForDevice}) {
    const std::string line = line_of(status);
    EXPECT_EQ(line.find("--device cuda: "), 0u) << line;
    EXPECT_NE(line.find("; use --device cpu"), std::string::npos) << line;
  }
}

TEST(CudaErrors, AnyOtherNamesTheCall) {
  EXPECT_EQ(line_of(cudaErrorIllegalAddress), std::string("--device cuda: cudaSomething(x): ") +
                                                  cudaGetErrorString(cudaErrorIllegalAddress) + "; use --device cpu");
  EXPECT_EQ(line_of(CUBLAS_STATUS_EXECUTION_FAILED),
            "--device cuda: cudaSomething(x) failed with cuBLAS status 13; use --device cpu");
}

}  // namespace
}  // namespace nd::cuda
