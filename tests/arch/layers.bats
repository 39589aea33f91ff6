# The source tree keeps its own rules (check.sh), and check.sh sees it when it does not.

check=$BATS_TEST_DIRNAME/check.sh

# A tree of its own with one file; everything else the test adds.
setup() {
  cd "$BATS_TEST_TMPDIR"
  mkdir -p formats lib/io lib/tensor lib/cli lib/metrics lib/nn tools man tests/tools
  echo '#pragma once' | tee formats/array.h lib/io/error.h lib/io/sink.h lib/tensor/ops.h lib/cli/command.h > lib/nn/layer.h
}

# Usage: breaks FILE TEXT EXPECTED: check.sh is content without FILE, and says EXPECTED of it.
breaks() {
  "$check" .
  printf '%s\n' "$2" > "$1"
  run "$check" .
  [ "$status" -eq 1 ]
  [[ "$output" == *"$3"* ]]
}

@test "the tree obeys its rules" {
  run "$check"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "an include to the right is seen" {
  breaks lib/io/a.cpp '#include "lib/tensor/ops.h"' 'lib/io includes lib/tensor'
}

@test "formats include nothing of lib" {
  breaks formats/a.h '#include "lib/io/error.h"' 'formats includes lib/io'
}

@test "an include to the left is allowed" {
  echo '#include "lib/tensor/ops.h"' > lib/nn/a.cpp
  "$check" .
}

@test "a leaf that includes more than the error is seen" {
  echo '#include "lib/io/error.h"' > lib/cli/b.cpp
  breaks lib/cli/a.cpp '#include "lib/io/sink.h"' 'a leaf includes lib/io/sink.h'
}

@test "a library that includes a leaf is seen" {
  breaks lib/nn/a.cpp '#include "lib/cli/command.h"' 'only tools include lib/cli'
}

@test "a relative include is seen" {
  breaks lib/io/a.cpp '#include "sink.h"' 'no path from the root'
}

@test "a second file that includes CLI11 is seen" {
  breaks lib/cli/log.cpp '#include <CLI/CLI.hpp>' 'only lib/cli/command.cpp may'
}

@test "Eigen in a header is seen" {
  breaks lib/tensor/a.h '#include <Eigen/Core>' 'a header includes Eigen'
}

@test "a long tool without page and test is seen" {
  breaks tools/a-b.cpp "$(seq 171)" '171 lines'
  [[ "$output" == *"no man/a-b.1"* ]]
  [[ "$output" == *"no tests/tools/a-b.bats"* ]]
}

@test "a distribution of the standard library is seen" {
  breaks lib/nn/a.cpp 'std::normal_distribution<float> d;' 'random numbers come from'
}

@test "a look at the environment is seen, TMPDIR excepted" {
  echo 'auto folder = std::getenv("TMPDIR");' > lib/nn/b.cpp
  breaks lib/nn/a.cpp 'auto rate = std::getenv("RATE");' 'the environment changes nothing'
}
