# dhan-train on a small log of clicks: the same bytes however it is run, and clear words when it cannot be.

load common
load clicks
load training

setup_file() {
  click_log
  the_whole dhan-train 6
}
setup() { cd "$BATS_FILE_TMPDIR"; }

@test "any number of threads gives the same bytes" {
  same_for_any_threads dhan-train "${small[@]}"
  same_for_any_threads dhan-train "${small[@]}" --dns bilinear --draw live --summary bilstm --epochs 2
}

@test "another seed gives another model" {
  dhan-train "${small[@]}" -q -o one.nd
  dhan-train "${small[@]}" -q --seed 2 -o two.nd
  ! cmp -s one.nd two.nd
}

@test "stopped by SIGTERM or SIGINT at any moment, the same command ends with the same bytes" {
  stopped_anywhere_ends_the_same 4
}

@test "killed by SIGKILL at any moment it ends with the same bytes" {
  killed_often killed.nd 4 --epochs 6
  dhan-train "${small[@]}" -q --epochs 6 --checkpoint-seconds 0 -o killed.nd
  same_bytes whole.nd killed.nd
  [ ! -e killed.nd.ckpt ]
}

@test "every ablation and variant trains and is told from the others" {
  each_is_another '--time none' '--time rel' '--time abs' '--time decay' '--abs-time concat6' '--abs-time mean5' \
    '--rel-time log' '--rel-anchor last' '--utc-offset 1' '--summary none' '--summary cnn' '--summary lstm' \
    '--summary bilstm' '--summary mh2' '--summary mh4' '--summary mh8' '--levels none' '--levels S' '--levels E' \
    '--levels N' '--levels SE' '--levels SN' '--levels EN' '--pool mean' '--pool own' '--head one-hidden' \
    '--compat official' '--compat official --time abs' '--dns uniform' '--dns bilinear' '--dns score' \
    '--draw popularity' '--draw live' '--dropout 0' '--clip 0' '--weight-decay 0' --sparse-rows
}

@test "the log counts windows, what joined, and every epoch, and says how hard negatives are" {
  run -0 --separate-stderr dhan-train "${small[@]}" --epochs 1 -o log.nd
  [[ "$stderr" == *"windows train=240 valid=24 test=24 users_with_too_few=0 "* ]]
  [[ "$stderr" == *"coverage articles=60 without_text=10 without_elements=5 without_identity="* ]]
  [[ "$stderr" =~ "training windows=240 users=24 articles="[0-9]+" parameters="[0-9]+" validation=24" ]]
  [[ "$stderr" =~ "negatives when=before mean_similarity_rank=1 of=12" ]]
  [[ "$stderr" =~ "epoch epoch=1 loss="[0-9.]+" ndcg@5=0."[0-9]{1,6}" best=0."[0-9]{1,6}" best_epoch=1 seconds=" ]]
  run -0 --separate-stderr dhan-train "${small[@]}" --dns uniform --epochs 1 -o log.nd
  [[ "$stderr" =~ "negatives when=before mean_similarity_rank="[4-6] ]]
}

@test "without text or elements the levels that need them are off, and said to be" {
  local bare=(--corpus corpus.nd --clicks clicks.nd --valid valid.nd --history 4 --min-clicks 12 --hidden 16 --epochs 1)
  run -0 --separate-stderr dhan-train "${bare[@]}" -o bare.nd
  [[ "$stderr" == *"warning: levels SEN were asked for, but there is no text and no elements: the levels that are on are 'N'"* ]]
  run -0 --separate-stderr dhan-train "${bare[@]}" --elements elements.nd --levels SE -o bare.nd
  [[ "$stderr" == *"warning: levels SE were asked for, but there is no text: the levels that are on are 'E'"* ]]
  run -0 --separate-stderr dhan-train "${bare[@]}" --levels N -o bare.nd
  [[ "$stderr" != *warning* ]]
  rank-score -q clicks.nd --candidates test.nd --params bare.nd --corpus corpus.nd -o bare-scores.nd
  run -0 eval-rank bare-scores.nd --bootstrap 0
}

@test "what is planted is learnt" {
  dhan-train "${small[@]}" -q --epochs 60 --patience 0 -o learnt.nd
  rank-score -q clicks.nd --candidates test.nd --params learnt.nd "${reads[@]}" -o scores.nd
  run -0 eval-rank scores.nd --bootstrap 0 --json
  awk '/"hr@5":/ { exit !($2 > 0.75) }' <<< "$output"  # 0.5 by chance
}

