# mind-ingest as a program: what its files look like from outside. What it reads and refuses is tested in
# tests/lib/data/mind_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'N1\tsports\tgolf\tOne\t\t\t[{"WikidataId": "Q1", "Confidence": 1}]\t[]\n' > news.tsv
  printf 'N2\tnews\tus\tTwo\t\t\t[]\t[]\n' >> news.tsv
  printf '1\tU1\t11/9/2019 6:42:51 PM\tN1 N2\tN2-1 N1-0\n2\tU2\t11/9/2019 6:43:00 PM\t\tN1-1\n' > behaviors.tsv
}

@test "mind-ingest makes a corpus, then a behavior that carries its digest" {
  mind-ingest --news news.tsv -o corpus.nd
  mind-ingest --behaviors behaviors.tsv --corpus corpus.nd -o behavior.nd
  digest=$(head -c 4096 corpus.nd | grep -oa '"nd.digest":"[0-9a-f]*"' | cut -d '"' -f 4)
  head -c 4096 behavior.nd | grep -qaF "$digest"
}

@test "mind-ingest gives the same bytes from a pipe and from packed files" {
  mind-ingest -q --news news.tsv -o plain.nd
  mind-ingest -q --news - -o piped.nd < news.tsv
  gzip -c news.tsv > news.tsv.gz
  mind-ingest -q --news news.tsv.gz -o packed.nd
  same_bytes plain.nd piped.nd
  same_bytes plain.nd packed.nd
}

@test "mind-ingest reports what it skipped, and gives up beyond --max-skip" {
  printf '3\tU3\t13/9/2019 6:42:51 PM\t\tN1-1\n4\tU3\t1/9/2019 6:42:51 PM\tN9\tN1-1\n' >> behaviors.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  run --separate-stderr mind-ingest --behaviors behaviors.tsv --corpus corpus.nd -o behavior.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"1 row skipped: the time does not exist or is not a time (first: behaviors.tsv:3)"* ]]
  [[ "$stderr" == *"1 row used in part: an unknown article in the history (first: behaviors.tsv:4)"* ]]
  rm behavior.nd
  fails 1 'behaviors.tsv:4: an unknown article in the history; more than 1 rows' \
    mind-ingest --behaviors behaviors.tsv --corpus corpus.nd --max-skip 1 -o behavior.nd
  [ ! -e behavior.nd ]
}

@test "mind-ingest wants either news or behaviors with their corpus" {
  fails 2 'expected --news .* or --behaviors' mind-ingest -o out
  fails 2 'expected --news .* or --behaviors' mind-ingest --news news.tsv --behaviors behaviors.tsv --corpus c -o out
  fails 2 'go together' mind-ingest --behaviors behaviors.tsv -o out
  fails 2 'go together' mind-ingest --news news.tsv --corpus c -o out
}

@test "mind-ingest names an input that is empty, a folder or of another kind" {
  : > empty
  mind-ingest -q --news news.tsv -o corpus.nd
  fails 1 'empty: is empty' mind-ingest --news empty -o out
  fails 1 'empty: is empty' mind-ingest --behaviors empty --corpus corpus.nd -o out
  fails 1 '.: is a directory' mind-ingest --news . -o out
  fails 1 'corpus.nd: has no row that can be used' mind-ingest --news corpus.nd -o out
  mind-ingest -q --behaviors behaviors.tsv --corpus corpus.nd -o behavior.nd
  fails 1 'behavior.nd: .*corpus' mind-ingest --behaviors behaviors.tsv --corpus behavior.nd -o out
  [ ! -e out ]
}

@test "mind-ingest reads the clicks of the Bing sample" {
  skip_without bing-news
  mind-ingest -q --news "$NEWS_DATA/bing-news/train/news.tsv" --news "$NEWS_DATA/bing-news/test/news.tsv" -o corpus.nd
  run --separate-stderr mind-ingest --behaviors "$NEWS_DATA/bing-news/test/behaviors.tsv" --corpus corpus.nd -o b.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"impressions=363 "*" candidates=2276 "* ]]
}

@test "mind-ingest reads files in other people's habits" {
  skip_without mind-sample
  run --separate-stderr mind-ingest --news "$NEWS_DATA/mind-sample/news-quoted.tsv" \
    --news "$NEWS_DATA/mind-sample/news-header-quoted.tsv" -o corpus.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" != *"skipped"* ]]
  cut -f 4,5 "$NEWS_DATA/mind-sample/behaviors.tsv" | tr '\t ' '\n\n' | sed 's/-[01]$//; /^$/d' | sort -u |
    sed 's/$/\t\t\tT\t\t\t\t/' > ids.tsv
  mind-ingest -q --news ids.tsv -o ids.nd
  run --separate-stderr mind-ingest --behaviors "$NEWS_DATA/mind-sample/behaviors.tsv" --corpus ids.nd -o b.nd
  [[ "$stderr" == *"impressions=1200 "*" candidates=45592 "* ]]
}
