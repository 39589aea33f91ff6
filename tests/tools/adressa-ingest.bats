# adressa-ingest as a program. What it reads and refuses is tested in tests/lib/data/adressa_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  mkdir week
  # Usage: view USER ARTICLE TIME
  view() { printf '{"eventId":1,"userId":"%s","id":"%s","title":"Tittel %s","category1":"nyheter|trondheim","time":%s}\n' "$1" "$2" "$2" "$3"; }
  { view u1 a 1483225201; printf '{"userId":"u1","time":1483225202,"url":"http://front.page/"}\n%.0s' 1 2 3 4 5 6; view u2 b 1483225203; } > week/20170101
  { view u1 b 1483311601; view u1 a 1483311602; } > week/20170102
}

# Usage: ingest ARGUMENT...: into corpus.nd and clicks.nd.
ingest() { adressa-ingest "$@" --corpus-out corpus.nd --clicks-out clicks.nd; }

@test "adressa-ingest makes a corpus and clicks that carry its digest" {
  run --separate-stderr ingest week
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "$stderr" == *"lines files=2 lines=10 no_article=6 no_user=0"* ]]
  [[ "$stderr" == *"clicks=3 users=2 articles=2 articles_without_text=0 sessions=2 from=2016-12-31T23:00:01Z to=2017-01-01T23:00:01Z"* ]]
  [[ "$stderr" == *"repeats=1"* ]]
  [ "$(tensor-dump --column user_id --column article clicks.nd)" = $'u1\t0 1\nu2\t1' ]
  [ "$(tensor-dump --column id --column title corpus.nd)" = $'a\tTittel a\nb\tTittel b' ]
  digest=$(tensor-dump --schema corpus.nd | awk '$1 == "digest" { print $2 }')
  tensor-dump --schema clicks.nd | grep -qxP "input\tcorpus\tcorpus/1\t$digest"
  tensor-check -q corpus.nd clicks.nd
  ingest -q week --repeats keep
  [ "$(tensor-dump --column article clicks.nd)" = $'0 1 0\n1' ]
}

@test "adressa-ingest gives the same bytes from a folder, its files, packed ones and a pipe" {
  ingest -q week
  mv clicks.nd want.nd
  ingest -q week/20170101 week/20170102
  same_bytes clicks.nd want.nd
  cat week/* | ingest -q -
  same_bytes clicks.nd want.nd
  gzip week/20170101
  zstd -q --rm week/20170102
  ingest -q week
  same_bytes clicks.nd want.nd
}

@test "adressa-ingest counts bad lines and gives up beyond --max-skip" {
  printf 'not JSON\n{"userId":"u1","id":"a","title":"t","category1":"c","time":9483225201}\n' >> week/20170102
  printf '{"userId":"nobody","id":"a","title":"\xff","category1":"c","time":1483225201}\n' >> week/20170102
  printf '{"userId":"u9","time":1483225202,"url":"http://front.page/"}\n' >> week/20170102
  run --separate-stderr ingest week
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"1 row skipped: the line is no JSON object (first: week/20170102:3)"* ]]
  [[ "$stderr" == *"1 row skipped: the time is in 2100 or later (first: week/20170102:4)"* ]]
  [[ "$stderr" == *"1 row skipped: the text is not UTF-8 (first: week/20170102:5)"* ]]
  [[ "$stderr" == *" users=2 "*" sessions=2 "* ]]  # u9's has no click
  fails 1 'week/20170102:4: .*; more than 1 rows' adressa-ingest -q week --max-skip 1 --corpus-out out1 --clicks-out out2
  [ ! -e out1 ] && [ ! -e out2 ]
}

@test "adressa-ingest joins article lists" {
  printf '{"id":"b","text":"Brødtekst."}\n{"id":"z","text":"Ingen leste."}\n' > bodies.json
  ingest -q week --articles bodies.json
  [ "$(tensor-dump --column id --column title --column body corpus.nd)" = $'b\tTittel b\tBrødtekst.\nz\t\tIngen leste.\na\tTittel a\t' ]
  fails 2 '--article-columns is for --articles' adressa-ingest week --article-columns article=1 --corpus-out a --clicks-out b
}

@test "adressa-ingest says when there is nothing to click" {
  mkdir empty
  fails 1 'empty: is a folder without files' adressa-ingest empty --corpus-out out1 --clicks-out out2
  printf '{"userId":"u1","time":1483225202}\n' > front
  fails 1 'front: no line has an id, a title, a category and a user' adressa-ingest front --corpus-out out1 --clicks-out out2
  fails 2 'name one file' adressa-ingest week --corpus-out out1 --clicks-out out1
}
