# Whole tools with --device cuda: KRED, D-HAN and TransE learn, score and encode as on the CPU, within rounding.
#
# As part of make test the GPU is a stand-in that runs the same kernels as loops (tests/lib/tensor/cuda), from
# build/emulated/bin. make gpu-check runs the same file on a GPU: ND_GPU_BIN names the programs to take.

load ../tools/common
load ../tools/newsroom

gpu() { "${ND_GPU_BIN:-$BIN/../emulated/bin}/$1" "${@:2}" --device cuda; }

setup_file() { newsroom; }
setup() { cd "$BATS_FILE_TMPDIR"; }

# Usage: losses LOG: the losses of a training's epochs, one a line.
losses() { sed -n 's/.*"event":"epoch".*"loss":\([0-9.e+-]*\).*/\1/p' "$1"; }

# Usage: near TOLERANCE FILE FILE: as many numbers, at least one, and each within so much of the other's, relatively.
near() { within "$1" own "$2" "$3"; }

# Usage: alike TOLERANCE FILE FILE: the same, relative to the largest number of the second file: a number of a vector, or
# a score, is a sum of which the terms may cancel, so near zero it has no relative precision of its own.
alike() { within "$1" largest "$2" "$3"; }

within() {
  paste "$3" "$4" | awk -v t="$1" -v of="$2" '
    function size(x) { return x < 0 ? -x : x }
    NF != 2 || /[^-+.e0-9\t]/ { print "not two numbers: " $0; bad = 1; next }
    { a[NR] = $1; b[NR] = $2; if (size($2) > most) most = size($2) }
    END {
      for (i = 1; i <= NR; ++i)
        if (!(size(a[i] - b[i]) <= t * (of == "own" ? size(b[i]) : most))) { print a[i] " and " b[i]; bad = 1 }
      exit bad || NR == 0
    }'
}

# Usage: same_losses TOOL ARGUMENT...: three epochs' losses on either device within 1e-3.
same_losses() {
  "$1" "${@:2}" --log-format json -o cpu.nd 2> cpu.log
  gpu "$@" --log-format json -o gpu.nd 2> gpu.log || { cat gpu.log; return 1; }
  losses cpu.log > cpu.losses
  losses gpu.log > gpu.losses
  near 1e-3 gpu.losses cpu.losses
}

# How many steps' losses are compared, and epochs of a training to its end; fewer on the stand-in, which is slow.
if [ -n "${ND_GPU_BIN:-}" ]; then steps=50 epochs=4; else steps=5 epochs=1; fi

# Usage: first_steps TOOL ARGUMENT...: the losses of the first steps, as epochs of one step each, from the same
# parameters and with the same draws. (The arguments have to make an epoch that small.)
first_steps() {
  same_losses "$@" --epochs $steps
  [ "$(wc -l < gpu.losses)" -eq $steps ]
}

# Usage: last_measure NAME LOG: the measure that validation had after the last epoch.
last_measure() { sed -n "s/.*\"event\":\"epoch\".*\"$1\":\([0-9.e+-]*\).*/\1/p" "$2" | tail -n 1; }

# Usage: within_seeds MEASURE TOOL ARGUMENT...: what validation ends with is what the CPU comes to with three seeds,
# give or take 1e-3, as a rounding turns the order of a close pair round.
within_seeds() {
  local measure=$1 seed
  shift
  for seed in 1 2 3; do
    "$@" --epochs $epochs --seed $seed --log-format json -o seed.nd 2> seed.log
    last_measure "$measure" seed.log
  done > cpu.measures
  gpu "$@" --epochs $epochs --log-format json -o gpu.nd 2> gpu.log
  last_measure "$measure" gpu.log | cat cpu.measures - | awk '
    NR == 1 { low = high = $1 }
    NR <= 3 { if ($1 < low) low = $1; if ($1 > high) high = $1; next }
    { print $1 ", on the CPU " low " to " high; fine = low - 1e-3 <= $1 && $1 <= high + 1e-3 }
    END { exit !(NR == 4 && fine) }'
}

