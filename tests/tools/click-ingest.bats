# click-ingest as a program. What it reads, guesses and refuses is tested in tests/lib/data/click_text_test.cpp and the
# files beside it.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'user\tevent\tarticle\ttime_ms\n' > log.tsv
  printf 'u1\tVIEW\ta\t1506826800026\nu2\tVIEW\tb\t1506826801702\nu1\tLIKE\ta\t1506826804207\n' >> log.tsv
  printf 'u1\tVIEW\tb\t1506826700000\nu1\tVIEW\ta\t1506826900000\n' >> log.tsv
}

# Usage: ingest ARGUMENT...: into corpus.nd and clicks.nd.
ingest() { click-ingest "$@" --corpus-out corpus.nd --clicks-out clicks.nd; }

@test "click-ingest makes a corpus and clicks that carry its digest" {
  ingest -q log.tsv --where event=VIEW
  [ "$(tensor-dump --column user_id --column article clicks.nd)" = $'u1\t1 0\nu2\t1' ]
  [ "$(tensor-dump --column time clicks.nd | tr '\n' ' ')" = "1506826700 1506826800 1506826801 " ]
  [ "$(tensor-dump --column id corpus.nd | tr '\n' ' ')" = "a b " ]
  digest=$(tensor-dump --schema corpus.nd | awk '$1 == "digest" { print $2 }')
  tensor-dump --schema clicks.nd | grep -qxP "input\tcorpus\tcorpus/1\t$digest"
  tensor-check -q corpus.nd clicks.nd
}

@test "click-ingest prints what it guessed and what it saw" {
  run --separate-stderr ingest log.tsv --where event=VIEW
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "$stderr" == *'columns file=log.tsv columns="user=user,article=article,time=time_ms:ms"'* ]]
  [[ "$stderr" == *"left out by --where rows=1"* ]]
  [[ "$stderr" == *"clicks=3 users=2 articles=2 articles_without_text=2 sessions=0 from=2017-10-01T02:58:20Z to=2017-10-01T03:00:01Z"* ]]
  [[ "$stderr" == *"out_of_order=1 equal_times=0 repeats=1"* ]]
}

@test "click-ingest keeps repeats when asked" {
  ingest -q log.tsv --repeats keep
  [ "$(tensor-dump --column article clicks.nd | head -n 1)" = "1 0 0 0" ]
}

@test "click-ingest gives the same from TSV, CSV, JSON lines, pipes and packed files" {
  tr '\t' ',' < log.tsv > log.csv
  awk -F '\t' 'NR > 1 { printf "{\"user\":\"%s\",\"event\":\"%s\",\"article\":\"%s\",\"time_ms\":%s}\n", $1, $2, $3, $4 }' log.tsv > log.json
  gzip -k log.tsv
  zstd -q log.csv
  ingest -q log.tsv
  mv corpus.nd want.nd
  mv clicks.nd want-clicks.nd
  for file in log.csv log.json log.tsv.gz log.csv.zst; do
    ingest -q "$file"
    same_bytes corpus.nd want.nd
    same_bytes clicks.nd want-clicks.nd
  done
  ingest -q - < log.tsv
  same_bytes clicks.nd want-clicks.nd
}

@test "click-ingest puts several logs together" {
  printf 'u2,c,1506826700\nu3,a,1506826701\n' > more.csv
  head -n 1 log.tsv > first.tsv
  sed -n 2,3p log.tsv >> first.tsv
  printf '{"user":"u2","article":"a","ts":1506826702}\n' > more.json
  ingest -q first.tsv more.json
  [ "$(tensor-dump --column user_id --column article clicks.nd)" = $'u1\t0\nu2\t0 1' ]
  fails 1 'more.csv:1: no column could be found for the user' click-ingest more.csv --corpus-out out1 --clicks-out out2
}

@test "click-ingest joins article lists" {
  printf 'b\tsports\tGoal\tA long text.\nz\tnews\tNobody reads this\t\n' > articles.tsv
  ingest -q log.tsv --articles articles.tsv --article-columns article=1,category=2,title=3,body=4
  [ "$(tensor-dump --column id --column title --column body corpus.nd)" = $'b\tGoal\tA long text.\nz\tNobody reads this\t\na\t\t' ]
  ingest -q log.tsv --articles articles.tsv --article-columns article=1,category=2,title=3,body=4 --only-with-text
  [ "$(tensor-dump --column user_id --column article clicks.nd)" = $'u1\t0\nu2\t0' ]
}

@test "click-ingest counts bad rows and gives up beyond --max-skip" {
  printf 'u9\tVIEW\ta\t-5\nu9\tVIEW\ta\t9506826800026\nu9\tVIEW\t\t5\nu9\tVIEW\ta\n\xff\tVIEW\ta\t5\n' >> log.tsv
  run --separate-stderr ingest log.tsv
  [ "$status" -eq 0 ]
  for cause in "the time is before 1970 (first: log.tsv:7)" "the time is in 2100 or later (first: log.tsv:8)" \
    "the article is missing (first: log.tsv:9)" "another number of columns than the first line (first: log.tsv:10)" \
    "the text is not UTF-8 (first: log.tsv:11)"; do
    [[ "$stderr" == *"1 row skipped: "*"$cause"* ]] || { echo "no '$cause' in $stderr"; return 1; }
  done
  rm corpus.nd clicks.nd
  fails 1 'log.tsv:10: .*; more than 3 rows cannot be used' click-ingest -q log.tsv --max-skip 3 --corpus-out corpus.nd --clicks-out clicks.nd
  [ ! -e corpus.nd ]
  [ ! -e clicks.nd ]
}

@test "click-ingest says what is wrong with its options" {
  fails 2 'no column can be meant by .reader=user.' click-ingest log.tsv --columns reader=user --corpus-out a --clicks-out b
  fails 2 'is not FIELD=VALUE' click-ingest log.tsv --where event --corpus-out a --clicks-out b
  fails 2 'by number and by name' click-ingest log.tsv --columns user=1,article=article,time=3 --corpus-out a --clicks-out b
  fails 2 'name one file' click-ingest log.tsv --corpus-out a --clicks-out a
  fails 2 '--article-columns is for --articles' click-ingest log.tsv --article-columns article=1 --corpus-out a --clicks-out b
  fails 1 'log.tsv:1: has no column uid, only user, event, article, time_ms' click-ingest log.tsv --columns user=uid --corpus-out a --clicks-out b
}

@test "click-ingest reads real logs" {
  skip_without globo/clicks.tsv.gz
  skip_without deskdrop/interactions.tsv
  ingest "$NEWS_DATA/globo/clicks.tsv.gz" --repeats keep 2> globo
  grep -q 'clicks=900695 users=175923 articles=16562 ' globo
  ingest "$NEWS_DATA/deskdrop/interactions.tsv" --repeats keep 2> deskdrop
  grep -q 'clicks=72312 users=1895 articles=2987 ' deskdrop
}
