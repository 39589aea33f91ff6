#!/usr/bin/env bash
# The rules of the source tree that a grep can see: tests/arch/check.sh [ROOT] prints every breach, exit 1 if any.
#
# 1. #include "..." is written from the root and stays to the left of
#      formats < lib/io < lib/tensor < lib/data < lib/nn < lib/models < tools
#    while lib/metrics and lib/cli include, of ours, only themselves and lib/io/error.h.
# 2. CLI11 and simdjson are each included by one .cpp; Eigen by no header.
# 3. A tool is one file of at most 170 lines, with a man page and a test of its name.
# 4. Nothing that makes results depend on the library, the machine or the moment.
set -uo pipefail
cd "${1:-$(dirname "$0")/../..}" || exit 2
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT
breach() { echo "$*" >> "$breaches"; }

mapfile -t sources < <(find formats lib tools tests bench -name '*.h' -o -name '*.cpp' -o -name '*.cu' 2> /dev/null | sort)
mapfile -t product < <(printf '%s\n' "${sources[@]}" | grep -E '^(formats|lib|tools)/')
order="formats lib/io lib/tensor lib/data lib/nn lib/models tools"

layer_of() {
  case $1 in
    lib/*) cut -d / -f 1,2 <<< "$1" ;;
    *) cut -d / -f 1 <<< "$1" ;;
  esac
}
rank_of() {
  local i=0 layer
  for layer in $order; do
    [ "$layer" != "$1" ] || { echo $i; return; }
    i=$((i + 1))
  done
}

while IFS=: read -r file line target; do
  [ -e "$target" ] || { breach "$file:$line: includes \"$target\", which is no path from the root"; continue; }
  from=$(layer_of "$file") to=$(layer_of "$target")
  case $from in
    lib/metrics | lib/cli)
      [ "$to" = "$from" ] || [ "$target" = lib/io/error.h ] || breach "$file:$line: a leaf includes $target" ;;
    tests | bench) ;;
    *)
      if [ "$to" = lib/metrics ] || [ "$to" = lib/cli ]; then
        [ "$from" = tools ] || breach "$file:$line: only tools include $to"
      else
        here=$(rank_of "$from") there=$(rank_of "$to")
        [ "${there:-99}" -le "${here:--1}" ] || breach "$file:$line: $from includes $to"
      fi ;;
  esac
done < <(grep -nE '^#include "' "${sources[@]}" /dev/null | sed -E 's/^([^:]*):([0-9]+):#include "([^"]*)".*/\1:\2:\3/')

# Usage: only_in NAME PATTERN ALLOWED-FILE
only_in() {
  while read -r file; do
    [ "$file" = "$3" ] || breach "$file: includes $1, which only $3 may"
  done < <(grep -lE "^#include [<\"]$2" "${sources[@]}" /dev/null)
}
only_in CLI11 'CLI/' lib/cli/command.cpp
only_in simdjson 'simdjson' lib/io/json.cpp
while read -r file; do
  breach "$file: a header includes Eigen"
done < <(grep -lE '^#include [<"](Eigen|unsupported)/' "${sources[@]}" /dev/null | grep '\.h$')

for tool in tools/*.cpp; do
  [ -e "$tool" ] || continue
  name=$(basename "$tool" .cpp)
  lines=$(wc -l < "$tool")
  [ "$lines" -le 170 ] || breach "$tool: $lines lines, at most 170 allowed: move work into lib"
  [ -e "man/$name.1" ] || breach "$tool: no man/$name.1"
  [ -e "tests/tools/$name.bats" ] || breach "$tool: no tests/tools/$name.bats"
done
for page in man/*.1; do
  [ ! -e "$page" ] || [ -e "tools/$(basename "$page" .1).cpp" ] || breach "$page: no such tool"
done

# Usage: never PATTERN WHY [FILES-ALLOWED-AS-A-PATTERN]
never() {
  while IFS= read -r hit; do
    breach "${hit%%:*}: $2"
  done < <(grep -nE "$1" "${product[@]}" /dev/null | grep -vE "^(${3:-none}):")
}
never 'std::[a-z_]+_distribution|std::mt19937|std::random_device|[^_a-z]rand\(|std::(random_)?shuffle\(' \
  'random numbers come from lib/tensor/random.h' 'lib/io/sink\.cpp'  # there, the name of a temporary file
# TMPDIR says where a file stands for a moment, nothing more.
never 'getenv\(([^"]|"[^T]|"T[^M])' 'the environment changes nothing but the log (lib/cli)' '(lib/cli/command|lib/io/sink)\.cpp'
never 'setlocale\(|std::locale' 'numbers are read and written without a locale'
while IFS= read -r hit; do
  breach "${hit%%:*}: fast-math lets the compiler change results"
done < <(grep -nE 'ffast-math|Ofast|funsafe-math' CMakeLists.txt /dev/null | grep -v ':[0-9]*: *#')

sort -u "$breaches"
[ ! -s "$breaches" ]
