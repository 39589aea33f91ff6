# entity-link-filter as a program; what it keeps is tested in tests/lib/data/links_test.cpp.

load common

# Usage: entity ID CONFIDENCE: a list of one mention, as news.tsv has it.
entity() { printf '[{"WikidataId": "%s", "Confidence": %s, "OccurrenceOffsets": [0]}]' "$1" "$2"; }

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'N1\ta\tb\tOne\tOne\t\t%s\t%s\n' "$(entity Q1 1.0)" "$(entity Q1 0.95)" > news.tsv
  printf 'N2\ta\tb\tTwo\t\t\t%s\t[]\nN3\ta\tb\tThree\t\t\t[]\t\n' "$(entity Q2 0.5)" >> news.tsv
  mind-ingest -q --news news.tsv -o raw.nd
}

@test "entity-link-filter merges mentions and prints the coverage" {
  run --separate-stderr entity-link-filter raw.nd -o corpus.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"mentions all=3 low_confidence=1 not_in_graph=0 without_vector=0 merged=1 over_limit=0 links=1"* ]]
  [[ "$stderr" == *"entities all=2 in_graph=2 with_vector=2 kept=1"* ]]
  [[ "$stderr" == *"articles all=3 without_mentions=1 without_links=2"* ]]
}

@test "entity-link-filter works in a pipe and changes nothing that is filtered already" {
  entity-link-filter -q - -o - < raw.nd > corpus.nd
  entity-link-filter corpus.nd -o again.nd 2> log
  grep -q 'mentions all=1 .*links=1' log
}

@test "entity-link-filter refuses other kinds and confidences that are none" {
  fails 2 'min-conf' entity-link-filter raw.nd --min-conf 1.5 -o out
  fails 2 'max-links' entity-link-filter raw.nd --max-links -1 -o out
  mind-ingest -q --behaviors <(printf '1\tU\t\t\tN1-1\n') --corpus raw.nd -o behavior.nd
  fails 1 'behavior.nd: .*corpus' entity-link-filter behavior.nd -o out
  fails 1 'behavior.nd: .*kg' entity-link-filter raw.nd --kg behavior.nd -o out
  [ ! -e out ]
}

@test "entity-link-filter refuses a graph, and vectors, that know none of the entities" {
  printf 'Q7\tP1\tQ8\n' > train.txt
  kg-ingest -q --train train.txt -o kg.nd
  fails 1 'kg.nd: knows none of the 2 entities of raw.nd' entity-link-filter raw.nd --kg kg.nd -o out
  printf 'Q7\t1\t2\n' > other.vec
  vector-ingest -q other.vec -o other.nd
  fails 1 'other.nd: has a vector for none of the 2 entities' entity-link-filter raw.nd --vectors other.nd -o out
  printf 'Q1\tP1\tQ8\n' > train.txt
  kg-ingest -q --train train.txt -o kg.nd
  entity-link-filter raw.nd --kg kg.nd -o out 2> log
  grep -q 'not_in_graph=0' log
  grep -q 'entities all=2 in_graph=1' log
}
