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

# Six users with 14 clicks each on 40 articles, one an hour.
clicks() {
  awk 'BEGIN { print "user,article,time"; for (u = 0; u < 6; ++u) for (i = 0; i < 14; ++i) print "u" u ",a" (u * 5 + i * 3) % 40 "," 3600 * (i + 1) + u }' > log.csv
  click-ingest -q log.csv --corpus-out articles.nd --clicks-out clicks.nd
}

@test "neg-sample draws for clicks: the newest of each user, or the one before" {
  clicks
  neg-sample clicks.nd --min-clicks 12 -n 9 -o test-candidates.nd 2> log
  grep -q 'windows train=12 valid=6 test=6 users_with_too_few=0 users_without_window=0' log
  grep -q 'drawn clicks=6 candidates=60' log
  [ "$(tensor-dump --column impression test-candidates.nd | tr '\n' ' ')" = "13 27 41 55 69 83 " ]
  neg-sample -q clicks.nd --min-clicks 12 -n 9 --split valid -o valid-candidates.nd
  [ "$(tensor-dump --column impression valid-candidates.nd | tr '\n' ' ')" = "12 26 40 54 68 82 " ]
  for file in clicks.nd articles.nd; do
    digest=$(tensor-dump --schema $file | awk '$1 == "digest" { print $2 }')
    tensor-dump --schema test-candidates.nd | grep -qP "^input\t.*\t$digest$"
  done
  tensor-dump --schema test-candidates.nd | grep -qP '^input\tclicks\tclicks/1\t'
}

@test "neg-sample draws for clicks by every way, as a function of the seed" {
  clicks
  for by in uniform popularity live all-live; do
    neg-sample -q clicks.nd --by $by --window 24 --min-clicks 12 -n 9 -o one.nd
    neg-sample -q clicks.nd --by $by --window 24 --min-clicks 12 -n 9 -o same.nd
    neg-sample -q clicks.nd --by $by --window 24 --min-clicks 12 -n 9 --seed 2 -o other.nd
    same_bytes one.nd same.nd
    ! cmp -s one.nd other.nd
    tensor-check -q one.nd
  done
  # All 40 articles live within the day; 13 of them are the user's own.
  [ "$(tensor-dump --column candidate one.nd | awk '{ print NF }' | sort -u)" = 27 ]
}

@test "neg-sample refuses what a log of clicks cannot give" {
  clicks
  fails 1 'clicks.nd: has no user with at least 15 clicks' neg-sample clicks.nd -o out
  fails 1 'clicks.nd:14: fewer articles than asked for .*--max-skip' neg-sample -q clicks.nd --min-clicks 12 -o out
  run -1 neg-sample -q clicks.nd --min-clicks 12 --max-skip -1 -o out
  [[ "$output" == *'6 rows skipped: fewer articles than asked for'*'clicks.nd: leaves no click with enough articles'* ]]
  fails 2 'clicks have no source of negatives called impression' neg-sample clicks.nd --by impression --min-clicks 12 -n 5 -o out
  fails 2 'called live, expected impression' neg-sample test.nd --by live -o out
  fails 1 'articles.nd: expected a file of kind behavior/1 or clicks/1, found corpus/1' neg-sample articles.nd -o out
  fails 2 '--exclude and --from are for a behavior' neg-sample clicks.nd --exclude test.nd -o out
  [ ! -e out ]
}

@test "neg-sample says when the history gives the click away" {
  clicks
  sed 's/^\(u0,\)a39,/\1a36,/' log.csv > again.csv
  click-ingest -q again.csv --repeats keep --corpus-out articles.nd --clicks-out again.nd
  neg-sample again.nd --min-clicks 12 -n 5 -o out.nd 2> log
  grep -q '1 held-out clicks are on articles in their own history' log
}
