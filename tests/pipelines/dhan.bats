# pipelines/dhan.mk on the log of a tiny artificial newsroom: from clicks, texts and elements to the table, what is off
# said to be off.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BIN=$(realpath "${BIN:-$ROOT/build/bin}")
PATH=$BIN:$PATH
export ND_NO_SYNC=1  # files of a test need not survive a power cut
unset MAKEFLAGS MAKELEVEL  # of the make that runs the tests

tiny=(
  SEEDS=1 HISTORY=4 MIN_CLICKS=8 SAMPLE='-n 20' WINDOWS='1 24' ENCODE='--dim 16 --sentences 4 --epochs 1'
  TRAIN='--width 16 --hidden 16 --inner 16 --head-width 16 --epochs 1' JUDGE='--bootstrap 50'
)
texts=(TEXT=room/log/articles.tsv ELEMENTS=room/log/elements.jsonl)
# Usage: dhan OUT [MAKE-ARGUMENT...]; leaves what was said in the file log.
dhan() {
  make -s -f "$ROOT/pipelines/dhan.mk" BIN="$BIN" CLICKS=room/log/clicks.tsv OUT="$1" "${tiny[@]}" "${@:2}" 2> log ||
    { cat log; return 1; }
}

setup_file() {
  cd "$BATS_FILE_TMPDIR"
  news-synth -q --articles 300 --users 60 --impressions 20 --days 4 --entities 128 --others 32 --log-clicks 12 -o room
}
setup() { cd "$BATS_FILE_TMPDIR"; }

@test "clicks alone end with a table of D-HAN and the counters, which names what is off" {
  dhan clicks
  grep -q "levels SEN were asked for, but there is no text and no elements: the levels that are on are 'N'" log
  grep -q '^data: clicks, no text, no elements$' clicks/metrics.txt
  grep -q '"dataset": "clicks, no text, no elements"' clicks/metrics.json
  for system in D-HAN popularity 'recent popularity' co-click; do
    grep -q "^$system  *0" clicks/metrics.txt
    grep -qF "\"name\": \"$system\"" clicks/metrics.json
  done
  for measure in hr@1 hr@5 hr@10 ndcg@5 ndcg@10; do grep -q "\"$measure\": 0" clicks/metrics.json; done
  grep -q '^warm, [0-9]* impressions' clicks/metrics.txt
  grep -q '"name": "cold"' clicks/metrics.json
}

@test "texts and elements are made into stacks, by word vectors that are learnt, or given" {
  dhan texts "${texts[@]}"
  ! grep -q 'were asked for' log || false
  grep -q '^data: clicks$' texts/metrics.txt
  [[ "$(cat texts/logs/dhan-1.params.nd.log)" =~ without_text=0" without_elements="[0-9]{1,2}" " ]]
  grep -q 'text-encode .*--unit sentence --dim 16' texts/logs/sentences.nd.log
  tensor-check -q texts/elements.nd
  vector-ingest -q room/log/words.vec -o words.nd
  element-extract-ingest -q room/log/elements.jsonl --corpus texts/corpus.nd --words words.nd -o elements.nd
  ! cmp -s elements.nd texts/elements.nd || false
  dhan texts "${texts[@]}" WORDS=room/log/words.vec TRAIN='--width 64 --hidden 16 --epochs 1' ENCODE=
  cmp elements.nd texts/elements.nd
  grep -q 'text-encode .*--sentence-vectors wordmean --words' texts/logs/sentences.nd.log
  # Stacks made elsewhere are taken as they are.
  dhan stacks SENTENCES=texts/sentences.nd ELEMENTS=elements.nd TRAIN='--width 64 --hidden 16 --epochs 1'
  [ ! -e stacks/sentences.nd ]
  [ ! -e stacks/elements.nd ]
  grep -q -- '--sentences texts/sentences.nd --elements elements.nd' stacks/logs/dhan-1.scores.nd.log
}

@test "rows that cannot be used are counted on the way, and change nothing" {
  dhan sound "${texts[@]}"
  { cat room/log/clicks.tsv; printf 'U1\tN1\t-5\ts\nU1\tN2\t4102444800\ts\nU1\tN\xff\t1704067200\ts\n'; } > bad.tsv
  { cat room/log/elements.jsonl; printf '{"id":"N0","person":["Nobody"]}\n{"id":"N1","person":["\xff"]}\n'; } > bad.jsonl
  dhan bad CLICKS=bad.tsv TEXT=room/log/articles.tsv ELEMENTS=bad.jsonl DATASET=clicks
  for cause in 'the time is before 1970' 'the time is in 2100 or later' 'the text is not UTF-8 (first: bad.tsv' \
    'the article is not in the corpus (first: bad.jsonl' 'the text is not UTF-8 (first: bad.jsonl'; do
    grep -qF "1 row skipped: $cause" log
  done
  diff sound/metrics.json bad/metrics.json
}

@test "the log's own texts count when TEXT says so" {
  awk -F '\t' -v OFS='\t' 'NR == FNR { title[$1] = $2; body[$1] = $3; next } FNR == 1 { print $0, "title", "body"; next }
    { print $0, title[$2], body[$2] }' room/log/articles.tsv room/log/clicks.tsv > whole.tsv
  dhan own CLICKS=whole.tsv TEXT=log
  grep -q '^data: whole, no elements$' own/metrics.txt
  grep -q ' without_text=0 ' own/logs/dhan-1.params.nd.log
}

@test "recent popularity counts the hours that are best in the validation" {
  dhan clicks WINDOWS='0.001 24 0.002'
  [ "$(cat clicks/recent-window)" = 24 ]
  grep -q -- '--window-hours 24 ' clicks/logs/recent.scores.nd.log
  [ "$(grep -cE '^(0\.00[12] \*|24) +0\.' clicks/recent-windows.txt)" -eq 3 ]
}

