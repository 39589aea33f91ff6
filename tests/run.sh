#!/usr/bin/env bash
# Runs every test of a finished build and ends with one line "N passed, N failed". Exit 1 when anything failed.
#
# First the layers (a grep), then the GoogleTests, one program a layer, then the Bats files, two at a time. BUILD is the
# build folder. A program or file that dies before it has counted itself counts as one failure.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0

# Usage: tally NAME PASSED FAILED
tally() {
  printf '%-44s %4d passed, %d failed\n' "$1" "$2" "$3"
  passed=$((passed + $2)) failed=$((failed + $3))
}

# Usage: bats_file FILE; leaves TAP in the results.
bats_file() {
  local tap=$results/${1//\//-}.tap
  BATS_TEST_TIMEOUT=300 timeout 1200 bats --tap "$1" > "$tap" 2>&1 || true
}
export -f bats_file
export results
# Waiting for the disk thousands of times shows nothing here (lib/io/sink.cpp).
export ND_NO_SYNC=1
export BIN=$build/bin

# Usage: tally_tap FILE
tally_tap() {
  local tap=$results/${1//\//-}.tap planned good
  planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$tap" | head -n 1)
  good=$(grep -c '^ok ' "$tap" || true)
  grep '^ok .* # skip' "$tap" || true
  [ "$good" = "${planned:-none}" ] || grep -v '^ok ' "$tap" || true
  tally "$1" "$good" $((${planned:-$((good + 1))} - good))
}

bats_file tests/arch/layers.bats
tally_tap tests/arch/layers.bats

GTEST_OUTPUT="xml:$results/" GTEST_BRIEF=1 ctest --test-dir "$build" -j 2 --timeout 900 --output-on-failure \
  > "$results/ctest.log" 2>&1 || sed -n '/^ *Start/d;/Passed/d;p' "$results/ctest.log"
for layer in $(ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p'); do
  name=test_$layer
  if [ -s "$results/$name.xml" ]; then
    number='"\([0-9]*\)"'
    counts="^<testsuites tests=$number failures=$number disabled=$number errors=$number.*"
    read -r all failures errors <<< "$(sed -n "s/$counts/\1 \2 \4/p" "$results/$name.xml")"
    tally "$name" $((all - failures - errors)) $((failures + errors))
  else
    tally "$name (died)" 0 1
  fi
done

bats_files=$(find tests -name '*.bats' ! -path 'tests/arch/*' | sort)
xargs -r -P 2 -I{} bash -c 'bats_file {}' <<< "$bats_files"
for file in $bats_files; do tally_tap "$file"; done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
