load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  for i in $(seq 60); do
    printf 'N%d\tnews\tnews\t%s\t\t\t[]\t[]\n' "$i" "$([ $((i % 2)) = 0 ] && echo 'Cats purr and nap' || echo 'Stocks rise and fall')"
  done > news.tsv
  mind-ingest --news news.tsv -o corpus.nd -q
}

@test "text-encode writes the same bytes for any number of threads" {
  text-encode corpus.nd -o one.nd --dim 8 --threads 1 -q
  text-encode corpus.nd -o seven.nd --dim 8 --threads 7 -q
  cmp one.nd seven.nd
}

@test "text-encode refuses word vectors that cover nothing, and keeps the old output" {
  printf 'katter 1 2\n' > words.txt
  vector-ingest words.txt -o words.nd -q
  echo old > documents.nd
  run -1 text-encode corpus.nd --words words.nd -o documents.nd -q
  [[ "$output" == *"no article holds a word with a vector"* ]]
  [ "$(cat documents.nd)" = old ]
}