@test "the counters count the clicks of training windows, or with COUNT=all all that are not held out" {
  dhan counted
  dhan counted COUNT=all
  [ "$(grep -c '^+ dhan-train' log)" -eq 0 ]
  local how=(counted/clicks.nd --candidates counted/test-candidates.nd --history 4 --min-clicks 8)
  for by in popularity recent coclick; do
    for count in windows all; do
      rank-score -q "${how[@]}" --by "$by" --window-hours "$(cat counted/recent-window)" --count "$count" -o "$count.nd"
    done
    cmp <(tensor-dump --column score all.nd) <(tensor-dump --column score "counted/$by.scores.nd")
    ! cmp -s <(tensor-dump --column score windows.nd) <(tensor-dump --column score all.nd) || false
  done
  [ "$(grep -c '^# command: .*--count all' counted/logs/recent-window.log)" -eq 2 ]  # hours to choose from
}

@test "a second make does nothing, another split makes everything drawn from it again" {
  dhan again
  find again -type f -printf '%P %T@ %i\n' | sort > before
  dhan again
  [ ! -s log ]
  diff before <(find again -type f -printf '%P %T@ %i\n' | sort)
  dhan again MIN_CLICKS=9
  for step in valid-candidates.nd dhan-1.params.nd recent-window recent.scores.nd metrics.txt; do
    [ "$(grep -c '^# command: .*--min-clicks 9\|^# command: eval-rank' "again/logs/$step.log")" -ge 1 ]
  done
}

# Usage: systems SET [MAKE-ARGUMENT...]: the models the pipeline would train for it.
systems() {
  make -n -f "$ROOT/pipelines/dhan.mk" BIN="$BIN" CLICKS=room/log/clicks.tsv OUT=no "${tiny[@]}" SET="$1" "${@:2}" |
    grep -o 'no/[a-z0-9-]*-1.params.nd$' | sed 's|no/||; s|-1.*||' | sort | tr '\n' ' '
}

@test "levels that are off for want of text or elements are not compared" {
  [ "$(systems levels)" = "dhan level-none " ]
  [ "$(systems levels TEXT=room/log/articles.tsv)" = "dhan level-n level-s " ]
  [ "$(systems levels "${texts[@]}")" = "dhan level-e level-en level-n level-s level-se level-sn " ]
  [ "$(systems ablation ELEMENTS=room/log/elements.jsonl WORDS=room/log/words.vec)" = "dhan no-elements no-moment no-since " ]
}

@test "what cannot be done is said at once" {
  run dhan no SET=other
  [[ "$output" == *"SET=other: expected main, time, sampling, levels, history, ablation or contents"* ]]
  run dhan no ELEMENTS=room/log/elements.jsonl
  [[ "$output" == *"ELEMENTS: give WORDS=<file> too"* ]]
  run dhan no CLICKS=
  [[ "$output" == *"usage: make dhan CLICKS="* ]]
}

@test "causes that are planted and parts left out make a matrix of differences with intervals" {
  make -s -f "$ROOT/pipelines/dhan-causes.mk" BIN="$BIN" OUT=causes CAUSES='none lead' SEEDS=1 EPOCHS=1 \
    ROOM='--articles 300 --users 40 --impressions 20 --days 4 --candidates 20 --log-clicks 12 --log-word-dim 16' \
    > matrix 2> log || { cat log; return 1; }
  cmp causes/matrix.txt matrix
  [ "$(grep -c '' matrix)" -eq 3 ]
  number='[+-]0\.[0-9]{4}'
  grep -qxE "planted cause +D-HAN - w/o absolute time +D-HAN - w/o relative time +D-HAN - w/o elements +D-HAN - w/o sentences *" matrix
  grep -qxE "none +($number \[$number, $number\] *){4}" matrix
  # The last figure of a line is that of the table of that cause, seen from the other side.
  want=$(sed -n '/^minus/,$p' causes/lead/metrics.txt | awk '/^D-HAN w\/o sentences/ { print $4; exit }')
  got=$(awk '/^lead/ { print $(NF - 2) }' matrix)
  [ "${want#[+-]}" = "${got#[+-]}" ]
  [ "${want:0:1}" != "${got:0:1}" ]
}

@test "articles that somebody else wrote get artificial readers, and every system a row" {
  awk -F '\t' -v OFS='\t' 'NR > 1 { print $1, $4, $2, $3 " They met Mr Smith of the BBC in Oslo in May." }' room/log/articles.tsv > real.tsv
  make -s -f "$ROOT/pipelines/real-text.mk" BIN="$BIN" OUT=real ARTICLES=real.tsv READERS=40 READS=12 SEEDS=1 2> log ||
    { cat log; return 1; }
  [ "$(wc -l < real/readers/clicks.tsv)" -eq 481 ]
  # Times rise, and nobody reads anything twice.
  awk 'NR > 1 && $1 == who && $3 <= at || seen[$1, $2]++ { exit 1 } { who = $1; at = $3 }' real/readers/clicks.tsv
  found='"time":["May"],"person":["Smith"],"organization":["BBC"],"location":["Oslo"]'
  [ "$(grep -cF "$found" real/readers/elements.jsonl)" -eq 300 ]
  grep -q '^data: artificial readers$' real/metrics.txt
  for system in D-HAN 'D-HAN w/o elements' 'D-HAN w/o sentences' 'D-HAN w/o either' popularity; do
    grep -q "^$system  *0" real/metrics.txt
  done
}
