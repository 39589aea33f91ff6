#!/usr/bin/env bash
# make parity: our KRED and D-HAN against independent PyTorch models (README.md). Exit 0 when all is equal, or, saying so, when
# python3-torch cannot be had here; 1 when something differs.
# BUILD is the build folder (build); PYTHON the interpreter that has torch.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
python=${PYTHON:-/usr/bin/python3}

have_torch() { "$python" -c 'import numpy, torch' 2>/dev/null; }
if ! have_torch; then
  root=""; [ "$(id -u)" -eq 0 ] || root="sudo -n"
  $root apt-get install -y -qq --no-install-recommends python3-torch python3-numpy >/dev/null 2>&1 || true
  if ! have_torch; then
    echo "parity: SKIPPED: $python has no torch and python3-torch could not be installed"
    exit 0
  fi
fi

for dump in kred_dump dhan_dump; do
  [ -x "$build/tests/$dump" ] || { echo "parity: $build/tests/$dump is missing; run make build" >&2; exit 1; }
done
cases=$(mktemp -d)
trap 'rm -rf "$cases"' EXIT
"$build/tests/kred_dump" "$cases"
"$build/tests/dhan_dump" "$cases"
cd tests/parity
export OMP_NUM_THREADS=1  # the tensors are tiny
"$python" kred_selftest.py | tail -n 1
"$python" dhan_selftest.py "$cases"
"$python" check.py "$cases"/*.safetensors
