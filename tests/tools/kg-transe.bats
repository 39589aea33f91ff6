# kg-transe as a program: options, interruption, determinism. What it learns is tested in
# tests/lib/models/transe_test.cpp.

load common

# Entities in a row; relation k leads k places on.
setup() {
  cd "$BATS_TEST_TMPDIR"
  for k in 1 2 3; do
    for ((i = 0; i < 200; ++i)); do printf 'e%d\tr%d\te%d\n' "$i" "$k" $((i + k)); done
  done > train.txt
  kg-ingest -q --train train.txt -o kg.nd
}

@test "kg-transe writes vectors that say how they were made" {
  run --separate-stderr kg-transe kg.nd --dim 8 --epochs 2 -o v.nd
  [ "$status" -eq 0 ]
  [ "$(grep -c 'epoch epoch=[12] loss=[0-9.e-]* lr=[0-9.e-]* seconds=[0-9.e-]* triples_per_s=[0-9.e+]*$' <<< "$stderr")" -eq 2 ]
  tensor-check v.nd
  head -c 4096 v.nd | grep -qaF '\"norm\":\"l2\"'
  head -c 4096 v.nd | grep -qaF '\"role\":\"kg\"'
  [ ! -e v.nd.ckpt ]
  kg-transe kg.nd --dim 8 --epochs 1 --log-format json -o v.nd 2> log
  grep -q '"event":"epoch","epoch":1,"loss":[0-9.e-]*,"lr":' log
}

@test "kg-transe gives the same bytes for any number of threads, with either preset and each optimiser" {
  same_for_any_threads kg-transe kg.nd --dim 8 --epochs 3 --batch 300 --chunk 16 --negatives 16
  same_for_any_threads kg-transe kg.nd --preset paper --dim 8 --epochs 3 --batch 300
  same_for_any_threads kg-transe kg.nd --optimiser adagrad --dim 8 --epochs 3 --batch 300 --chunk 16 --negatives 16
}

@test "kg-transe takes options after a preset's defaults" {
  kg-transe -q kg.nd --preset paper --dim 8 --epochs 1 --norm l2 -o v.nd
  head -c 4096 v.nd | grep -qaF '\"loss\":\"margin\"'
  head -c 4096 v.nd | grep -qaF '\"norm\":\"l2\"'
  fails 2 'filter needs --chunk 1' kg-transe kg.nd --filter -o v.nd
  fails 2 'expected best|paper' kg-transe kg.nd --preset fast -o v.nd
}

@test "kg-transe goes on after SIGTERM and SIGKILL as if nothing had happened" {
  local run code signal optimiser
  for optimiser in adam adagrad; do
    run=(kg-transe -q kg.nd --dim 64 --batch 32 --epochs 3000 --optimiser "$optimiser" -o v.nd)
    "${run[@]}"
    mv v.nd undisturbed.nd
    for signal in TERM INT TERM KILL; do
      code=0
      timeout -s $signal 0.5 "${run[@]}" 2> err || code=$?
      [ "$signal" = KILL ] || [ "$code" -eq 124 ] || { cat err; return 1; }
    done
    [ -e v.nd.ckpt ]
    [ ! -e v.nd ]
    tensor-check v.nd.ckpt
    fails 1 'v.nd.ckpt: a training with other settings was stopped here \(option lr was 0.01, is 0.02\)' \
      "${run[@]}" --lr 0.02
    "${run[@]}"
    same_bytes v.nd undisturbed.nd
    [ ! -e v.nd.ckpt ]
    rm v.nd
  done
}

@test "kg-transe ends with 128 + the signal that stopped it" {
  kg-transe -q kg.nd --epochs 100000 -o v.nd &
  local pid=$! code=0
  sleep 0.5
  kill -TERM $pid
  wait $pid || code=$?
  [ "$code" -eq 143 ]
  kg-transe -q kg.nd --epochs 1 --restart -o v.nd
  [ -e v.nd ]
  [ ! -e v.nd.ckpt ]
}

@test "kg-transe learns from all splits when told to" {
  printf 'e300\tr1\te301\n' > test.txt
  kg-ingest -q --train train.txt --test test.txt -o kg.nd
  kg-transe -q kg.nd --dim 8 --epochs 1 -o a.nd
  kg-transe -q kg.nd --dim 8 --epochs 1 --triples all -o b.nd
  run tensor-diff a.nd b.nd
  [ "$status" -eq 1 ]
  printf 'x\tr\ty\n' > one.txt
  kg-ingest -q --train one.txt -o one.nd
  kg-transe -q one.nd --dim 1 --epochs 1 -o one-v.nd
}

@test "kg-transe writes to a pipe, without a checkpoint" {
  kg-transe -q kg.nd --dim 8 --epochs 2 -o - | cat > piped.nd
  kg-transe -q kg.nd --dim 8 --epochs 2 -o v.nd
  same_bytes v.nd piped.nd
  [ ! -e -.ckpt ]
}
