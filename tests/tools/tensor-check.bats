# tensor-check: every file of tests/formats is judged as its folder says, and for its reason.
load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  formats=$ROOT/tests/formats
}

@test "files that must pass do" {
  run -0 tensor-check "$formats"/passed/*.safetensors
  [ "$(wc -l <<< "$output")" -eq "$(ls "$formats"/passed/*.safetensors | wc -l)" ]
  [ -z "$(grep -v ': sound, [a-z]*/1 [0-9a-f]\{16\}$' <<< "$output")" ]
  tensor-check - < "$formats/passed/kg.safetensors" | grep -q '^-: sound, kg/1 '
}

@test "files that must fail do, for their reason" {
  count=0
  for file in "$formats"/failed/*.safetensors; do
    fails 1 "^tensor-check: $file: " tensor-check "$file"
    grep -qF -- "$(cat "${file%.safetensors}.reason")" "$BATS_TEST_TMPDIR/.fails.err" ||
      { echo "$file: expected $(cat "${file%.safetensors}.reason"), found $(cat .fails.err)"; return 1; }
    count=$((count + 1))
  done
  [ "$count" -ge 130 ]
}

@test "all files are looked at, the worst decides" {
  run -1 --separate-stderr tensor-check "$formats/failed/data-cut.safetensors" "$formats/passed/kg.safetensors"
  [[ "$output" == *"kg.safetensors: sound"* ]]
  run -2 --separate-stderr tensor-check "$formats/failed/data-cut.safetensors" missing "$formats/passed/kg.safetensors"
  [[ "$output" == *"kg.safetensors: sound"* ]]
  [ "${#stderr_lines[@]}" -eq 2 ]
}

@test "--quick sees a short file but not changed data" {
  fails 1 'expected' tensor-check --quick "$formats/failed/data-cut.safetensors"
  fails 1 'goes on' tensor-check --quick "$formats/failed/data-more.safetensors"
  run -0 tensor-check --quick "$formats/failed/data-damaged.safetensors"
  [[ "$output" == *": header sound, kg/1 "* ]]
}

# The files were made by a program that shares nothing with ours; it still makes the same ones.
@test "the golden files are those of their generator" {
  python=/usr/bin/python3
  [ -x "$python" ] && command -v zstd > /dev/null || skip "no python3 or no zstd"
  "$python" -B "$formats/make_golden.py" made
  # zstd's own bytes may change with its version, what they unpack to may not.
  for file in "$formats"/{passed,failed}/*; do
    [[ "$file" == *zstd* ]] || same_bytes "$file" "made/${file#"$formats"/}"
  done
  diff <(cd "$formats" && find passed failed | sort) <(cd made && find passed failed | sort)
}
