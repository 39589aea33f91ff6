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

@test "text-encode writes stacks of sentences, the same bytes for any number of threads" {
  printf 'N0\tnews\tnews\tCats purr. Stocks fall!\tCats nap? Unheard.\t\t[]\t[]\nN00\t\t\t\t\t\t\t\n' >> news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  for by in pvdm wordmean; do
    same_for_any_threads text-encode corpus.nd --unit sentence --sentences 3 --sentence-vectors "$by"
    text-encode corpus.nd --unit sentence --sentences 3 --sentence-vectors "$by" -o "$by.nd" 2> log
    grep -q 'sentences found=64 encoded=63 without_known_word=1 beyond_the_first=0 words=247 words_known=246' log
    grep -q 'articles=62 articles_without=1' log
    tensor-check -q "$by.nd"
    [ "$(tensor-dump --column label "$by.nd" | paste -s -d ' ')" = "1 2 3" ]
    tensor-dump --schema "$by.nd" | grep -qP "^input\tcorpus\tcorpus/1\t"
    tensor-dump --schema "$by.nd" | grep -qxP "column\tx\tF32\\[186,64\\]"
  done
}

@test "text-encode's sentences are exact: words' means, padding, normalised rows" {
  printf 'cats 1 2 3 6\npurr 3 2 1 -2\nstocks 0 0 4 0\n' > words.txt
  vector-ingest -q words.txt -o words.nd
  printf 'N0\t\t\tCats purr. Stocks fall!\t\t\t\t\nN1\t\t\tDogs bark.\t\t\t\t\n' > news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  text-encode -q corpus.nd --unit sentence --sentences 3 --sentence-vectors wordmean --words words.nd -o out.nd
  # Of (2 2 2 2), (0 0 4 0) and their mean (1 1 3 1): deviations 0, sqrt(3) and sqrt(3)/2; the other article has none.
  [ "$(tensor-dump --column x out.nd | awk '{ for (i = 1; i <= NF; ++i) printf "%.3f ", $i }')" = \
    "0.000 0.000 0.000 0.000 -0.577 -0.577 1.732 -0.577 -0.577 -0.577 1.732 -0.577 $(printf '0.000 %.0s' {1..12})" ]
}

@test "text-encode refuses options that PV-DM has no use for" {
  fails 2 'wordmean' text-encode corpus.nd --unit sentence --words-out words.nd -o out
  fails 2 'wordmean' text-encode corpus.nd --unit sentence --subwords 5 -o out
}
