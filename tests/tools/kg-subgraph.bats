# kg-subgraph as a program; what it keeps is tested in tests/lib/data/triples_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'Q1\tr\tQ2\nQ2\tr\tQ3\nQ3\tr\tQ4\nQ5\tr\tQ1\n' > train.txt
  printf 'Q3\ts\tQ1\n' > test.txt
  kg-ingest -q --train train.txt --test test.txt -o kg.nd
  printf 'N1\tsports\tgolf\tOne\t\t\t[{"WikidataId": "Q1", "Confidence": 1}]\t[]\n' > news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
}

@test "kg-subgraph keeps what is within the hops, and says from which files" {
  run --separate-stderr kg-subgraph kg.nd --corpus corpus.nd --hops 1 -o near.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"linked entities=1 in_graph=1 reached=4"* ]]
  [[ "$stderr" == *"subgraph entities=4 relations=2 triples=4 of=5"* ]]
  tensor-check near.nd
  head -c 4096 near.nd | grep -qaF '\"role\":\"corpus\"'
  head -c 4096 near.nd | grep -qaF '\"role\":\"kg\"'
  kg-subgraph -q kg.nd --corpus corpus.nd --hops 9 -o all.nd
  tensor-diff --ignore tool --ignore options --ignore inputs kg.nd all.nd
}

@test "kg-subgraph reads the graph from a pipe" {
  kg-subgraph -q kg.nd --corpus corpus.nd -o near.nd
  kg-subgraph -q - --corpus corpus.nd -o piped.nd < kg.nd
  same_bytes near.nd piped.nd
}

@test "kg-subgraph refuses a graph that shares no entity with the corpus, and files of another kind" {
  printf 'x\tr\ty\n' > other.txt
  kg-ingest -q --train other.txt -o other.nd
  fails 1 'none of the 1 entities linked in the corpus is in the graph' kg-subgraph other.nd --corpus corpus.nd -o out
  fails 1 'corpus.nd: .*kg' kg-subgraph corpus.nd --corpus corpus.nd -o out
  fails 2 'hops' kg-subgraph kg.nd --corpus corpus.nd --hops -1 -o out
  [ ! -e out ]
}
