#!/usr/bin/env bash
# Everything about the sources that a program can judge without running them. Exit 1 when any of it complains.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
code=0

# Usage: check WHAT COMMAND...
check() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "lint: $what: ok"
  else
    printf 'lint: %s:\n%s\n' "$what" "$said"
    code=1
  fi
}

mapfile -t sources < <(git ls-files '*.h' '*.cpp' '*.cu')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
mapfile -t bats < <(git ls-files '*.bats' '*.bash')
mapfile -t pages < <(git ls-files 'man/*.[0-9]')

unformatted() {
  local file code=0
  for file in "${sources[@]}"; do
    clang-format "$file" | cmp -s - "$file" || { echo "clang-format -i $file"; code=1; }
  done
  return $code
}

makefiles() {
  local file said
  # A dry run of the help reads the whole file; a misspelt variable is a warning on stderr.
  for file in Makefile $(git ls-files 'pipelines/*.mk'); do
    [ "$file" != pipelines/common.mk ] || continue  # has no target of its own; read by the others
    said=$(make -n -f "$file" MIND=in KG=in OUT=out 2>&1 > /dev/null | grep 'undefined variable') || continue
    echo "$said"
    return 1
  done
}

commits_of_data() {
  ! git ls-files | grep -E '\.(nd|npy|vec|gz|zst|zip|pt|bin)$' | grep -v '^tests/formats/'
}

check layers tests/arch/check.sh
check "C++ format" unformatted
check "shell scripts" shellcheck -S warning "${scripts[@]}"
check "Bats files" shellcheck -S warning -s bats -e SC1091,SC2030,SC2031,SC2034,SC2154,SC2164 "${bats[@]}"
check "man pages" mandoc -T lint -W warning "${pages[@]}"
check Makefiles makefiles
check mutants tests/mutations/run.sh --check
check "data files" commits_of_data
exit $code
