# vector-ingest as a program: what its files look like from outside. What it reads and refuses is tested in
# tests/lib/data/vector_text_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'Q1\t0.5\t-1\t\nQ2\t2\t3e-1\t\n' > entity.vec
  printf 'P1\t1\t0\t\n' > relation.vec
}

@test "vector-ingest reads entities and relations" {
  run --separate-stderr vector-ingest entity.vec --relations relation.vec -o v.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"vectors rows=2 width=2"*"relations rows=1 width=2"* ]]
  tensor-check v.nd
}

@test "vector-ingest gives the same bytes from every form of the same vectors" {
  vector-ingest -q entity.vec -o vec.nd
  vector-ingest -q - -o piped.nd < entity.vec
  same_bytes vec.nd piped.nd
  printf '2 2\nQ1 0.5 -1 \nQ2 2 0.3 \n' > w2v.txt
  vector-ingest -q w2v.txt -o w2v.nd
  sed 1d w2v.txt > glove.txt
  vector-ingest -q glove.txt -o glove.nd
  cut -d ' ' -f 2- glove.txt > rows.txt
  cut -f 1 entity.vec > ids.txt
  vector-ingest -q rows.txt --ids ids.txt -o rows.nd
  printf '2\nQ2\t1\nQ1\t0\n' > entity2id.txt
  vector-ingest -q rows.txt --map entity2id.txt -o map.nd
  same_bytes vec.nd w2v.nd
  same_bytes vec.nd glove.nd
  same_bytes vec.nd rows.nd
  same_bytes vec.nd map.nd
}

@test "vector-ingest reads what numpy writes" {
  /usr/bin/python3 -c 'import numpy' 2> /dev/null || skip "no numpy"
  /usr/bin/python3 -c 'import numpy; numpy.save("v.npy", numpy.array([[0.5, -1], [2, 0.3]]))'
  printf 'Q1\nQ2\n' > ids.txt
  vector-ingest -q v.npy --ids ids.txt -o npy.nd
  vector-ingest -q entity.vec -o vec.nd
  same_bytes vec.nd npy.nd
}

@test "vector-ingest names the row that is wrong, and keeps the old output" {
  echo old > v.nd
  printf 'Q1\t1\t2\nQ2\t1\n' > short.vec
  fails 1 'short.vec:2: expected an id and 2 numbers' vector-ingest short.vec -o v.nd
  printf 'Q1\t1\t2\nQ1\t1\t3\n' > twice.vec
  fails 1 "twice.vec:2: the id 'Q1' comes twice" vector-ingest twice.vec -o v.nd
  printf 'P1\t1\t2\t3\n' > wide.vec
  fails 1 'wide.vec: is 3 wide, expected 2' vector-ingest -q entity.vec --relations wide.vec -o v.nd
  fails 2 'need --relations' vector-ingest entity.vec --relation-ids ids.txt -o v.nd
  [ "$(cat v.nd)" = old ]
}
