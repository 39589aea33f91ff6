# rank-score on a tiny artificial newsroom: by a model, and by counting.

load common
load newsroom

setup_file() {
  newsroom
  kred-train "${small[@]}" -q --system 'KRED, tiny' --seed 7 -o kred.nd
}
setup() { cd "$BATS_FILE_TMPDIR"; }

# Usage: scores FILE: a line an impression.
scores() { tensor-dump --column score "$1"; }

# Usage: by WORD BEHAVIOR FROM...: what the counter says, impressions divided by |.
by() {
  local word=$1 behavior=$2 from=() file
  shift 2
  for file; do from+=(--from "$file"); done
  rank-score -q "$behavior" --by "$word" "${from[@]}" "${more[@]}" -o counted.nd
  scores counted.nd | paste -sd '|'
}

@test "any number of threads gives the same bytes" {
  same_for_any_threads rank-score test.nd --params kred.nd "${reads[@]}"
  for word in popularity recent coclick; do
    same_for_any_threads rank-score test.nd --by $word --from train.nd --from test.nd
  done
}

@test "the scores carry ids, users, times, labels and the model's name and seed" {
  rank-score -q test.nd --params kred.nd "${reads[@]}" -o scores.nd
  tensor-check scores.nd
  for column in impression_id time label; do
    diff <(tensor-dump --column $column scores.nd) <(tensor-dump --column $column test.nd)
  done
  run -0 eval-rank scores.nd --bootstrap 0 --json
  [[ "$output" == *'"name": "KRED, tiny"'* ]] && [[ "$output" == *'"seed": 7'* ]]
  rank-score -q test.nd --params kred.nd "${reads[@]}" --system other -o other.nd
  run -0 eval-rank other.nd --bootstrap 0 --json
  [[ "$output" == *'"name": "other"'* ]] && [[ "$output" == *'"seed": 7'* ]]
}

@test "labels change nothing but the labels" {
  sed -E 's/-[01]( |$)/\1/g' room/dev/behaviors.tsv > unlabelled.tsv
  mind-ingest -q --behaviors unlabelled.tsv --corpus corpus.nd -o unlabelled.nd
  rank-score -q unlabelled.nd --params kred.nd "${reads[@]}" -o without.nd
  rank-score -q test.nd --params kred.nd "${reads[@]}" -o with.nd
  diff <(scores with.nd) <(scores without.nd)
  [ "$(tensor-dump --column label without.nd | sort -u)" = 255 ]
}

@test "a score does not depend on the impressions beside it" {
  rank-score -q test.nd --params kred.nd "${reads[@]}" -o all.nd
  sed -n '5p;3p' room/dev/behaviors.tsv > two.tsv
  mind-ingest -q --behaviors two.tsv --corpus corpus.nd -o two.nd
  rank-score -q two.nd --params kred.nd "${reads[@]}" -o two-scores.nd
  diff <(scores two-scores.nd) <(scores all.nd | sed -n '3p;5p' | { [ "$(head -n 1 two.tsv)" = "$(sed -n 3p room/dev/behaviors.tsv)" ] && cat || tac; })
}

@test "prediction.txt says the same as the scores" {
  rank-score -q test.nd --params kred.nd "${reads[@]}" --prediction prediction.txt -o scores.nd
  awk -F '\t' '{ n = split($5, c, " "); printf "%s [", $1
                 for (i = 1; i <= n; ++i) { split(c[i], p, "-"); printf "%s%s", (i > 1 ? "," : ""), p[2] }
                 print "]" }' room/dev/behaviors.tsv > truth.txt
  run -0 --separate-stderr eval-rank --mind truth.txt prediction.txt
  local auc=${lines[0]#AUC:} mrr=${lines[1]#MRR:}
  run -0 --separate-stderr eval-rank scores.nd --bootstrap 0 --json
  local a m
  a=$(awk '/"auc":/ { printf "%.4f", $2; exit }' <<< "$output")
  m=$(awk '/"mrr":/ { printf "%.4f", $2; exit }' <<< "$output")
  [ "$auc $mrr" = "$a $m" ]
}

