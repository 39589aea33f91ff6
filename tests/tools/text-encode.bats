# text-encode as a program; words and vectors are tested in tests/lib/data/word_vectors_test.cpp.

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

@test "text-encode learns words, and gives the same vectors from them when they are read back" {
  text-encode -q corpus.nd --dim 8 --words-out words.nd -o learnt.nd
  text-encode -q corpus.nd --words words.nd -o read.nd
  # Options and inputs differ, the tensors do not: they are the end of the file.
  cmp <(tail -c 2000 learnt.nd) <(tail -c 2000 read.nd)
  fails 2 'words-out' text-encode corpus.nd --words words.nd --words-out again.nd -o out
}

@test "text-encode counts articles without a word it knows" {
  printf 'N0\t\t\t\t\t\t\t\nN00\t\t\t?!\t\t\t\t\n' >> news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  text-encode corpus.nd --dim 8 -o out.nd 2> log
  grep -q 'articles=62 .*articles_without=2' log
}

@test "text-encode says when no word is frequent enough" {
  fails 1 'no word occurs 1000 times' text-encode corpus.nd --least-count 1000 -o out
}

@test "text-encode refuses word vectors that cover nothing, and keeps the old output" {
  printf 'katter 1 2\n' > words.txt
  vector-ingest words.txt -o words.nd -q
  echo old > documents.nd
  run -1 text-encode corpus.nd --words words.nd -o documents.nd -q
  [[ "$output" == *"no article holds a word with a vector"* ]]
  [ "$(cat documents.nd)" = old ]
}