# Usage: numbers FILE COLUMN: the numbers of a column of a file, one a line.
numbers() { tensor-dump --column "$2" "$1" | tr ' ' '\n'; }

# Leaves D-HAN's files in the folder it goes to, and its `small` and `reads`.
dhan_log() {
  load ../tools/clicks
  mkdir -p clicks
  BATS_FILE_TMPDIR=$PWD/clicks click_log
}

@test "TransE learns the same" {
  local loss
  for loss in "--preset paper --epochs 2" "--loss margin --norm l2 --epochs 2" "--epochs 2 --chunk 16 --negatives 8" \
    "--epochs 2 --optimiser adagrad"; do
    # shellcheck disable=SC2086  # a list of words
    same_losses kg-transe kg.nd --dim 8 $loss
  done
}

@test "KRED learns the same, whatever it is made of" {
  same_losses kred-train "${small[@]}"
  same_losses kred-train "${small[@]}" --epochs 1 --distill max --kgat mean --no-entity learned --sparse-rows
  same_losses kred-train "${small[@]}" --epochs 1 --user-attn linear --predictor cos --model dv-entity
}

@test "KRED's first losses, and where its training ends" {
  head -n 32 room/train/behaviors.tsv > few.tsv
  mind-ingest -q --behaviors few.tsv --corpus corpus.nd -o few.nd
  first_steps kred-train "${small[@]}" --train few.nd --valid few.nd --batch 1000 --patience 0
  within_seeds auc kred-train "${small[@]}"
}

@test "TransE's first losses" {
  first_steps kg-transe kg.nd --dim 8 --negatives 16 --batch 100000
}

@test "with --tf32 KRED and D-HAN learn nearly the same" {
  kred-train "${small[@]}" --log-format json -o cpu.nd 2> cpu.log
  gpu kred-train "${small[@]}" --tf32 --log-format json -o gpu.nd 2> gpu.log
  near 2e-2 <(losses gpu.log) <(losses cpu.log)
  tensor-dump --schema gpu.nd | grep -q '"tf32":true'
  if [ -z "${ND_GPU_BIN:-}" ]; then  # the stand-in rounds in every product; cuBLAS chooses by size
    gpu kred-train "${small[@]}" --epochs 1 --log-format json -o fp32.nd 2> fp32.log
    [ "$(losses fp32.log)" != "$(losses gpu.log | head -n 1)" ]
  fi
  dhan_log
  dhan-train "${small[@]}" --log-format json -o cpu.nd 2> cpu.log
  gpu dhan-train "${small[@]}" --tf32 --log-format json -o gpu.nd 2> gpu.log
  near 2e-2 <(losses gpu.log) <(losses cpu.log)
}

@test "two runs end with the same bytes" {
  gpu kred-train "${small[@]}" -q -o one.nd
  gpu kred-train "${small[@]}" -q -o two.nd
  cmp one.nd two.nd
}

# Usage: same_with_graphs TOOL ARGUMENT...: whether every step is started as a graph or not, the bytes are the same.
same_with_graphs() {
  gpu "$@" --epochs 2 -q -o plain.nd
  gpu "$@" --epochs 2 --cuda-graphs --log-format json -o graphs.nd 2> graphs.log || { cat graphs.log; return 1; }
  cmp plain.nd graphs.nd
  grep -q '"event":"cuda_graphs","steps":[1-9]' graphs.log || { cat graphs.log; return 1; }
}

@test "with --cuda-graphs KRED ends with the same bytes" {
  same_with_graphs kred-train "${small[@]}"
  same_with_graphs kred-train "${small[@]}" --checkpoint-seconds 0 --threads 1
  same_with_graphs kred-train "${small[@]}" --distill max --kgat mean --no-entity learned --sparse-rows --resample
  same_with_graphs kred-train "${small[@]}" --user-attn linear --predictor cos --model dv-entity --l2-mode none
}

