# A tiny artificial newsroom, made once per Bats file by the tools themselves:  load newsroom
#
# Usage: newsroom [NEWS-SYNTH-OPTION...] (in setup_file); goes to $BATS_FILE_TMPDIR, where it leaves corpus.nd, documents.nd, entities.nd, kg.nd,
# train.nd, valid.nd, test.nd and the raw folder room/. Paths in the tests are relative to it.
newsroom() {
  cd "$BATS_FILE_TMPDIR" || return 1
  export ND_NO_SYNC=1  # files of a test need not survive a power cut
  news-synth -q --articles 240 --users 60 --impressions 400 --days 4 --entities 128 --others 32 --relations 8 \
    --neighbours 4 "$@" -o room
  mind-ingest -q --news room/train/news.tsv --news room/dev/news.tsv -o articles.nd
  kg-ingest -q --train room/kg/train.txt -o kg.nd
  kg-transe -q kg.nd --dim 8 --epochs 2 -o entities.nd
  entity-link-filter -q articles.nd --vectors entities.nd -o corpus.nd
  text-encode -q corpus.nd --dim 16 --epochs 1 -o documents.nd
  mind-ingest -q --behaviors room/train/behaviors.tsv --corpus corpus.nd -o all.nd
  mind-ingest -q --behaviors room/dev/behaviors.tsv --corpus corpus.nd -o test.nd
  behavior-split -q all.nd --train-out train.nd --valid-out valid.nd
}

# What KRED reads beside its params and behavior.
reads=(--corpus corpus.nd --documents documents.nd --entities entities.nd --kg kg.nd)

# A small KRED on the newsroom, 20 steps in well under a second:  kred-train "${small[@]}" -o FILE
# shellcheck disable=SC2034  # the tests use it
small=(--train train.nd --valid valid.nd "${reads[@]}" --hidden 8 --width 8 --epochs 4)

# Usage: behavior OUT LINE...: a behavior file of the newsroom's corpus; a line is MIND's five columns with blanks for
# tabs: id user time history candidates, times like 15:04:05 of 14 November 2019 or - when unknown, lists with commas.
behavior() {
  local out=$1 line id user time history candidates
  shift
  for line in "$@"; do
    read -r id user time history candidates <<< "$line"
    [ "$time" = - ] && time="" || time="11/14/2019 $(date -u -d "2019-11-14 $time" '+%I:%M:%S %p')"
    [ "$history" != - ] || history=""
    printf '%s\t%s\t%s\t%s\t%s\n' "$id" "$user" "$time" "${history//,/ }" "${candidates//,/ }"
  done > "$BATS_TEST_TMPDIR/behaviors.tsv"
  mind-ingest -q --behaviors "$BATS_TEST_TMPDIR/behaviors.tsv" --corpus corpus.nd -o "$out"
}

# Leaves strangers.nd, test.nd made from another corpus.
strangers() {
  sed '1s/\t/\tother-/' room/dev/news.tsv > other-news.tsv
  mind-ingest -q --news other-news.tsv -o other-articles.nd
  mind-ingest -q --behaviors room/dev/behaviors.tsv --corpus other-articles.nd -o strangers.nd
}
