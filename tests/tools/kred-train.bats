# kred-train on a tiny artificial newsroom: the same bytes however it is run, and clear words when it cannot be.

load common
load newsroom
load training

setup_file() {
  newsroom
  the_whole kred-train 8
}
setup() { cd "$BATS_FILE_TMPDIR"; }

@test "any number of threads gives the same bytes" {
  same_for_any_threads kred-train "${small[@]}"
}

@test "another seed gives another model" {
  kred-train "${small[@]}" -q -o one.nd
  kred-train "${small[@]}" -q --seed 2 -o two.nd
  ! cmp -s one.nd two.nd
}

@test "stopped by SIGTERM or SIGINT at any moment, the same command ends with the same bytes" {
  stopped_anywhere_ends_the_same 6
}

@test "SIGTERM in the middle leaves a checkpoint and says so, and the next run says where it goes on" {
  mkfifo progress
  kred-train "${small[@]}" --epochs 1000000 --patience 0 -o term.nd 2> progress &
  local pid=$! code=0
  { grep -q -m 1 'epoch=2 '; kill -TERM $pid; grep 'stopped by SIGTERM'; } < progress
  wait $pid || code=$?
  [ "$code" -eq 143 ]
  [ -e term.nd.ckpt ]
  [ ! -e term.nd ]
  kred-train "${small[@]}" --epochs 1000000 --patience 0 -o term.nd 2> progress &
  pid=$!
  { grep -m 1 'resumed from=term.nd.ckpt epoch=[0-9]* step=[0-9]*$'; kill -TERM $pid; cat > /dev/null; } < progress
  wait $pid || true
}

# Usage: writing PID: whether it has a file of its own under way here, without a name or with one (lib/io/sink.h).
writing() {
  find "/proc/$1/fd" \( -lname "$PWD/#*" -o -lname "$PWD/.killed.*" \) -print -quit 2> /dev/null | grep -q .
}

# Usage: stop_while_writing PID: lets it run a little at a time until it has; fails where it ended before. So it is met
# as often as it writes, however busy the machine is.
stop_while_writing() {
  while kill -STOP "$1" 2> kill.err; do
    ! writing "$1" || return 0
    kill -CONT "$1" 2> kill.err || return 1
    sleep 0.002
  done
  return 1
}

@test "killed by SIGKILL at any moment, also while a checkpoint or the model is written, it ends with the same bytes" {
  unset ND_NO_SYNC
  local n pid caught=0
  for n in 1 2 3 4 5 6; do
    kred-train "${small[@]}" -q --epochs 8 --checkpoint-seconds 0 -o killed.nd &
    pid=$!
    if [ $((n % 2)) = 0 ]; then some_time
    elif stop_while_writing $pid; then caught=$((caught + 1))
    fi
    kill -KILL $pid 2> kill.err || true
    wait $pid || true
  done
  [ "$caught" -gt 0 ]
  rm -f killed.nd
  kred-train "${small[@]}" -q --epochs 8 -o killed.nd &
  pid=$!
  stop_while_writing $pid || true
  kill -KILL $pid 2> kill.err || true
  wait $pid || true
  kred-train "${small[@]}" -q --epochs 8 -o killed.nd
  same_bytes whole.nd killed.nd
  [ ! -e killed.nd.ckpt ]
}

@test "a checkpoint of other options or inputs is refused with the difference; --restart starts anew" {
  stop_after_a_step other.nd
  fails 1 'other.nd.ckpt: .*option lr was 0.001, is 0.01.; give --restart' \
    kred-train "${small[@]}" --epochs 1000000 --patience 0 --lr 0.01 -q -o other.nd
  fails 1 'other.nd.ckpt: .*option tf32 was false, is true.; give --restart' \
    kred-train "${small[@]}" --epochs 1000000 --patience 0 --tf32 -q -o other.nd
  fails 1 'input valid was [0-9a-f]{16}, is [0-9a-f]{16}.; give --restart' \
    kred-train "${small[@]}" --epochs 1000000 --patience 0 --valid test.nd -q -o other.nd
  kred-train "${small[@]}" -q --epochs 8 --restart -o other.nd
  same_bytes whole.nd other.nd
  [ ! -e other.nd.ckpt ]
}

@test "a damaged checkpoint is refused with a way out" {
  stop_after_a_step damaged.nd
  truncate -s -1 damaged.nd.ckpt
  fails 1 'damaged.nd.ckpt: .*; give --restart to start anew' \
    kred-train "${small[@]}" --epochs 1000000 --patience 0 -q -o damaged.nd
}