@test "a checkpoint of other options or inputs is refused with the difference" {
  stop_after_a_step other.nd
  fails 1 'other.nd.ckpt: .*option lr was 0.001, is 0.01.; give --restart' \
    dhan-train "${small[@]}" --epochs 1000000 --patience 0 --lr 0.01 -q -o other.nd
  neg-sample -q clicks.nd --history 4 --min-clicks 12 -n 8 --split valid -o other-valid.nd
  fails 1 'input valid was [0-9a-f]{16}, is [0-9a-f]{16}.; give --restart' \
    dhan-train "${small[@]}" --epochs 1000000 --patience 0 --valid other-valid.nd -q -o other.nd
}

@test "files that do not go together are refused" {
  sed '2,$s/,a/,b/' log.csv > strange.csv
  click-ingest -q strange.csv --corpus-out strange.nd --clicks-out strange-clicks.nd
  fails 1 'clicks.nd: was made from the corpus [0-9a-f]{16}, but strange.nd is [0-9a-f]{16}' \
    dhan-train "${small[@]}" -q --corpus strange.nd -o x.nd
  fails 1 'valid.nd: was made from the clicks [0-9a-f]{16}, but strange-clicks.nd is [0-9a-f]{16}' \
    dhan-train "${small[@]}" -q --corpus strange.nd --clicks strange-clicks.nd -o x.nd
  neg-sample -q strange-clicks.nd --history 4 --min-clicks 12 -n 9 --split valid -o strange-valid.nd
  fails 1 'strange.nd: no article has sentences: .*\(b0 in the corpus, a0 there\)' \
    dhan-train "${small[@]}" -q --corpus strange.nd --clicks strange-clicks.nd --valid strange-valid.nd -o x.nd
  fails 1 'elements.nd: .*stacks/1.*candidates/1|elements.nd: .*candidates/1.*stacks/1' \
    dhan-train "${small[@]}" -q --valid elements.nd -o x.nd
  [ ! -e x.nd ]
}

@test "candidates of clicks that are learnt from are refused" {
  head -n 17 log.csv > fewer.csv  # one more user has 17 clicks
  awk 'BEGIN { for (i = 0; i < 17; ++i) print "long,a" 3 * i "," 1500000000 + i }' >> fewer.csv
  click-ingest -q fewer.csv --corpus-out fewer.nd --clicks-out fewer-clicks.nd
  neg-sample -q fewer-clicks.nd --history 4 --min-clicks 12 -n 9 --split valid -o fewer-valid.nd
  fails 1 'fewer-valid.nd: names click 14, which is not held out here' \
    dhan-train --corpus fewer.nd --clicks fewer-clicks.nd --valid fewer-valid.nd -q --history 4 --min-clicks 17 -o x.nd
}

@test "too few articles to draw from are said before the training" {
  fails 1 'clicks.nd: one user read all but [0-9]+ of the [0-9]+ articles .*; lower --negatives' \
    dhan-train "${small[@]}" -q --negatives 59 --dns-pool 59 -o x.nd
}

@test "a pool larger than the articles there are is all of them, without delay" {
  timeout 20 dhan-train "${small[@]}" --epochs 1 --dns-pool 100000 -o x.nd 2> log
  [[ "$(cat log)" =~ mean_similarity_rank=[0-9.]+\ of=[0-9]{2}$'\n' ]]
}

@test "options that make no sense are bad usage" {
  fails 2 'multiple of 16' dhan-train "${small[@]}" --hidden 24 -o x.nd
  fails 2 'dns-pool' dhan-train "${small[@]}" --dns-pool 2 -o x.nd
  fails 1 'sentence vectors have 8 numbers and users 9: .*--width 8' dhan-train "${small[@]}" -q --width 9 -o x.nd
}

@test "a model that has come to no numbers is said, and what to do" {
  echo old > x.nd
  fails 1 'the (loss is not finite in epoch|model scores NaN in the validation).*; try a smaller --lr' \
    dhan-train "${small[@]}" -q --lr 1e30 -o x.nd
  fails 1 'model scores NaN in the validation; try a smaller --lr' dhan-train "${small[@]}" -q --batch 1000 --lr 1e30 -o x.nd
  [ "$(cat x.nd)" = old ]
}

@test "an output that cannot be written is said before the training, not after it" {
  fails 1 'no/such/folder/x.nd: cannot create' timeout 20 dhan-train "${small[@]}" --epochs 1000000 -o no/such/folder/x.nd
}
