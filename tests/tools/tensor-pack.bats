# tensor-pack: the same file again from its dump. What it refuses: tests/lib/io/dump_test.cpp.
load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  passed=$ROOT/tests/formats/passed
}

@test "dump and pack give the same bytes for every kind" {
  for file in "$passed"/*.safetensors; do
    tensor-dump --json "$file" | tensor-pack - -o again
    tensor-diff "$file" again
    [ "$(tensor-check again | sed 's/^[^:]*//')" = "$(tensor-check "$file" | sed 's/^[^:]*//')" ]
    [[ "$file" == *zstd* ]] || same_bytes "$file" again
  done
}

@test "a packed output holds the same and is one zstd frame" {
  tensor-dump --json "$passed/corpus.safetensors" | tensor-pack - --compress 19 -o again
  tensor-diff "$passed/corpus.safetensors" again
  [ "$(head -c 4 again | od -An -tx1 | tr -d ' ')" = 28b52ffd ]
}

@test "a wrong row is named, and the old output stays" {
  tensor-dump --json "$passed/kg.safetensors" > dump
  echo old > out
  sed 's/"column":"tail","row":1,"value":0/"column":"tail","row":1,"value":7/' dump > edited
  fails 1 'out: tail row 2 is 7, expected 0 to 1' tensor-pack edited -o out
  sed '3s/.*/{/' dump > edited
  fails 1 'edited:3: not JSON' tensor-pack edited -o out
  head -n 5 dump > edited
  fails 1 'edited:5: the text ends before row' tensor-pack edited -o out
  [ "$(cat out)" = old ]
  [ "$(ls -A | wc -l)" -le 4 ]
}