@test "every ablation and variant trains and is told from the others" {
  each_is_another '--model dv' '--model dv-entity' '--kgat off' '--kgat mean' '--kgat sum' --no-context '--distill mean' \
    '--distill max' '--no-entity learned' '--user-attn linear' '--predictor dot' '--predictor cos' \
    '--predictor linear --bound none' '--undirected --pick degree --neighbours 2' \
    '--resample --neighbours 1' --sparse-rows
}

@test "with --resample a stopped run ends with the same bytes too" {
  kred-train "${small[@]}" -q --resample --neighbours 1 -o resample.nd
  killed_often again.nd 4 --resample --neighbours 1
  kred-train "${small[@]}" -q --resample --neighbours 1 -o again.nd
  same_bytes resample.nd again.nd
}

@test "the log counts what joined, what can stop the training, and every epoch" {
  run -0 --separate-stderr kred-train "${small[@]}" --epochs 1 -o log.nd
  [[ "$stderr" == *"coverage articles=240 without_vector=0 "*" links_without_vector="* ]]
  [[ "$stderr" =~ "validation impressions="[0-9]+" usable="[1-9][0-9]*" single_class="[0-9]+" unlabelled=0 empty=0" ]]
  [[ "$stderr" =~ "epoch epoch=1 loss="[0-9.]+" auc=0."[0-9]{1,6}" best=0."[0-9]{1,6}" best_epoch=1 seconds=" ]]
}

@test "validation without a usable impression is a warning, and the last epoch is kept" {
  behavior one-class.nd '1 U1 10:00:00 N1 N2-1' '2 U2 11:00:00 - N3-0,N4-0' '3 U3 12:00:00 - N3,N4'
  run -0 --separate-stderr kred-train "${small[@]}" --epochs 3 --patience 1 --valid one-class.nd -o last.nd
  [[ "$stderr" == *"validation impressions=3 usable=0 single_class=2 unlabelled=1 empty=0"* ]]
  [[ "$stderr" == *"warning: one-class.nd: no impression has a clicked and an unclicked candidate, so there is no auc to stop by: all 3 epochs run and the last one is kept"* ]]
  [[ "$stderr" == *"epoch=3 "*"auc=none best=none best_epoch=3"* ]]
}

@test "a training file without a click is refused" {
  behavior unlabelled.nd '1 U1 10:00:00 N1 N2,N3'
  fails 1 'unlabelled.nd: holds no click' kred-train "${small[@]}" -q --train unlabelled.nd -o x.nd
}

@test "files that do not go together are refused" {
  strangers
  fails 1 'strangers.nd: was made from the corpus [0-9a-f]{16}, but corpus.nd is [0-9a-f]{16}' \
    kred-train "${small[@]}" -q --valid strangers.nd -o x.nd
  fails 1 'corpus.nd: no article has a document vector: .*\(N1 in the corpus, Q[0-9]+ in the vectors\)' \
    kred-train "${small[@]}" -q --documents entities.nd -o x.nd
  fails 1 'corpus.nd: no linked entity has a vector: .*\(Q[0-9]+ in the corpus, N1 in the vectors\)' \
    kred-train "${small[@]}" -q --entities documents.nd -o x.nd
  printf 'a\tr\tb\n' > strange.txt
  kg-ingest -q --train strange.txt -o strange-kg.nd
  fails 1 'corpus.nd: no linked entity is the head of a triple: .*\(Q[0-9]+ in the corpus, a in the graph\)' \
    kred-train "${small[@]}" -q --kg strange-kg.nd -o x.nd
  fails 1 'kg.nd: .*kg/1.*behavior/1|kg.nd: .*behavior/1.*kg/1' kred-train "${small[@]}" -q --train kg.nd -o x.nd
  [ ! -e x.nd ]
}

@test "what the model reads has to be given" {
  local no_kg=(--corpus corpus.nd --train train.nd --valid valid.nd --documents documents.nd -o x.nd)
  fails 2 'give --entities' kred-train "${no_kg[@]}"
  fails 2 'give --kg' kred-train "${no_kg[@]}" --entities entities.nd
}

@test "an output that cannot be written is said before the training, not after it" {
  fails 1 'no/such/folder/x.nd: cannot create' timeout 20 kred-train "${small[@]}" --epochs 1000000 -o no/such/folder/x.nd
  fails 1 'room: is a directory' timeout 20 kred-train "${small[@]}" --epochs 1000000 -o room
}
