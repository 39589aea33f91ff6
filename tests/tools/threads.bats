# --threads never changes a result (man/nightdesk.7): every tool does some real work with 1, 2 and 7 threads, and every
# file it writes must come out as the same bytes. A tool without the option runs once on one processor and twice on all
# of them, since libraries may look for themselves how many there are.
#
# Whoever adds a tool adds its commands to the table: a tool that has none fails the test.

load common
load newsroom

# A small D-HAN on the log of clicks.
dhan=(--clicks clicks.nd --corpus log-corpus.nd --valid log-valid.nd --history 2 --min-clicks 4 --hidden 16 --inner 16
  --head-width 16 --width 8)

# What each tool is run with, one command a line. OUT is a folder of the run's own, made anew; what is printed on stdout
# counts as a file too. The newsroom is so large that the work is cut into several blocks wherever threads share it.
declare -gA commands=(
  [adressa-ingest]="day.json --corpus-out OUT/corpus.nd --clicks-out OUT/clicks.nd"
  [behavior-split]="all.nd --train-out OUT/train.nd --valid-out OUT/valid.nd"
  [click-ingest]="clicks.tsv --corpus-out OUT/corpus.nd --clicks-out OUT/clicks.nd"
  [dhan-train]="${dhan[*]} --epochs 1 -o OUT/dhan.nd"
  [element-extract-ingest]="elements.jsonl --corpus corpus.nd --words words.nd -o OUT/elements.nd"
  [entity-link-filter]="articles.nd --vectors entities.nd -o OUT/corpus.nd"
  [eval-rank]="scores.nd popularity.nd --json --by-day --compare popularity --bootstrap 200
scores.nd popularity.nd -o OUT/table
--mind truth.txt prediction.txt"
  [kg-eval]="kg.nd entities.nd --split train
kg.nd entities.nd --split train --norm l1 --json -o OUT/metrics.json"
  [kg-ingest]="--train room/kg/train.txt -o OUT/kg.nd"
  [kg-subgraph]="kg.nd --corpus corpus.nd -o OUT/kg.nd"
  [kg-transe]="kg.nd --dim 8 --epochs 2 --batch 512 -o OUT/best.nd
kg.nd --preset paper --dim 8 --epochs 2 --batch 512 -o OUT/paper.nd"
  [kred-encode]="kred.nd ${reads[*]} --attention OUT/weights.tsv -o OUT/vectors.nd"
  [kred-train]="--train train.nd --valid valid.nd ${reads[*]} --hidden 8 --width 8 --epochs 1 --batch 512 -o OUT/kred.nd"
  [mind-ingest]="--news room/train/news.tsv --news room/dev/news.tsv -o OUT/corpus.nd
--behaviors room/dev/behaviors.tsv --corpus corpus.nd -o OUT/behavior.nd"
  [neg-sample]="test.nd --by recent --from all.nd --exclude all.nd -o OUT/candidates.nd
clicks.nd --by live --min-clicks 5 --history 2 --max-skip -1 -o OUT/live.nd"
  [news-synth]="--articles 300 --users 100 --impressions 500 --truth --vectors 8 --log-clicks 10 -o OUT"
  [rank-score]="test.nd --params kred.nd ${reads[*]} --prediction OUT/prediction.txt -o OUT/model.nd
test.nd --by popularity --from all.nd -o OUT/popularity.nd
test.nd --by recent --from all.nd --from test.nd -o OUT/recent.nd
test.nd --by coclick --from all.nd -o OUT/coclick.nd
clicks.nd --candidates log-test.nd --params dhan.nd --corpus log-corpus.nd -o OUT/dhan.nd"
  [rank-topk]="test.nd --params kred.nd ${reads[*]}"
  [report]="metrics.json -o OUT/report.html"
  [tensor-check]="corpus.nd test.nd kred.nd"
  [tensor-diff]="scores.nd popularity.nd"
  [tensor-dump]="corpus.nd --json"
  [tensor-pack]="scores.jsonl --compress 3 -o OUT/scores.nd"
  [text-encode]="corpus.nd --dim 8 --epochs 1 --words-out OUT/words.nd -o OUT/documents.nd
corpus.nd --unit sentence --epochs 1 -o OUT/sentences.nd
corpus.nd --unit sentence --sentence-vectors wordmean --epochs 1 --sentences 4 -o OUT/means.nd"
  [vector-ingest]="document.vec -o OUT/vectors.nd"
)

