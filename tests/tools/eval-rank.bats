# eval-rank on scores files and on MIND's official pair.

load common

# Two scores files of one behavior: the golden one, counted in two ways.
setup() {
  cd "$BATS_TEST_TMPDIR"
  golden=$ROOT/tests/formats/passed
  rank-score "$golden/behavior.safetensors" --by popularity --from "$golden/behavior.safetensors" -o a.nd
  rank-score "$golden/behavior.safetensors" --by recent --from "$golden/behavior.safetensors" -o b.nd
}

pair() {
  printf '1 [1,0,0]\n2 [0,0,1,1]\n3 []\n' > truth.txt
  printf '1 [2,1,3]\n2 [4,2,1,3]\n3 []\n' > prediction.txt
}

@test "a table has a row per system, the mark of constant scores and what was skipped" {
  run -0 eval-rank a.nd b.nd
  [[ "$output" == *"impressions: 1 judged, 2 skipped (1 unlabelled, 1 empty)"* ]]
  [[ "$output" == *"popularity *  0.5000"* ]]
  [[ "$output" == *"recent *"* ]]
  [[ "$output" == *"95 % from"* ]]
  [[ "$output" == *"* popularity scores all candidates alike in 1 of 1 impressions"* ]]
}

@test "the columns follow --at, and --bootstrap 0 leaves the intervals out" {
  run -0 eval-rank a.nd --at 3 --bootstrap 0
  [[ "${lines[2]}" =~ ^"system "*" auc "*" auc_pooled "*" mrr "*" mrr_first "*" ndcg@3 "*" hr@3"$ ]]
  [[ "$output" != *"from"* ]]
}

@test "the tie rule decides what constant scores earn" {
  value() { eval-rank a.nd --bootstrap 0 --ties "$1" --json | awk '/"mrr":/ { print $2 + 0; exit }'; }
  [ "$(value last)" != "$(value first)" ]
  [ "$(value expected)" = 0.75 ]
}

@test "JSON has the members every reader may count on" {
  eval-rank a.nd b.nd --json --dataset golden --compare recent --by-day -o metrics.json
  for member in '"dataset": "golden"' '"name": "popularity"' '"seed": null' '"metrics":' '"auc_pooled": 0.5' \
    '"interval":' '"impressions": 1' '"skipped": 2' '"base": "recent"' '"date": "1970-01-01"' '"single_class": 0'; do
    grep -qF -- "$member" metrics.json || { echo "no $member"; return 1; }
  done
}

@test "Markdown tables have a cell for every measure, its interval inside, and names that cannot end a cell" {
  tensor-dump --json a.nd | sed '1s/"system":"popularity"/"system":"a|b"/' | tensor-pack - -o piped.nd
  run -0 eval-rank piped.nd b.nd --markdown --compare recent --dataset golden
  [ "${lines[0]}" = 'golden; impressions: 1 judged, 2 skipped (1 unlabelled, 1 empty). In brackets 95 % intervals.' ]
  [ "${lines[1]}" = '| system | auc | auc_pooled | mrr | mrr_first | ndcg@5 | ndcg@10 | hr@5 | hr@10 |' ]
  [ "${lines[2]}" = '|---|---|---|---|---|---|---|---|---|' ]
  [[ "${lines[3]}" = '| a\|b | 0.5000 [0.5000, 0.5000] |'* ]]
  [[ "${lines[5]}" = '| minus recent | auc |'* ]]
  [[ "${lines[7]}" = '| a\|b | '[+-]* ]]
}

@test "files of different behaviors are refused with both digests" {
  fails 1 'scores.safetensors: scores behavior fedcba9876543210, but a.nd scores behavior [0-9a-f]{16}' \
    eval-rank a.nd "$golden/scores.safetensors"
}

@test "two files of one system and seed are refused" {
  fails 1 'system popularity is given twice' eval-rank a.nd a.nd
}

@test "an unknown system to compare with is refused" {
  fails 1 'no system is called kred' eval-rank a.nd --compare kred
}

@test "MIND's pair gives the four lines of the official script" {
  pair
  run -0 --separate-stderr eval-rank --mind truth.txt prediction.txt
  [ "$output" = $'AUC:0.6250\nMRR:0.5833\nnDCG@5:0.7753\nnDCG@10:0.7753' ]
  [ -z "$stderr" ]
}

@test "MIND's pair may be compressed, and one of it come through a pipe" {
  pair
  eval-rank --mind truth.txt prediction.txt > expected
  gzip -k truth.txt
  eval-rank --mind truth.txt.gz - < prediction.txt > got
  same_bytes expected got
}

