# neg-sample as a program; what it draws is tested in tests/lib/data/negatives_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  for n in 1 2 3 4 5 6; do printf 'N%d\t\t\tT\t\t\t\t\n' "$n"; done > news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  printf '1\tU1\t11/1/2019 6:42:51 PM\tN1\tN2-1 N3-0\n' > train.tsv
  printf '1\tU1\t11/2/2019 6:42:51 PM\t\tN4-1 N5-1\n2\tU2\t11/2/2019 6:42:51 PM\t\tN4-0\n' > test.tsv
  for part in train test; do mind-ingest -q --behaviors $part.tsv --corpus corpus.nd -o $part.nd; done
}

@test "neg-sample writes a row for each click, and says when the corpus has too few" {
  neg-sample test.nd --by corpus -n 2 --exclude train.nd -o candidates.nd 2> log
  grep -q 'drawn clicks=2 candidates=6' log
  neg-sample test.nd --by corpus -n 5 --exclude train.nd -o candidates.nd 2> log
  grep -q '2 of 2 rows have fewer negatives than asked' log
  grep -q 'drawn clicks=2 candidates=6' log  # N3 and N6 are all that user 1 never clicked
}

@test "neg-sample is a function of its seed" {
  neg-sample -q test.nd --by corpus -n 3 -o one.nd
  neg-sample -q test.nd --by corpus -n 3 -o same.nd
  neg-sample -q test.nd --by corpus -n 3 --seed 2 -o other.nd
  same_bytes one.nd same.nd
  run cmp one.nd other.nd
  [ "$status" -eq 1 ]
}

@test "neg-sample refuses files of another corpus, and files without clicks" {
  printf 'N1\t\t\tOther\t\t\t\t\n' > other.tsv
  mind-ingest -q --news other.tsv -o other.nd
  mind-ingest -q --behaviors <(printf '1\tU\t\t\tN1-1\n') --corpus other.nd -o elsewhere.nd
  fails 1 'test.nd: was made from the corpus' neg-sample test.nd --exclude elsewhere.nd -o out
  fails 1 'test.nd: was made from the corpus' neg-sample test.nd --by recent --from elsewhere.nd -o out
  mind-ingest -q --behaviors <(printf '1\tU\t\t\tN1\n') --corpus corpus.nd -o unlabelled.nd
  fails 1 'unlabelled.nd: has no clicks' neg-sample unlabelled.nd -o out
  fails 2 'for --by popularity' neg-sample test.nd --from train.nd -o out
  [ ! -e out ]
}