setup_file() {
  newsroom --articles 1500 --users 500 --impressions 5000 --days 2 --entities 400 --vectors 8
  kred-train --train train.nd --valid valid.nd "${reads[@]}" -q --hidden 8 --width 8 --epochs 1 --batch 512 -o kred.nd
  rank-score test.nd -q --params kred.nd "${reads[@]}" --prediction prediction.txt -o scores.nd
  rank-score test.nd -q --by popularity --from all.nd -o popularity.nd
  # MIND's truth.txt: the number of the impression and its labels.
  awk -F '\t' '{ n = split($5, c, " "); line = $1 " ["
    for (i = 1; i <= n; ++i) line = line (i > 1 ? "," : "") substr(c[i], length(c[i]))
    print line "]" }' room/dev/behaviors.tsv > truth.txt
  tensor-dump --json scores.nd > scores.jsonl
  eval-rank -q scores.nd popularity.nd --compare popularity --bootstrap 20 --json -o metrics.json
  # The same clicks as anybody's log, and as a day of Adressa's.
  awk -F '\t' 'BEGIN { print "user\tarticle\ttime" } { n = split($5, c, " ")
    for (i = 1; i <= n; ++i) if (sub(/-1$/, "", c[i])) print $2 "\t" c[i] "\t" 1573700000 + NR }' room/dev/behaviors.tsv > clicks.tsv
  awk -F '\t' 'NR > 1 { printf "{\"userId\":\"%s\",\"id\":\"%s\",\"title\":\"%s\",\"category1\":\"a|b\",\"time\":%d}\n", $1, $2, $2, $3 }' \
    clicks.tsv > day.json
  click-ingest -q clicks.tsv --corpus-out log-corpus.nd --clicks-out clicks.nd
  for split in valid test; do
    neg-sample -q clicks.nd --split $split --history 2 --min-clicks 4 -n 9 -o log-$split.nd
  done
  dhan-train -q "${dhan[@]}" --epochs 1 -o dhan.nd
  cp "$(find room -name document.vec)" .
  text-encode -q corpus.nd --dim 8 --epochs 1 --fields title --words-out words.nd -o documents-of-titles.nd
  awk -F '\t' '{ printf "{\"id\":\"%s\",\"person\":\"%s\",\"keywords\":[\"%s\"]}\n", $1, $4, $2 }' room/dev/news.tsv > elements.jsonl
}
setup() { cd "$BATS_FILE_TMPDIR"; }

# Usage: run_all TOOL OUT COMMAND...: runs the tool's commands by COMMAND (a prefix such as env), their files in OUT.
# Options that hold for all of them are in the array `all`.
run_all() {
  local tool=$1 out=$2 n=0 code words
  shift 2
  rm -rf "$out"
  mkdir "$out"
  while read -r -a words; do
    n=$((n + 1)) code=0
    "$@" "$tool" "${words[@]//OUT/$out}" -q "${all[@]}" > "$out/stdout-$n" 2> log || code=$?
    [ "$tool" != tensor-diff ] || [ "$code" -ne 1 ] || code=0  # "no" is its answer here
    [ "$code" -eq 0 ] || { echo "$tool ${words[*]}: $(cat log)"; return 1; }
  done <<< "${commands[$tool]}"
  find "$out" -empty -name 'stdout-*' -delete
  [ -n "$(ls "$out")" ] || { echo "wrote nothing"; return 1; }
}

# Usage: ignores_threads TOOL: says what differs otherwise.
ignores_threads() {
  local tool=$1 n all=()
  [ -n "${commands[$tool]:-}" ] || { echo "has no command in the table of threads.bats"; return 1; }
  for n in 1 2 7; do
    if "$tool" --print-options | grep -q '^--threads'; then
      all=(--threads "$n")
      run_all "$tool" "of-$n" env || return 1
    elif [ "$n" = 1 ]; then
      run_all "$tool" "of-$n" taskset -c "$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')" || return 1
    else
      run_all "$tool" "of-$n" env || return 1
    fi
  done
  diff -r of-1 of-2 && diff -r of-1 of-7
}

@test "every tool writes the same bytes with 1, 2 and 7 threads" {
  local tool said breaches=""
  for tool in $(tools); do
    said=$(ignores_threads "$tool" 2>&1) || breaches+="$tool: ${said:-failed}"$'\n'
  done
  printf '%s' "$breaches"
  [ -z "$breaches" ]
}

@test "negative control: a tool whose bytes depend on its threads, one without a command, and one that fails are seen" {
  mkdir -p bad
  PATH=$PWD/bad:$PATH
  cat > bad/bad-tool << 'END'
#!/bin/bash
[ "$1" != --print-options ] || { printf -- '--threads\t\tN\t0\tthreads\n'; exit 0; }
[ "$1" != fail ] || exit 1
echo "$*"
END
  chmod +x bad/bad-tool
  run ignores_threads bad-tool
  [ "$status" -eq 1 ]
  [ "$output" = "has no command in the table of threads.bats" ]
  commands[bad-tool]="go"
  run ignores_threads bad-tool
  [ "$status" -eq 1 ]
  [[ "$output" == *"--threads 1"*"--threads 2"* ]]
  commands[bad-tool]="fail"
  run ignores_threads bad-tool
  [ "$status" -eq 1 ]
}
