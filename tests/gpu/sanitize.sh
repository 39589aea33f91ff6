#!/usr/bin/env bash
# The tests of the operations under compute-sanitizer: reads and writes outside of arrays, then races in shared memory.
# On some machines the tool may not attach to a GPU (a container without the right to); that is said, and is a failure.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
build=$(realpath "${BUILD:-build}")
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
code=0
# Every kernel, but not the cases that are only large: under the tool a thread's every access takes thousands of times
# as long.
tests='*OnCuda.*:Recorded.*:-*SameBits*:*ten_thousand*:*hot*:*quarter*:*RunsOnCuda*:*GradientOnCuda*:*Beyond*:*MoreMemory*'

command -v compute-sanitizer > /dev/null || { echo "gpu-sanitize: there is no compute-sanitizer here"; exit 1; }
[ -x "$build/bin/test_cuda" ] || { echo "gpu-sanitize: this build has no CUDA"; exit 1; }
for tool in memcheck racecheck; do
  said=$(timeout 600 compute-sanitizer --tool $tool --error-exitcode 9 "$build/bin/test_cuda" --gtest_brief=1 \
    --gtest_filter="$tests" 2>&1)
  case $? in
    0) echo "gpu-sanitize: $tool: nothing found" ;;
    124) echo "gpu-sanitize: $tool: not done after 600 s"; code=1 ;;
    9) printf '%s\n' "$said" | tail -n 40; code=1 ;;
    *) echo "gpu-sanitize: $tool could not be run:"; printf '%s\n' "$said" | tail -n 5; code=1 ;;
  esac
done
exit $code
