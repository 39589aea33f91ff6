# tensor-diff: 0 equal, 1 different, 2 trouble. What it compares: tests/lib/io/diff_test.cpp.
load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  passed=$ROOT/tests/formats/passed
}

@test "equal files are equal, packed or not" {
  run -0 tensor-diff "$passed/corpus.safetensors" "$passed/corpus-zstd.safetensors"
  [ -z "$output" ]
}

@test "differences are printed and give exit 1" {
  tensor-dump --json "$passed/scores.safetensors" | sed 's/"value":\[0.1\]/"value":[0.1001]/; s/"seed":1/"seed":2/' |
    tensor-pack - -o other
  run -1 tensor-diff "$passed/scores.safetensors" other
  [ "$output" = $'option seed: 1 | 2\nscore row 1 element 0: 0.1 | 0.1001\nscore: 1 of 2 rows differ' ]
  run -1 tensor-diff --atol 0.001 "$passed/scores.safetensors" other
  [ "$output" = 'option seed: 1 | 2' ]
  run -0 tensor-diff --rtol 0.01 --ignore options "$passed/scores.safetensors" other
  run -1 tensor-diff --show 0 --ignore options "$passed/scores.safetensors" other
  [ "$output" = 'score: 1 of 2 rows differ' ]
}

@test "files of other kinds differ, damaged and missing ones are trouble" {
  run -1 tensor-diff "$passed/kg.safetensors" "$passed/scores.safetensors"
  [ "${lines[0]}" = 'kind: kg/1 | scores/1' ]
  fails 2 'data-cut.safetensors: ends after' tensor-diff "$passed/kg.safetensors" "$ROOT/tests/formats/failed/data-cut.safetensors"
  fails 2 'missing: cannot open' tensor-diff missing "$passed/kg.safetensors"
  fails 2 "expected tool, options or inputs, found 'x'" tensor-diff --ignore x a b
}

@test "a full disk is noticed" {
  run -2 --separate-stderr bash -c "tensor-diff '$passed/kg.safetensors' '$passed/scores.safetensors' > /dev/full"
  [[ "$stderr" == *"No space left"* ]]
}
