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

@test "news-synth's log goes through the chain of D-HAN without a skipped row, from Adressa's lines and from tables alike" {
  synth -o a --log-clicks 20
  adressa-ingest a/log/adressa --max-skip 0 --corpus-out adressa.nd --clicks-out adressa-clicks.nd 2> log
  [ "$(grep -o ' no_article=[0-9]*' log | tr -dc 0-9)" -eq "$((3 * ($(wc -l < a/log/clicks.tsv) - 1)))" ]
  click-ingest -q a/log/clicks.tsv --articles a/log/articles.tsv --max-skip 0 --corpus-out corpus.nd --clicks-out clicks.nd
  local column
  for column in user_id time; do
    same_bytes <(tensor-dump --column $column adressa-clicks.nd) <(tensor-dump --column $column clicks.nd)
  done
  vector-ingest -q a/log/words.vec -o words.nd
  text-encode corpus.nd --unit sentence --sentence-vectors wordmean --words words.nd -o sentences.nd 2> log
  grep -q ' without_known_word=0 ' log
  grep -q ' articles_without=0' log
  for corpus in adressa corpus; do
    element-extract-ingest a/log/elements.jsonl --corpus "$corpus.nd" --words words.nd --max-skip 0 -o elements.nd 2> log
    [[ "$(grep ' words ' log)" =~ " words="([0-9]+)" with_vector="([0-9]+) ]]
    [ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
  done
  tensor-check -q adressa.nd adressa-clicks.nd corpus.nd clicks.nd words.nd sentences.nd elements.nd
}

@test "news-synth writes the same other files with a log and without" {
  synth -o a
  synth -o b --log-clicks 5 --log-cause lead --log-hour 1
  [ -d b/log ]
  rm -r b/log
  diff -r a b
}

@test "news-synth's leading sentences tell what the mean of a body hides" {
  synth -o a --log-clicks 5
  click-ingest -q a/log/clicks.tsv --articles a/log/articles.tsv --corpus-out corpus.nd --clicks-out clicks.nd
  # Each word of leads comes as often from one side as from the other: a body's words of both sides are even in number.
  awk -F '\t' 'NR == FNR { if (length($1) == 8) known[$1] = ++n; next }
    FNR > 1 { k = split(tolower($3), w, /[ .]+/); lead = 0; sum = 0
      for (i = 1; i <= k; ++i) if (w[i] in known && known[w[i]] <= 48) { side = known[w[i]] <= 24 ? -1 : 1; sum += side; if (i <= 6) lead += side }
      if (sum != 0 || (lead != 2 && lead != -2)) { print $1, lead, sum; exit 1 }; seen[lead]++ }
    END { exit !(seen[2] > 100 && seen[-2] > 100) }' a/log/words.vec a/log/articles.tsv
}
