#!/usr/bin/env bash
# run.sh kred|dhan [OPTION...]: a model's speed in PyTorch, plain and with our algebra, in the environment that suits
# PyTorch best (README.md). Prints one JSON line: {"plain": {...}, "fast": {...}, "environment": "..."}, or
# {"skipped": "why"} where python3-torch cannot be had. Options are passed on to the programs: --seed N, --threads N,
# --workers N; kred: --docs N; dhan: --steps N, --score N, --dropout P. PYTHON is the one that has torch.
set -euo pipefail
model=$1
shift
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
lib=/usr/lib/$(uname -m)-linux-gnu

have_torch() { "$python" -c 'import numpy, torch' 2>/dev/null; }
if ! have_torch || ! [ -d "$lib/openblas-openmp" ]; then
  root=""; [ "$(id -u)" -eq 0 ] || root="sudo -n"
  packages="python3-torch python3-numpy libopenblas0-openmp"
  $root apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1 || true
  have_torch || { echo '{"skipped": "python3-torch could not be installed"}'; exit 0; }
fi

# One thread pool for PyTorch and its BLAS, and the BLAS's AVX-512 kernels (some CPUs that have them get AVX2 ones).
[ -d "$lib/openblas-openmp" ] && export LD_LIBRARY_PATH=$lib/openblas-openmp
if grep -qw avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX ATEN_CPU_CAPABILITY=avx512; fi
# Large blocks stay with the process, on huge pages: otherwise each step faults its tensors in again.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1

# One process a core, up to four, beats threads inside one process (--workers 1 to see).
cores=$(nproc)
workers=$((cores < 4 ? cores : 4))
program() { timeout --foreground 3600 "$python" "$1" --workers "$workers" "${@:2}"; }
"$python" "${model}_same.py" >&2
plain=$(program "${model}_plain.py" "$@")
fast=$(program "${model}_fast.py" "$@")
environment="${LD_LIBRARY_PATH:-} ${OPENBLAS_CORETYPE:-} $GLIBC_TUNABLES"
echo "{\"plain\": $plain, \"fast\": $fast, \"environment\": \"$environment\"}"
