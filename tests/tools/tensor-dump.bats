# tensor-dump: what a file holds, on pipes and in every kind. The forms themselves: tests/lib/io/dump_test.cpp.
load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  passed=$ROOT/tests/formats/passed
}

@test "every kind can be dumped as text and as JSON" {
  for file in "$passed"/*.safetensors; do
    tensor-dump "$file" > text
    [[ "$(head -n 1 text)" == kind$'\t'* ]]
    tensor-dump --json "$file" | head -n 1 | grep -q '"columns":'
  done
}

@test "a pipe and a packed file are dumped like the file" {
  tensor-dump "$passed/corpus.safetensors" > expected
  tensor-dump - < "$passed/corpus.safetensors" | cmp - expected
  cat "$passed/corpus-zstd.safetensors" | tensor-dump - | cmp - expected
}

@test "columns stand side by side" {
  run -0 tensor-dump --column id --column title --head 2 "$passed/corpus.safetensors"
  [ "$output" = $'N1\tSnow in the north\nN2\tBlåbær og fløte' ]
  fails 1 'kg.safetensors: has no column title' tensor-dump --column title "$passed/kg.safetensors"
  fails 2 'exclude each other' tensor-dump --schema --column id "$passed/kg.safetensors"
}

@test "a damaged file prints nothing" {
  head -c 500 "$passed/corpus.safetensors" > short
  fails 1 'short: ends after 500 bytes' tensor-dump short
  for file in "$ROOT"/tests/formats/failed/{data,zstd}-*.safetensors; do
    fails 1 . tensor-dump "$file"
  done
}

@test "a full disk is noticed" {
  fails 1 'No space left' to_full tensor-dump "$passed/corpus.safetensors"
}

# The independent reader: ten lines of Python and numpy see the same values.
@test "numpy reads the same values" {
  python=/usr/bin/python3
  "$python" -c 'import numpy' 2> /dev/null || skip "no python3-numpy"
  for file in "$passed"/*.safetensors; do
    plain=plain.safetensors
    if [ "$(head -c 4 "$file" | od -An -tx1 | tr -d ' ')" = 28b52ffd ]; then
      command -v zstd > /dev/null || continue
      zstd -dc "$file" > $plain
    else
      cp "$file" $plain
    fi
    tensor-dump --json "$file" > dump
    "$python" - "$ROOT/tests/formats" << 'END'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import numpy, witness

seen = witness.read(open("plain.safetensors", "rb"))
header, *rows = [json.loads(line) for line in open("dump")]
values = {c["name"]: [] for c in header["columns"]}
for row in rows:
    values[row["column"]].append(row["value"])
for c in header["columns"]:
    dumped = values[c["name"]]
    if c["type"] == "array":
        tensor = seen.pop(c["name"])
        assert list(tensor.shape) == c["shape"], c
        if c["dtype"] == "BF16":
            tensor = (tensor.astype("u4") << 16).view("f4")
        assert numpy.array_equal(numpy.array(dumped, tensor.dtype).ravel(), tensor.ravel()), c
        continue
    offsets, flat = seen.pop(c["name"] + ".offsets"), seen.pop(c["name"] + ".values")
    rows = [flat[a:b] for a, b in zip(offsets, offsets[1:])]
    assert len(rows) == c["rows"] == len(dumped), c
    for got, row in zip(dumped, rows):
        got = numpy.frombuffer(got.encode(), "u1") if c["type"] == "strings" else numpy.array(got, flat.dtype)
        assert numpy.array_equal(got, row), c
assert not seen, seen
END
  done
}
