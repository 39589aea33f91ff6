#!/usr/bin/env bash
# Proves the CUDA backend on the GPU of this machine: every operation against the CPU, and whole tools (models.bats).
# Exit 1 where anything fails, where there is no GPU, and where the build has no CUDA. BUILD is a finished build folder.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
build=$(realpath "${BUILD:-build}")
export BIN=$build/bin ND_GPU_BIN=$build/bin ND_NO_SYNC=1
PATH=$PATH:$PWD/vendor/usr/bin  # bats, on a bare machine
code=0

[ -x "$BIN/test_cuda" ] || { echo "gpu-check: this build has no CUDA: no nvcc was found when it was configured"; exit 1; }
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null || echo "gpu-check: nvidia-smi finds no GPU"
timeout 300 "$BIN/test_cuda" --gtest_brief=1 || code=1
if command -v bats > /dev/null; then
  timeout 600 bats tests/gpu/models.bats || code=1
else
  echo "gpu-check: there is no bats, so whole tools are not checked"
  code=1
fi
[ $code -eq 0 ] && echo "gpu-check: all passed" || echo "gpu-check: FAILED"
exit $code