@test "with --cuda-graphs D-HAN ends with the same bytes" {
  dhan_log
  local how
  for how in "" "--summary bilstm --time decay" "--summary cnn --compat official --time abs" \
    "--summary mh2 --dns bilinear" "--dns score --clip 0 --sparse-rows" "--dns uniform --threads 1"; do
    # shellcheck disable=SC2086  # a list of words
    same_with_graphs dhan-train "${small[@]}" $how
  done
}

@test "with --cuda-graphs TransE ends with the same bytes" {
  same_with_graphs kg-transe kg.nd --dim 8 --batch 64
  same_with_graphs kg-transe kg.nd --dim 8 --batch 64 --optimiser adagrad --threads 1
  same_with_graphs kg-transe kg.nd --preset paper --dim 8 --batch 64
}

@test "--cuda-graphs is refused on a CPU" {
  run kred-train "${small[@]}" --cuda-graphs --device cpu -o refused.nd
  [ "$status" -eq 1 ]
  [ "$output" = "kred-train: --cuda-graphs: this run computes on the CPU; leave it away, or use --device cuda" ]
}

@test "out of the GPU's memory: one line, exit 1, and the checkpoint is kept to go on from" {
  if [ -n "${ND_GPU_BIN:-}" ]; then skip "a GPU's memory is as large as it is"; fi
  gpu kred-train "${small[@]}" -q -o whole.nd
  # Enough to train, and too little for what validation takes beside.
  export ND_STANDIN_MIB=160
  fails 1 '^kred-train: --device cuda: out of GPU memory; use a smaller --batch, or --device cpu$' \
    "$BIN/../emulated/bin/kred-train" "${small[@]}" --device cuda -q --checkpoint-seconds 0 -o out.nd
  [ ! -e out.nd ]
  [ -s out.nd.ckpt ]
  unset ND_STANDIN_MIB
  gpu kred-train "${small[@]}" --log-format json -o out.nd 2> log
  grep -q '"event":"resumed"' log || { cat log; return 1; }
  cmp whole.nd out.nd
}

@test "what either device trained, both encode and score, and rank" {
  kred-train "${small[@]}" -q -o cpu.nd
  gpu kred-train "${small[@]}" -q -o gpu.nd
  local params
  for params in cpu gpu; do
    kred-encode -q $params.nd "${reads[@]}" -o v-cpu.nd
    gpu kred-encode -q $params.nd "${reads[@]}" -o v-gpu.nd
    alike 1e-4 <(numbers v-gpu.nd x) <(numbers v-cpu.nd x)
    rank-score -q test.nd --params $params.nd "${reads[@]}" -o s-cpu.nd
    gpu rank-score -q test.nd --params $params.nd "${reads[@]}" -o s-gpu.nd
    alike 1e-4 <(numbers s-gpu.nd score) <(numbers s-cpu.nd score)
    gpu rank-topk -q test.nd --params $params.nd "${reads[@]}" -o top.tsv
    [ -s top.tsv ]
  done
}

@test "D-HAN's first losses, and where its training ends" {
  dhan_log
  first_steps dhan-train "${small[@]}" --batch 1000 --patience 0
  within_seeds ndcg@5 dhan-train "${small[@]}"
}

@test "D-HAN learns and scores the same, with every summary and choice of negatives" {
  dhan_log
  same_losses dhan-train "${small[@]}"
  rank-score -q clicks.nd --params cpu.nd --candidates test.nd "${reads[@]}" -o s-cpu.nd
  gpu rank-score -q clicks.nd --params cpu.nd --candidates test.nd "${reads[@]}" -o s-gpu.nd
  alike 1e-4 <(numbers s-gpu.nd score) <(numbers s-cpu.nd score)
  local how
  for how in "--summary bilstm --time decay" "--summary cnn --compat official --time abs" \
    "--summary mh2 --dns bilinear" "--dns score" "--dns uniform --draw live"; do
    # shellcheck disable=SC2086  # a list of words
    same_losses dhan-train "${small[@]}" --epochs 1 $how
  done
}