@test "fixed candidates are scored instead of the shown ones" {
  neg-sample -q test.nd --negatives 9 -o candidates.nd
  rank-score -q test.nd --params kred.nd "${reads[@]}" --candidates candidates.nd -o fixed.nd
  [ "$(scores fixed.nd | awk '{ print NF }' | sort -u)" = 10 ]
  diff <(tensor-dump --column label fixed.nd) <(tensor-dump --column label candidates.nd)
  fails 1 'candidates.nd: was made from the behavior [0-9a-f]{16}, but train.nd is [0-9a-f]{16}' \
    rank-score -q train.nd --params kred.nd "${reads[@]}" --candidates candidates.nd -o x.nd
}

@test "candidates that point outside are refused" {
  neg-sample -q test.nd --negatives 3 -o candidates.nd
  tensor-dump --json candidates.nd > dump
  local last
  last=$(grep -n '"column":"impression"' dump | tail -n 1 | cut -d : -f 1)
  sed "${last}s/\"value\":[0-9]*/\"value\":1000000/" dump > edited
  tensor-pack -q edited -o outside.nd
  fails 1 'outside.nd: impression row [0-9]+ is 1000000' \
    rank-score -q test.nd --by popularity --from train.nd --candidates outside.nd -o x.nd
}

@test "counters give the values worked by hand" {
  behavior past.nd '1 U1 09:00:00 - N1-1,N2-1,N3-0' '2 U2 10:00:00 N1 N3-1,N4-0' '3 U3 - - N4-1'
  behavior asked.nd '1 U9 10:00:01 N1 N1-0,N2-0,N3-1,N4-0,N5-0'
  [ "$(by popularity asked.nd past.nd)" = "1 1 1 1 0" ]
  [ "$(by recent asked.nd past.nd)" = "1 1 1 0 0" ]
  more=(--window-hours 1)
  [ "$(by recent asked.nd past.nd)" = "0 0 1 0 0" ]
  more=()
  [ "$(by coclick asked.nd past.nd)" = "2 1 1 0 0" ]
}

@test "an impression never counts for itself; the recent counter sees those before it" {
  behavior asked.nd '1 U1 09:00:00 N9 N1-1,N2-0' '2 U2 10:00:00 N9 N1-0,N2-1' '3 U3 - N9 N1-1,N2-0'
  [ "$(by popularity asked.nd asked.nd)" = "0 0|0 0|0 0" ]
  [ "$(by coclick asked.nd asked.nd)" = "0 0|0 0|0 0" ]
  [ "$(by recent asked.nd asked.nd)" = "0 0|1 0|0 0" ]
  # Part of a log scored from the whole log is as safe.
  behavior whole-log.nd '1 U1 09:00:00 N9 N1-1,N2-0' '2 U2 10:00:00 N9 N1-0,N2-1' '3 U3 - N9 N1-1,N2-0' '4 U4 10:00:00 - N2-1'
  [ "$(by popularity asked.nd whole-log.nd)" = "0 1|0 1|0 1" ]
}

@test "files of another corpus are refused with both digests" {
  strangers
  fails 1 'strangers.nd: was made from the corpus [0-9a-f]{16}, but corpus.nd is [0-9a-f]{16}' \
    rank-score strangers.nd -q --params kred.nd "${reads[@]}" -o x.nd
  fails 1 'strangers.nd: was made from the corpus [0-9a-f]{16}, but test.nd from [0-9a-f]{16}' \
    rank-score test.nd -q --by popularity --from strangers.nd -o x.nd
  # A file that claims the right corpus but is larger than it.
  tensor-dump --json test.nd | sed '/"column":"corpus_size","row"/s/"value":[0-9]*/"value":99999/' > edited
  tensor-pack -q edited -o larger.nd
  fails 1 'larger.nd: is about a corpus of 99999 articles, but corpus.nd has 240' \
    rank-score larger.nd -q --params kred.nd "${reads[@]}" -o x.nd
  [ ! -e x.nd ]
}