@test "missing, surplus and single-class lines are said on stderr" {
  printf '1 [1,0]\n2 [1,1]\n3 [1,0]\n' > truth.txt
  printf '1 [1,2]\n2 [1,2]\n' > prediction.txt
  run -0 --separate-stderr eval-rank --mind truth.txt prediction.txt
  [ "${lines[0]}" = "AUC:0.7500" ]
  [[ "$stderr" == *"1 lines of the truth have no prediction"* ]]
  [[ "$stderr" == *"1 impressions of a single class were skipped"* ]]
  printf '1 [1,2]\n2 [1,2]\n3 [1,2]\n4 [1]\n' > prediction.txt
  run -0 --separate-stderr eval-rank --mind truth.txt prediction.txt
  [ "${lines[0]}" = "AUC:1.0000" ]
  [[ "$stderr" == *"1 lines of the prediction lie beyond the truth"* ]]
}

@test "malformed lines are named by file and row" {
  pair
  printf '1 [2,1,3]\n2 [4,2,x,3]\n3 []\n' > prediction.txt
  fails 1 'prediction.txt:2: expected ranks from 1 to 16777216, found `x`' eval-rank --mind truth.txt prediction.txt
  printf '1 [2,1,3]\n7 [4,2,1,3]\n' > prediction.txt
  fails 1 'prediction.txt:2: expected impression 2 as in truth.txt, found 7' eval-rank --mind truth.txt prediction.txt
}

@test "options that make no sense together are bad usage" {
  pair
  fails 2 'takes two files' eval-rank --mind truth.txt
  fails 2 'holds no times' eval-rank --mind --by-day truth.txt prediction.txt
  fails 2 'one system only' eval-rank --mind --compare x truth.txt prediction.txt
  fails 2 'exclude each other' eval-rank --table --json a.nd
  fails 2 'exclude each other' eval-rank --markdown --json a.nd
  fails 2 'confidence' eval-rank --confidence 1 a.nd
}

# Articles clicked 3, 2, 1 and 0 times in the training file, judged by those counts on two days.
@test "a chain from raw files gives the values worked by hand, by day too" {
  for n in 1 2 3 4; do printf 'N%d\tnews\tworld\tTitle %d\t\thttps://a.example/%d\t[]\t[]\n' $n $n $n; done > news.tsv
  {
    printf '1\tU1\t11/14/2019 9:00:00 AM\t\tN1-1 N2-1 N3-1 N4-0\n'
    printf '2\tU2\t11/14/2019 9:10:00 AM\t\tN1-1 N2-1 N4-0\n3\tU3\t11/14/2019 9:20:00 AM\t\tN1-1 N4-0\n'
  } > train.tsv
  {
    printf '1\tU1\t11/15/2019 9:00:00 AM\t\tN3-0 N1-1 N2-0\n'  # the click ranks first
    printf '2\tU2\t11/16/2019 9:00:00 AM\t\tN1-0 N3-1 N2-1\n'  # the clicks rank second and third
  } > test.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  mind-ingest -q --behaviors train.tsv --corpus corpus.nd -o train.nd
  mind-ingest -q --behaviors test.tsv --corpus corpus.nd -o test.nd
  rank-score -q test.nd --by popularity --from train.nd --prediction prediction.txt -o scores.nd

  run -0 eval-rank scores.nd --bootstrap 0 --at 2 --by-day
  # 3 clicked rows of counts 3, 2, 1 against 3 others of 3, 2, 1: 3 pairs won, 3 tied, 3 lost.
  [[ "$output" == *"popularity  0.5000      0.5000  0.7083     0.7500  0.6934  1.0000"* ]]
  [[ "$output" == *"2019-11-15, 1 impressions"* ]]
  [[ "$output" == *"popularity                 0.0000      0.0000  0.4167     0.5000  0.3869  1.0000"* ]]

  # Without ties the ranks of prediction.txt say the same as the scores.
  printf '1 [0,1,0]\n2 [0,1,1]\n' > truth.txt
  run -0 eval-rank --mind truth.txt prediction.txt
  [ "${lines[0]} ${lines[1]}" = "AUC:0.5000 MRR:0.7083" ]
}

@test "any number of threads gives the same bytes" {
  for i in $(seq 3000); do echo "$i [0,1,0,$((i % 2))]"; done > truth.txt
  for i in $(seq 3000); do echo "$i [$((i % 3 + 1)),$((i % 4 + 1)),3,$((i % 5 + 1))]"; done > prediction.txt
  same_for_any_threads eval-rank --mind --json truth.txt prediction.txt
}

