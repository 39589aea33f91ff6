# A small log of clicks with stacks of sentence and element vectors, made once per Bats file:  load clicks
#
# Usage: click_log (in setup_file); goes to $BATS_FILE_TMPDIR, where it leaves corpus.nd, clicks.nd, sentences.nd,
# elements.nd, and valid.nd and test.nd, candidates of the held-out clicks. 24 users with 16 clicks each on 60 articles, one
# an hour, each two numbers on from the one before. Some articles have no stacks.
click_log() {
  cd "$BATS_FILE_TMPDIR" || return 1
  export ND_NO_SYNC=1  # files of a test need not survive a power cut
  awk 'BEGIN {
    print "user,article,time"
    for (u = 0; u < 24; ++u)
      for (i = 0; i < 16; ++i) print "u" u ",a" (u * 7 + 2 * i) % 60 "," 1500000000 + 3600 * i + 60 * u
  }' > log.csv
  click-ingest -q log.csv --corpus-out corpus.nd --clicks-out clicks.nd
  neg-sample -q clicks.nd --history 4 --min-clicks 12 -n 9 --split valid -o valid.nd
  neg-sample -q clicks.nd --history 4 --min-clicks 12 -n 9 -o test.nd
  stacks sentences.nd 50 4 8
  stacks elements.nd 55 5 6
}

# Usage: stacks OUT ARTICLES HEIGHT NUMBERS: stacks of articles a0, a1, ...
stacks() {
  awk -v n="$2" -v h="$3" -v d="$4" 'BEGIN {
    printf "{\"columns\":[{\"name\":\"id\",\"rows\":%d,\"type\":\"strings\"},{\"name\":\"label\",\"rows\":%d,\"type\":\"strings\"},", n, h
    printf "{\"dtype\":\"F32\",\"name\":\"x\",\"shape\":[%d,%d],\"type\":\"array\"}],\"digest\":\"0000000000000000\",", n * h, d
    print "\"inputs\":[{\"digest\":\"0123456789abcdef\",\"kind\":\"corpus/1\",\"role\":\"corpus\"}],\"kind\":\"stacks/1\",\"options\":{},\"tool\":\"test 1\"}"
    for (i = 0; i < n; ++i) printf "{\"column\":\"id\",\"row\":%d,\"value\":\"a%d\"}\n", i, i
    for (i = 0; i < h; ++i) printf "{\"column\":\"label\",\"row\":%d,\"value\":\"k%d\"}\n", i, i + 1
    for (i = 0; i < n * h; ++i) {
      printf "{\"column\":\"x\",\"row\":%d,\"value\":[", i
      for (j = 0; j < d; ++j) printf "%s%.6g", (j ? "," : ""), sin(7 * i + 3 * j + d)
      print "]}"
    }
  }' > stacks.json
  tensor-pack -q stacks.json -o "$1"
}

# What D-HAN reads beside its params, clicks and candidates.
reads=(--corpus corpus.nd --sentences sentences.nd --elements elements.nd)

# A small D-HAN on the log, in well under a second:  dhan-train "${small[@]}" -o FILE
# shellcheck disable=SC2034  # the tests use it
small=(--clicks clicks.nd --valid valid.nd "${reads[@]}" --history 4 --min-clicks 12 --width 8 --hidden 16 --inner 16
  --head-width 16 --batch 32 --dns-pool 12 --epochs 3)
