#!/usr/bin/env bash
# Does `make test` notice when an equation is altered? make mutants alters them one at a time and sees.
#
#   tests/mutations/run.sh [--check] [WORD]
#
# table.txt lists the mutants: what is altered, the file, its text (-) and what that becomes (+). Each is made in a copy
# of the sources, in BUILD/mutants; then the GoogleTests of its layer, and of the layers above until one fails, are built
# and run. Ends with the counts; exit 1 when a mutant survives or does not compile, or when a text is not in its file
# exactly once. --check looks at the texts only, in a second. WORD picks mutants whose title or file contains it.
#
# Takes about 25 minutes for 160 mutants on two cores that others use too; ccache does not help with it, a mutant is new.
# Only GoogleTests count: the Bats files and make parity would notice more.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath -m "${BUILD:-build}")/mutants
source=$build/source
table=${TABLE:-tests/mutations/table.txt}

check_only=0
[ "${1:-}" != --check ] || { check_only=1; shift; }
word=${1:-}

# Usage: programs_of FILE: the tests that may notice, nearest first.
programs_of() {
  case $1 in
    lib/tensor/cuda/*) echo cuda_emulated ;;
    lib/tensor/*) echo tensor models ;;
    lib/nn/*) echo nn models ;;
    lib/models/*) echo models ;;
    lib/data/*) echo data models ;;
    lib/metrics/*) echo metrics ;;
    *) echo "no tests for $1" >&2; return 1 ;;
  esac
}

# The table as one array a column.
titles=() files=() olds=() news=()
while IFS= read -r line; do
  case $line in
    '#'* | '') ;;
    '- '*) olds[-1]+=${olds[-1]:+$'\n'}${line#- } ;;
    '+'*) line=${line#+}; news[-1]+=${news[-1]:+$'\n'}${line# } ;;
    '@ '*) files[-1]=${line#@ } ;;
    *) titles+=("$line") files+=("") olds+=("") news+=("") ;;
  esac
done < "$table"

wrong=0
for i in "${!titles[@]}"; do
  text=$(cat "${files[i]:-/dev/null}")
  rest=${text#*"${olds[i]}"}
  if [ -z "${olds[i]}" ] || [ "${#rest}" = "${#text}" ]; then
    echo "${titles[i]}: not in '${files[i]}': ${olds[i]}"
  elif [[ "$rest" == *"${olds[i]}"* ]]; then
    echo "${titles[i]}: more than once in ${files[i]}: ${olds[i]}"
  elif programs_of "${files[i]}" > /dev/null; then
    continue
  fi
  wrong=$((wrong + 1))
done
[ "$wrong" -eq 0 ] || { echo "$wrong of ${#titles[@]} mutants do not apply: bring $table up to date"; exit 1; }
[ "$check_only" -eq 0 ] || { echo "all ${#titles[@]} mutants apply"; exit 0; }

# What is built, as it stands. A file that did not change keeps its time, so that it is not built again.
needed() { git ls-files -co --exclude-standard CMakeLists.txt formats lib tools tests/lib tests/fuzz | sort; }
mkdir -p "$source"
needed | while IFS= read -r file; do
  cmp -s "$file" "$source/$file" && continue
  mkdir -p "$(dirname "$source/$file")"
  cp "$file" "$source/$file"
done
comm -13 <(needed) <(cd "$source" && find . -type f -printf '%P\n' | sort) | (cd "$source" && xargs -r rm --)
ccache=()
if command -v ccache > /dev/null; then ccache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
# Without nvcc: no mutant needs a GPU, and a header's would be compiled for all of them.
cmake -G Ninja -S "$source" -B "$build/build" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1 \
  -DCMAKE_CUDA_COMPILER=NOTFOUND "${ccache[@]}" > /dev/null

# Usage: built PROGRAM
built() { ninja -C "$build/build" -j "${JOBS:-$(nproc)}" "test_$1" > "$build/ninja.log" 2>&1; }
# Usage: passes PROGRAM: sets `why` otherwise.
passes() {
  local code=0
  (timeout 600 "$build/build/bin/test_$1" --gtest_brief=1 --gtest_fail_fast; exit $?) > "$build/test.log" 2>&1 || code=$?
  why=$(sed -n 's/^\[  FAILED  \] \([^ ,]*\).*/\1/p' "$build/test.log" | head -n 1)
  why=${why:-test_$1 ended with $code}
  [ "$code" -eq 0 ]
}

for program in tensor cuda_emulated nn models data metrics; do
  built "$program" || { tail -n 30 "$build/ninja.log"; exit 1; }
  passes "$program" || { echo "test_$program fails as it is: $why"; exit 1; }
done

caught=0 survivors=()
for i in "${!titles[@]}"; do
  file=${files[i]}
  [[ "${titles[i]} $file" == *"$word"* ]] || continue
  text=$(cat "$file")
  printf '%s\n' "${text/"${olds[i]}"/"${news[i]}"}" > "$source/$file"
  outcome=SURVIVES
  for program in $(programs_of "$file"); do
    built "$program" || { outcome="does not compile"; break; }
    passes "$program" || { outcome="caught by $why"; break; }
  done
  cp "$file" "$source/$file"
  echo "${titles[i]}: $outcome"
  case $outcome in
    caught*) caught=$((caught + 1)) ;;
    *) survivors+=("${titles[i]} ($file)") ;;
  esac
done

echo "$caught caught, ${#survivors[@]} not, in $((SECONDS / 60)) min $((SECONDS % 60)) s"
[ "${#survivors[@]}" -eq 0 ] || { printf '  not caught: %s\n' "${survivors[@]}"; exit 1; }
