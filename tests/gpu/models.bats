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
near() {
  paste "$2" "$3" | awk -v t="$1" '
    NF != 2 { print "a line of one file only: " $0; bad = 1; next }
    { d = $1 - $2; if (d < 0) d = -d; m = $2 < 0 ? -$2 : $2; if (!(d <= t * (m + 1e-2))) { print $1 " and " $2; bad = 1 } }
    END { exit bad || NR == 0 }'
}

# Usage: same_losses TOOL ARGUMENT...: three epochs' losses on either device within 1e-3.
same_losses() {
  "$1" "${@:2}" --log-format json -o cpu.nd 2> cpu.log
  gpu "$@" --log-format json -o gpu.nd 2> gpu.log || { cat gpu.log; return 1; }
  losses cpu.log > cpu.losses
  losses gpu.log > gpu.losses
  near 1e-3 gpu.losses cpu.losses
}

# Usage: numbers FILE COLUMN: the numbers of a column of a file, one a line.
numbers() { tensor-dump --column "$2" "$1" | tr ' ' '\n'; }

@test "TransE learns the same" {
  local loss
  for loss in "--preset paper --epochs 2" "--loss margin --norm l2 --epochs 2" "--epochs 2 --chunk 16 --negatives 8"; do
    # shellcheck disable=SC2086  # a list of words
    same_losses kg-transe kg.nd --dim 8 $loss
  done
}

@test "KRED learns the same, whatever it is made of" {
  same_losses kred-train "${small[@]}"
  same_losses kred-train "${small[@]}" --epochs 1 --distill max --kgat mean --no-entity learned --sparse-rows
  same_losses kred-train "${small[@]}" --epochs 1 --user-attn linear --predictor cos --model dv-entity
}

@test "two runs end with the same bytes" {
  gpu kred-train "${small[@]}" -q -o one.nd
  gpu kred-train "${small[@]}" -q -o two.nd
  cmp one.nd two.nd
}

@test "what either device trained, both encode and score, and rank" {
  kred-train "${small[@]}" -q -o cpu.nd
  gpu kred-train "${small[@]}" -q -o gpu.nd
  local params
  for params in cpu gpu; do
    kred-encode -q $params.nd "${reads[@]}" -o v-cpu.nd
    gpu kred-encode -q $params.nd "${reads[@]}" -o v-gpu.nd
    near 1e-4 <(numbers v-gpu.nd x) <(numbers v-cpu.nd x)
    rank-score -q test.nd --params $params.nd "${reads[@]}" -o s-cpu.nd
    gpu rank-score -q test.nd --params $params.nd "${reads[@]}" -o s-gpu.nd
    near 1e-4 <(numbers s-gpu.nd score) <(numbers s-cpu.nd score)
    gpu rank-topk -q test.nd --params $params.nd "${reads[@]}" -o top.tsv
    [ -s top.tsv ]
  done
}

@test "D-HAN learns and scores the same, with every summary" {
  load ../tools/clicks
  mkdir -p clicks
  BATS_FILE_TMPDIR=$PWD/clicks click_log

  same_losses dhan-train "${small[@]}"
  rank-score -q clicks.nd --params cpu.nd --candidates test.nd "${reads[@]}" -o s-cpu.nd
  gpu rank-score -q clicks.nd --params cpu.nd --candidates test.nd "${reads[@]}" -o s-gpu.nd
  near 1e-4 <(numbers s-gpu.nd score) <(numbers s-cpu.nd score)
  local how
  for how in "--summary bilstm --time decay" "--summary cnn --compat official --time abs" "--summary mh2 --dns bilinear"; do
    # shellcheck disable=SC2086  # a list of words
    same_losses dhan-train "${small[@]}" --epochs 1 $how
  done
}