@test "options that make no sense together are bad usage" {
  fails 2 'either --params or --by' rank-score test.nd -o x.nd
  fails 2 'either --params or --by' rank-score test.nd --params kred.nd --by recent --from train.nd -o x.nd
  fails 2 'give --from' rank-score test.nd --by recent -o x.nd
  fails 2 'from is for --by' rank-score test.nd --params kred.nd "${reads[@]}" --from train.nd -o x.nd
  fails 2 'needs --corpus' rank-score test.nd --params kred.nd -o x.nd
  fails 2 'give --documents' rank-score test.nd --params kred.nd --corpus corpus.nd -o x.nd
  fails 2 'window-hours' rank-score test.nd --by recent --from train.nd --window-hours 1e30 -o x.nd
  fails 2 'give --kg' rank-score test.nd --params kred.nd "${reads[@]:0:6}" -o x.nd
}

# Six users with 14 clicks each on 40 articles, one an hour, and nine candidates for the newest of each.
clicks() {
  awk 'BEGIN { print "user,article,time"; for (u = 0; u < 6; ++u) for (i = 0; i < 14; ++i) print "u" u ",a" (u * 5 + i * 3) % 40 "," 3600 * (i + 1) + u }' > log.csv
  click-ingest -q log.csv --corpus-out articles.nd --clicks-out clicks.nd
  neg-sample -q clicks.nd --min-clicks 12 -n 9 -o clicks-candidates.nd
}

@test "clicks are counted in their own training windows" {
  clicks
  for word in popularity recent coclick; do
    rank-score -q clicks.nd --min-clicks 12 --candidates clicks-candidates.nd --by $word -o counted.nd
    tensor-check -q counted.nd
    [ "$(tensor-dump --column impression_id --column user_id counted.nd | tr '\t\n' '  ')" = "13 u0 27 u1 41 u2 55 u3 69 u4 83 u5 " ]
    diff <(tensor-dump --column label counted.nd) <(tensor-dump --column label clicks-candidates.nd)
    tensor-dump --schema counted.nd | grep -q "\"system\":\"$word\""
    tensor-dump --schema counted.nd | grep -qP '^input\tclicks\tclicks/1\t'
    eval-rank -q counted.nd --bootstrap 0 > /dev/null
  done
  rank-score -q clicks.nd --min-clicks 12 --candidates clicks-candidates.nd --by popularity -o counted.nd
  # What awk counts in the first twelve clicks of every user.
  awk -F, 'NR > 1 && (NR - 2) % 14 < 12 { ++n[$2] } END { for (a in n) print a "\t" n[a] }' log.csv | sort > want
  paste <(tensor-dump --column candidate clicks-candidates.nd | tr ' ' '\n') <(scores counted.nd | tr ' ' '\n') |
    while read -r article score; do echo "$(tensor-dump --column id articles.nd | sed -n $((article + 1))p)"$'\t'"$score"; done | sort -u | grep -v '	0$' > got
  [ "$(wc -l < got)" -gt 10 ]
  [ -z "$(comm -13 want got)" ]
}

@test "what does not fit a log of clicks is refused" {
  clicks
  fails 2 'give --candidates' rank-score clicks.nd --by popularity -o out.nd
  fails 1 "kred.nd: these are not D-HAN's parameters" \
    rank-score clicks.nd --params kred.nd "${reads[@]}" --candidates clicks-candidates.nd -o out.nd
  fails 1 'articles.nd: expected a file of kind behavior/1 or clicks/1, found corpus/1' \
    rank-score articles.nd --by popularity --candidates clicks-candidates.nd -o out.nd
  fails 2 '--from is for a behavior' rank-score clicks.nd --by popularity --from train.nd --candidates clicks-candidates.nd -o out.nd
  fails 1 'clicks.nd: has no user with at least 15 clicks' rank-score clicks.nd --by popularity --candidates clicks-candidates.nd -o out.nd
  for i in $(seq 20); do echo "u6,a$i,$i"; done >> log.csv
  click-ingest -q log.csv --corpus-out articles.nd --clicks-out longer.nd
  neg-sample -q longer.nd --min-clicks 12 -n 9 -o longer-candidates.nd
  fails 1 'longer-candidates.nd: names click 13, which is not held out here: it was made with another --history or --min-clicks' \
    rank-score longer.nd --by popularity --candidates longer-candidates.nd -o out.nd
  neg-sample -q test.nd -o shown.nd
  fails 1 'shown.nd: does not say which clicks it was made from' rank-score clicks.nd --min-clicks 12 --by popularity --candidates shown.nd -o out.nd
}
