# behavior-split as a program; how it splits, and which leaks it sees, is tested in tests/lib/data/split_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  for n in 1 2 3 4 5 6 7 8 9; do printf 'N%d\t\t\tT\t\t\t\t\n' "$n"; done > news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  for n in 1 2 3 4 5; do
    printf '%d\tU%d\t11/%d/2019 6:42:51 PM\tN9\tN%d-1 N8-0\n' "$n" "$((n % 2))" "$n" "$n"
  done > week.tsv
  sed 's|11/./2019|11/1/2019|' week.tsv > day.tsv
  mind-ingest -q --behaviors week.tsv --corpus corpus.nd -o week.nd
  mind-ingest -q --behaviors day.tsv --corpus corpus.nd -o day.nd
}

@test "behavior-split holds out the last day, and its parts belong to the corpus" {
  run --separate-stderr behavior-split week.nd --train-out train.nd --valid-out valid.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"the last day is held out"*"train=4 valid=1 "* ]]
  neg-sample -q train.nd --exclude valid.nd -n 2 -o candidates.nd
}

@test "behavior-split says so when it splits by a hash" {
  run --separate-stderr behavior-split day.nd --fraction 0.5 --train-out train.nd --valid-out valid.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"the log spans less than two days: 50 % of the impressions are held out"* ]]
}

@test "behavior-split writes nothing when the split leaks" {
  printf '9\tU1\t11/9/2019 6:42:51 PM\tN9 N1\tN1-1\n' >> week.tsv
  mind-ingest -q --behaviors week.tsv --corpus corpus.nd -o week.nd
  fails 1 'week.nd: the split leaks: 1 of the 1 held-out clicks' \
    behavior-split week.nd --train-out train.nd --valid-out valid.nd
  [ ! -e train.nd ] && [ ! -e valid.nd ]
}

@test "behavior-split wants two different outputs" {
  fails 2 'name one file' behavior-split week.nd --train-out a --valid-out a
  fails 2 'standard output' behavior-split week.nd --train-out - --valid-out -
}
