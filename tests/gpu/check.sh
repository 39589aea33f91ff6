#!/usr/bin/env bash
# Proves the CUDA backend on the GPU of this machine: every operation against the CPU and against slopes in float64, the
# same bits from run to run, and whole tools (models.bats). Exit 1, with one line, where there is no GPU or the build has
# no CUDA, and where anything fails. BUILD is a finished build folder, BUILT how many seconds it took.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
build=$(realpath "${BUILD:-build}")
export BIN=$build/bin ND_GPU_BIN=$build/bin ND_NO_SYNC=1
PATH=$PATH:$PWD/vendor/usr/bin  # bats, on a bare machine
code=0
give_up() { echo "gpu-check: FAILED: $1"; exit 1; }

# Usage: part NAME COMMAND...
part() {
  local name=$1 began=$SECONDS how=passed
  shift
  "$@" || { how=FAILED; code=1; }
  printf 'gpu-check: %-24s %s, %d s\n' "$name" "$how" $((SECONDS - began))
}

[ -x "$BIN/test_cuda" ] || give_up "this build has no CUDA: no nvcc was found when it was configured"
# Any tool says first what it lacks of a GPU.
trouble=$("$BIN/kg-transe" --device cuda /dev/null -o /dev/null 2>&1 | sed -n 's/.*--device cuda: \(.*\);.*/\1/p')
[ -z "$trouble" ] || give_up "$trouble"
command -v bats > /dev/null || give_up "there is no bats (make vendor-deps gathers it)"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null

printf 'gpu-check: %-24s %s s\n' "the build" "${BUILT:-?}"
part operations timeout 240 "$BIN/test_cuda" --gtest_brief=1
part "whole tools" timeout 240 bats tests/gpu/models.bats
[ $code -eq 0 ] && echo "gpu-check: all passed, $((SECONDS + ${BUILT:-0})) s" || echo "gpu-check: FAILED"
exit $code
