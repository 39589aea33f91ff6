# rank-score with a trained D-HAN on a small log of clicks.

load common
load clicks

setup_file() {
  click_log
  dhan-train "${small[@]}" -q --system 'D-HAN, tiny' --seed 7 -o dhan.nd
}
setup() { cd "$BATS_FILE_TMPDIR"; }

scored=(rank-score clicks.nd --candidates test.nd --params dhan.nd "${reads[@]}")

# Usage: scores FILE: a line an instance.
scores() { tensor-dump --column score "$1"; }

@test "any number of threads gives the same bytes" {
  same_for_any_threads "${scored[@]}"
}

@test "the scores carry clicks, users, times, labels and the model's name and seed" {
  "${scored[@]}" -q -o scores.nd
  tensor-check -q scores.nd
  diff <(tensor-dump --column impression_id scores.nd) <(tensor-dump --column impression test.nd)
  diff <(tensor-dump --column label scores.nd) <(tensor-dump --column label test.nd)
  tensor-dump --schema scores.nd | grep -qP '^input\tparams\tparams/1\t'
  tensor-dump --schema scores.nd | grep -qP '^input\tsentences\tstacks/1\t'
  run -0 eval-rank scores.nd --bootstrap 0 --json
  [[ "$output" == *'"name": "D-HAN, tiny"'* ]] && [[ "$output" == *'"seed": 7'* ]]
}

@test "a score does not depend on the candidates and instances beside it" {
  "${scored[@]}" -q -o all.nd
  neg-sample -q clicks.nd --history 4 --min-clicks 12 -n 9 --seed 2 -o other.nd
  rank-score -q clicks.nd --candidates other.nd --params dhan.nd "${reads[@]}" -o other-scores.nd
  # The clicked article is in both.
  clicked() { paste <(tensor-dump --column label "$1") <(scores "$1" | tr ' ' '\n') | sed -n 's/^1\t//p'; }
  diff <(clicked all.nd) <(clicked other-scores.nd)
  [ "$(clicked all.nd | sort -u | wc -l)" -gt 20 ]
}

@test "--attention writes weights that sum to one, of every level" {
  "${scored[@]}" -q --attention attention.tsv --attention-count 2 -o scores.nd
  [ "$(head -n 1 attention.tsv)" = $'level\tinstance\tcandidate\tread\tarticle\tfrom\tto\tweight' ]
  # Two instances of four articles: 4 sentences with candidate and user, 5 elements, the 4 articles.
  [ "$(tail -n +2 attention.tsv | cut -f 1 | sort | uniq -c | tr -s ' \n' ' ')" = " 200 element 288 sentence 32 sequence " ]
  awk -F '\t' 'NR > 1 { sum[$1 "," $2 "," $4 "," $6] += $8; ++n }
               END { for (k in sum) if (sum[k] < 0.99999 || sum[k] > 1.00001) exit 1; exit n == 0 }' attention.tsv
  grep -qP '^sentence\t[0-9]+\ta[0-9]+\t1\ta[0-9]+\tk1\tcandidate\t0' attention.tsv
  grep -qP '^sequence\t[0-9]+\ta[0-9]+\t0\t-\t4\t1\t0' attention.tsv
  fails 2 'attention is for --params' rank-score clicks.nd --candidates test.nd --by recent --attention x.tsv -o x.nd
}

@test "a later log has users and articles the model does not know, and is scored" {
  sed -n '1p; 2,17s/^u0,/new,/p' log.csv | sed 's/,a8,/,a99,/' > later.csv
  click-ingest -q later.csv --corpus-out later.nd --clicks-out later-clicks.nd
  neg-sample -q later-clicks.nd --history 4 --min-clicks 12 -n 3 -o later-test.nd --max-skip -1 || true
  sed 's/^new/old/; s/,a\([0-9]\)/,a1\1/' later.csv | tail -n +2 >> later.csv
  click-ingest -q later.csv --corpus-out later.nd --clicks-out later-clicks.nd
  neg-sample -q later-clicks.nd --history 4 --min-clicks 12 -n 3 -o later-test.nd
  run -0 --separate-stderr rank-score later-clicks.nd --candidates later-test.nd --params dhan.nd --corpus later.nd \
    --sentences sentences.nd --elements elements.nd -o later-scores.nd
  [[ "$stderr" =~ "without_identity="[1-9] ]]
  tensor-check -q later-scores.nd
}

@test "clicks that were learnt from, or have too short a history, are refused" {
  neg-sample -q clicks.nd --history 4 --min-clicks 12 -n 9 -o ok.nd
  tensor-dump --json ok.nd | sed '/"column":"impression","row":0,/s/"value":[0-9]*/"value":3/' > edited
  tensor-pack -q edited -o learnt.nd
  fails 1 'learnt.nd: names click 3, which is not held out here' \
    rank-score clicks.nd --candidates learnt.nd --params dhan.nd "${reads[@]}" -q -o x.nd
  awk -F, 'NR == 1 || $1 != "u23"' log.csv > part.csv
  click-ingest -q part.csv --corpus-out part.nd --clicks-out part-clicks.nd
  neg-sample -q part-clicks.nd --history 4 --min-clicks 12 -n 9 -o part-test.nd
  tensor-dump --json part-test.nd | sed '/"column":"impression","row":0,/s/"value":[0-9]*/"value":3/' > edited
  tensor-pack -q edited -o short.nd
  fails 1 'short.nd: names click 3, which has 3 of its user.s before it, but the model reads 4' \
    rank-score part-clicks.nd --candidates short.nd --params dhan.nd --corpus part.nd "${reads[@]:2}" -q -o x.nd
}

@test "stacks of another size and files of another corpus are refused" {
  stacks taller.nd 50 5 8
  fails 1 'taller.nd: stacks of 5 x 8 numbers, but dhan.nd was trained on 4 x 8' \
    "${scored[@]}" -q --sentences taller.nd -o x.nd
  fails 2 'give --elements' rank-score clicks.nd --candidates test.nd --params dhan.nd "${reads[@]:0:4}" -o x.nd
  sed '2,$s/,a/,b/' log.csv > strange.csv
  click-ingest -q strange.csv --corpus-out strange.nd --clicks-out strange-clicks.nd
  fails 1 'strange.nd: no article has sentences: .*\(b0 in the corpus, a0 there\)' \
    "${scored[@]}" -q --corpus strange.nd -o x.nd
  head -n 50 log.csv > part.csv
  click-ingest -q part.csv --corpus-out part.nd --clicks-out part-clicks.nd
  fails 1 'clicks.nd: was made from the corpus [0-9a-f]{16}, but part.nd is' \
    "${scored[@]}" -q --corpus part.nd -o x.nd
}