# Six users with 14 clicks each on articles a0 to a39, one an hour; u5 ends on a99, which nobody else clicked.
clicks() {
  awk 'BEGIN { print "user,article,time"; for (u = 0; u < 6; ++u) for (i = 0; i < 14; ++i)
               print "u" u ",a" (u == 5 && i == 13 ? 99 : (u * 5 + i * 3) % 40) "," 3600 * (i + 1) + u }' > log.csv
  click-ingest -q log.csv --corpus-out articles.nd --clicks-out clicks.nd
  neg-sample -q clicks.nd --min-clicks 12 -n 9 -o candidates.nd
  rank-score -q clicks.nd --min-clicks 12 --candidates candidates.nd --by popularity -o popularity.nd
  rank-score -q clicks.nd --min-clicks 12 --candidates candidates.nd --by recent -o recent.nd
}

@test "clicks are judged with ties against them, at 1, 5 and 10, warm and cold articles apart" {
  clicks
  run -0 eval-rank popularity.nd recent.nd --clicks clicks.nd --min-clicks 12 --bootstrap 0
  [[ "$output" == *"impressions: 6 judged, 0 skipped"* ]]
  [[ "$output" == *"ndcg@1  ndcg@5  ndcg@10    hr@1    hr@5   hr@10"* ]]
  [[ "$output" == *"warm, 5 impressions"*"cold, 1 impressions"* ]]
  [[ "$output" =~ popularity" gives a click and another candidate one score in "[1-6]" of 6 impressions: counted against it" ]]
  # One click each, so HR@1 and NDCG@1 are one number; of ten candidates all ranks are among the best ten.
  awk '$1 == "popularity" && NF == 11 { exit !($6 == $9 && $11 == "1.0000") }' <<< "$output"
  # The cold click was counted by nobody: it ranks last, behind all it ties with.
  awk '/^cold/ { on = 1 } on && $1 == "popularity" { exit !($4 == "0.1000") }' <<< "$output"
  eval-rank popularity.nd --clicks clicks.nd --min-clicks 12 --bootstrap 0 --json -o metrics.json
  for member in '"hr@1":' '"ndcg@10":' '"tied":' '"parts":' '"name": "cold"' '"impressions": 5'; do
    grep -qF -- "$member" metrics.json || { echo "no $member"; return 1; }
  done
  [ "$(eval-rank popularity.nd --bootstrap 0 --ties first | tail -n 1)" != "$(eval-rank popularity.nd --bootstrap 0 | sed -n 5p)" ]
}

@test "clicks are judged with those that were scored only" {
  clicks
  sed 's/u0,/v0,/' log.csv > other.csv
  click-ingest -q other.csv --corpus-out articles2.nd --clicks-out clicks2.nd
  fails 1 'popularity.nd: was made from the clicks [0-9a-f]{16}, but clicks2.nd is' eval-rank popularity.nd --clicks clicks2.nd --min-clicks 12
  fails 1 'a.nd: does not say which clicks it was made from' eval-rank a.nd --clicks clicks.nd
  fails 1 'clicks.nd: has no user with at least 15 clicks' eval-rank popularity.nd --clicks clicks.nd
  fails 1 'popularity.nd: scores .*clicks .*but a.nd scores behavior' eval-rank a.nd popularity.nd
  pair
  fails 2 'scores no clicks' eval-rank --mind --clicks clicks.nd truth.txt prediction.txt
}

@test "seeds of one system share a row with their mean and deviation, in parts too" {
  clicks
  for seed in 1 2 3; do
    tensor-dump --json popularity.nd | sed "1s/\"system\":\"popularity\"/\"seed\":$seed,\"system\":\"trained\"/" > dump.json
    tensor-pack dump.json -o trained-$seed.nd
  done
  run -0 eval-rank trained-1.nd trained-2.nd trained-3.nd recent.nd --clicks clicks.nd --min-clicks 12 --bootstrap 0
  [ "$(grep -c '^  deviation, 3 seeds' <<< "$output")" = 3 ]
  [ "$(grep -c '^trained' <<< "$output")" = 4 ]  # all, warm, cold, and the note on ties
  run -0 eval-rank trained-1.nd trained-2.nd trained-3.nd recent.nd --clicks clicks.nd --min-clicks 12 --markdown
  [ "$(grep -c '^| trained | 0[.0-9]* ± 0.0000 \[' <<< "$output")" = 1 ]
  [ "$(grep -c '^| trained | 0[.0-9]* ± 0.0000 |' <<< "$output")" = 2 ]
}
