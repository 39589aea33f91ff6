# kg-ingest as a program: what its files look like from outside. What it reads and refuses is tested in
# tests/lib/data/triples_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'a\tr\tb\nb\tr\tc\na\tr\tb\nc\ts\ta\n' > train.txt
  printf 'b\ts\ta\n' > valid.txt
  printf 'c\tr\tb\na\tr\tb\n' > test.txt
}

@test "kg-ingest reads three splits and reports what it counted" {
  run --separate-stderr kg-ingest --train train.txt --valid valid.txt --test test.txt -o kg.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"train triples=3 duplicates=1 in_earlier_split=0"* ]]
  [[ "$stderr" == *"test triples=2 duplicates=0 in_earlier_split=1"* ]]
  [[ "$stderr" == *"graph entities=3 relations=2 triples=6"* ]]
  tensor-check kg.nd
  [ "$(tensor-dump --json --column split kg.nd | grep -o '[0-9]*' | tr '\n' ' ')" = "3 4 6 " ]
}

@test "kg-ingest gives the same bytes from every form of the same graph" {
  kg-ingest -q --train train.txt -o tsv.nd
  awk -F '\t' -v OFS='\t' '{ print $1, $3, $2 }' train.txt > htr.txt
  kg-ingest -q --train - --order htr -o piped.nd < htr.txt
  gzip -c train.txt > train.txt.gz
  kg-ingest -q --train train.txt.gz -o packed.nd
  printf '3\na\t0\nb\t1\nc\t2\n' > entity2id.txt
  printf '2\nr\t0\ns\t1\n' > relation2id.txt
  printf '4\n0 1 0\n1 2 0\n0 1 0\n2 0 1\n' > train2id.txt
  kg-ingest -q --train train2id.txt --format openke --entities entity2id.txt --relations relation2id.txt -o openke.nd
  awk -F '\t' '{ print "<http://a.example/" $1 "> <http://a.example/#" $2 "> <http://a.example/" $3 "> ." }' train.txt > train.nt
  kg-ingest -q --train train.nt --format ntriples --iri local -o ntriples.nd
  same_bytes tsv.nd packed.nd
  for other in piped openke ntriples; do
    tensor-diff --ignore options tsv.nd $other.nd
  done
}

@test "kg-ingest guesses that the columns are in the other order, and says so" {
  printf 'a\tb\tr\na\tc\tr\na\td\tr\na\te\tr\n' > htr.txt
  run --separate-stderr kg-ingest --train htr.txt -o kg.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"warning: there are more relations than entities"*"--order htr"* ]]
}

@test "kg-ingest names the row that is no triple, and keeps the old output" {
  echo old > kg.nd
  printf 'a\tr\tb\na r b\n' > bad.txt
  fails 1 'bad.txt:2: expected three tab-separated columns, found 1' kg-ingest --train bad.txt -o kg.nd
  fails 1 'bad.txt:2: ' kg-ingest -q --train train.txt --test bad.txt -o kg.nd
  fails 2 'openke, which needs both' kg-ingest --train train.txt --format openke -o kg.nd
  [ "$(cat kg.nd)" = old ]
}
