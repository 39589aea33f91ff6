#!/usr/bin/env bash
# `make fuzz`: every test of a finished sanitizer build, then libFuzzer on every reader. Exit 1 when anything failed.
#
# BUILD is the sanitizer build; FUZZ_SECONDS (60) is for each fuzzer, 0 runs the seeds and earlier finds only. An input
# that breaks a fuzzer stays in BUILD/fuzz/found; it belongs into tests/fuzz/seeds once the fault is mended.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${BUILD:-build/sanitized}")
seconds=${FUZZ_SECONDS:-60}
code=0
export ND_NO_SYNC=1

ctest --test-dir "$build" -j 2 --timeout 1800 --output-on-failure > "$build/ctest.log" 2>&1 ||
  { grep -v 'Start\|Passed' "$build/ctest.log"; code=1; }
grep 'tests passed' "$build/ctest.log"
BIN=$build/bin bats tests/tools/tensor-*.bats || code=1

cmake -G Ninja -S . -B "$build/fuzz" -DCMAKE_CXX_COMPILER=clang++ -DND_SANITIZE=ON -DND_FUZZ=ON > /dev/null
ninja -C "$build/fuzz" -j "${JOBS:-2}" fuzzers

# Usage: seeds NAME: prints the folder of its first inputs, made from the golden files where they are of use.
seeds() {
  local folder=$build/fuzz/seeds/$1 file
  mkdir -p "$folder"
  [ ! -d "tests/fuzz/seeds/$1" ] || cp tests/fuzz/seeds/"$1"/* "$folder"
  for file in tests/formats/{passed,failed}/*.safetensors; do
    case $1 in
      container | lines) cp "$file" "$folder" ;;
      # The header and, behind a byte 0, the data.
      header) { tail -c +9 "$file" | tr -d '\0' | sed 's/}}  *.*/}}/' | head -n 1; } > "$folder/$(basename "$file")" ;;
      json) tail -c +9 "$file" | tr -d '\0' | sed 's/}}  *.*/}}/' | head -n 1 > "$folder/$(basename "$file")" ;;
      pack) "$build/bin/tensor-dump" --json "$file" > "$folder/$(basename "$file")" 2> /dev/null || true ;;
    esac
  done
  echo "$folder"
}

mkdir -p "$build/fuzz/found"
for fuzzer in "$build"/fuzz/bin/*_fuzz; do
  name=$(basename "$fuzzer" _fuzz)
  folder=$(seeds "$name")
  log=$build/fuzz/$name.log
  if [ "$seconds" -eq 0 ]; then
    limit=(-runs=0)
  else
    limit=(-max_total_time="$seconds")
  fi
  # Nothing of 4 kB may take 10 s, or 400 MB at once: a zstd frame may ask for a window of 128 MiB.
  if "$fuzzer" "${limit[@]}" -max_len=4096 -timeout=10 -malloc_limit_mb=400 -rss_limit_mb=1500 \
    -artifact_prefix="$build/fuzz/found/$name-" "$folder" > "$log" 2>&1; then
    echo "fuzz: $name: ok, $(grep -o 'Done [0-9]* runs' "$log" || grep -c . <(ls "$folder") | sed 's/$/ seeds/')"
  else
    echo "fuzz: $name: FAILED; $log ends with"
    grep -v 'NEW\|REDUCE\|pulse' "$log" | tail -n 40
    code=1
  fi
done
exit $code
