# The newsroom itself is tested in tests/lib/data; here: the program, its files, and that they go through the chain.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
}

synth() {
  news-synth -q --articles 300 --users 100 --impressions 400 --entities 256 --others 64 "$@"
}

@test "news-synth writes the same newsroom again, and another one for another seed" {
  synth -o a
  synth -o b
  synth --seed 2 -o c
  diff -r a b
  ! cmp -s a/train/behaviors.tsv c/train/behaviors.tsv
}

@test "news-synth writes files that mind-ingest and kg-ingest read without a skipped row" {
  synth -o a
  mind-ingest --news a/train/news.tsv --news a/dev/news.tsv --max-skip 0 -q -o corpus.nd
  mind-ingest --behaviors a/train/behaviors.tsv --corpus corpus.nd --max-skip 0 -q -o train.nd
  mind-ingest --behaviors a/dev/behaviors.tsv --corpus corpus.nd --max-skip 0 -q -o dev.nd
  kg-ingest -q --train a/kg/train.txt -o kg.nd
  tensor-check corpus.nd train.nd dev.nd kg.nd
}

@test "news-synth's clicks follow what is planted: popular articles are clicked more when popularity is planted" {
  auc_of_popularity() {
    synth --cause none --topic 0 --impressions 3000 --popularity "$1" -o "p$1"
    mind-ingest --news "p$1/train/news.tsv" --news "p$1/dev/news.tsv" -q -o corpus.nd
    mind-ingest --behaviors "p$1/train/behaviors.tsv" --corpus corpus.nd -q -o train.nd
    mind-ingest --behaviors "p$1/dev/behaviors.tsv" --corpus corpus.nd -q -o dev.nd
    rank-score dev.nd --by popularity --from train.nd -q -o scores.nd
    eval-rank scores.nd | awk '$1 == "popularity" { print $2 }'
  }
  planted=$(auc_of_popularity 4)
  none=$(auc_of_popularity 0)
  echo "planted $planted, none $none"
  # Most articles of the last day are new, so counting earlier clicks cannot tell much about them.
  awk -v p="$planted" -v n="$none" 'BEGIN { exit !(p > n + 0.03) }'
}

@test "news-synth refuses a folder that is a file, and counts that make no newsroom" {
  echo precious > file
  run -1 synth -o file
  [ "$(cat file)" = precious ]
  run -2 news-synth --articles 0 -o out
  [ ! -e out ]
}
