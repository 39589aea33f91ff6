#!/usr/bin/env bash
# The models' speed on the GPU of this machine, each beside two PyTorch programs on the same GPU where there is one with
# CUDA, plain and with our algebra (of TransE the latter only; bench/torch/README.md), and beside a limit: the larger of the time its operations take at the rate of products, and its bytes at that of copies,
# both measured in the same run (bench/device_limits.cpp; counts of operations and bytes are explained below). Prints a
# table and writes bench/results/<device>-<date>.json.
#
# idle is the share of the time in which the GPU waits for the host. For KRED and D-HAN what it has to do is timed once
# more without any waiting (lib/tensor/cuda/busy.h). For TransE, a program without such a clock, it is the mean share of
# time without a kernel from the first to the last of nvidia-smi's samples (six a second or less) that saw one. "?" where
# that could not be told.
#
# FB15K: a folder with FB15k-237's train.txt, valid.txt and test.txt, for TransE. DEVICE=cpu tries the script out.
# DOCS, STEPS, SCORED, SIZE: documents (100000), steps of 256 instances (200), instances scored with 100 candidates
# (2000), size of the products (4096). TORCH_DOCS, TORCH_STEPS, TORCH_SCORED: the same of PyTorch's (DOCS, 40, 400).
# EPOCHS: of TransE's trainings ("16 32 48 64 100"). PYTHON: the one that has torch. RESULTS: the folder to write to.
#
# KRED's and D-HAN's trainings run without and with --cuda-graphs, which has yet to show that it should be the default.
#
# A PyTorch program gets a minute; with an H100 the rest is meant to take two, the build on 16 cores included (an
# estimate, like everything about GPUs here).
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
device=${DEVICE:-cuda} docs=${DOCS:-100000} steps=${STEPS:-200} scored=${SCORED:-2000} size=${SIZE:-4096}
python=
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
  if "$candidate" -c 'import numpy, torch' 2> /dev/null; then python=$candidate; break; fi
done
[ -n "$python" ] || echo "no PyTorch in ${PYTHON:-python3}: not compared" >&2
threads=$(nproc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Usage: number KEY FILE: the number or text of a key of a JSON line, nothing where it has none.
number() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p" "$2" | tail -n 1; }

# Usage: watched NAME COMMAND...: its output in NAME.json, the idle share in NAME.idle.
watched() {
  local name=$folder/$1 watch=
  shift
  if [ "$device" = cuda ]; then
    nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits -lms 100 > "$name.busy" 2> /dev/null &
    watch=$!
  fi
  "$@" > "$name.json" || { [ -z "$watch" ] || kill "$watch" 2> /dev/null; return 1; }
  [ -z "$watch" ] || kill "$watch" 2> /dev/null || true
  awk '$1 > 0 { begun = 1; busy += held + $1; n += waiting + 1; held = waiting = 0; next } begun { ++waiting }
       END { if (n >= 5) printf "%.2f", 1 - busy / n / 100; else printf "?" }' "$name.busy" 2> /dev/null \
    > "$name.idle" || echo "?" > "$name.idle"
}

# Usage: torch_program MODEL OPTION...: leaves torch-MODEL.json, with what got done in time.
torch_program() {
  [ -n "$python" ] || return 0
  timeout "${TORCH_SECONDS:-60}" "$python" bench/torch/gpu.py "$@" --device "$device" > "$folder/torch-$1.json" ||
    echo "PyTorch's $1 did not finish" >&2
}

"$build/bench/device_limits" "$device" "$size" > "$folder/limits.json"
"$build/bench/kred_bench" "$docs" "$threads" "$device" > "$folder/kred.json"
"$build/bench/dhan_bench" "$steps" "$scored" "$threads" 0.2 "$device" > "$folder/dhan.json"
torch_program kred --docs "${TORCH_DOCS:-$docs}"
together=$([ "$device" = cuda ] && echo 64 || echo 4)
torch_program dhan --steps "${TORCH_STEPS:-40}" --score "${TORCH_SCORED:-400}" --together "$together"

# TransE: the first of several numbers of epochs that gives the filtered MRR of 0.307; every training decays its learning
# rate to the end, so it takes one of its own.
goal=0.307 mrr=0 transe_seconds=0 triples=0 epochs=0
if [ -n "${FB15K:-}" ]; then
  "$build/bin/kg-ingest" -q --train "$FB15K/train.txt" --valid "$FB15K/valid.txt" --test "$FB15K/test.txt" \
    -o "$folder/kg.nd"
  for epochs in ${EPOCHS:-16 32 48 64 100}; do
    watched transe "$build/bin/kg-transe" "$folder/kg.nd" --epochs "$epochs" --device "$device" \
      --log-format json -o "$folder/vectors.nd" 2> "$folder/transe.log"
    # Without reading and writing files.
    transe_seconds=$(sed -n 's/.*"event":"epoch".*"seconds":\([0-9.e+-]*\).*/\1/p' "$folder/transe.log" |
      awk '{ s += $1 } END { print s }')
    triples=$(number triples_per_s "$folder/transe.log")
    mrr=$("$build/bin/kg-eval" "$folder/kg.nd" "$folder/vectors.nd" -o - | awk '/^filtered, both/ { print $4 }')
    awk -v mrr="$mrr" -v goal=$goal 'BEGIN { exit !(mrr >= goal) }' && break
  done
  torch_program transe --triples "$FB15K"
else
  echo "FB15K is not set: TransE is not measured" >&2
fi

if [ "$device" = cuda ]; then
  name=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
else
  name="dry run on a CPU"
fi
results=${RESULTS:-bench/results}
mkdir -p "$results"
file=$results/$(tr -cs 'A-Za-z0-9' '-' <<< "$name" | tr '[:upper:]' '[:lower:]' | sed 's/-$//')-$(date +%F).json

# Usage: value NAME KEY: of NAME.json, 0 where there is none.
value() { local v; v=$(number "$2" "$folder/$1.json" 2> /dev/null); echo "${v:-0}"; }
# Usage: idle NAME KEY: a share of NAME.json, "?" for null and for nothing.
idle() { number "$2" "$folder/$1.json" | sed 's/null/?/;$!d' | grep . || echo "?"; }

# Operations and bytes are those of the algebra that we use, products only. A document of KRED's has 24 entities, of
# which the share u is new to the batch, with 20 neighbours each, of which the share t is new; a neighbour's row of 90
# numbers is read for its score, for that one's gradient and for the layer's. D-HAN: 4.2 MFLOP a pair forwards, three
# times that with the way back, of which an instance has four; a step reads gradient, value and two moments of every
# parameter and writes three. A triple of TransE's meets 64 replacements, 100 wide, in three products, and moves
# vectors, gradients and two moments of three rows.
awk -v name="$name" -v file="$file" -v date="$(date +%F)" -v docs="$docs" -v steps="$steps" \
  -v bytes="$(value limits bytes_per_second)" -v flops="$(value limits product_flops)" \
  -v u="$(value kred unique_heads)" -v t="$(value kred unique_neighbours)" -v parameters="$(value dhan parameters)" \
  -v kred_graphs="$(value kred graph_train_seconds)" -v kred_built="$(value kred graphs_built)" \
  -v kred_steps="$(value kred graph_steps)" -v dhan_graphs="$(value dhan graph_instances_per_second)" \
  -v dhan_built="$(value dhan graphs_built)" -v dhan_steps="$(value dhan graph_steps)" \
  -v kred_train="$(value kred train_seconds)" -v kred_infer="$(value kred infer_seconds)" \
  -v kred_table="$(value kred table_seconds)" \
  -v plain_train="$(value torch-kred plain_train_seconds)" -v plain_infer="$(value torch-kred plain_infer_seconds)" \
  -v fast_train="$(value torch-kred fast_train_seconds)" -v fast_infer="$(value torch-kred fast_infer_seconds)" \
  -v instances="$(value dhan instances_per_second)" -v pairs="$(value dhan pairs_per_second)" \
  -v plain_instances="$(value torch-dhan plain_instances_per_second)" \
  -v fast_instances="$(value torch-dhan fast_instances_per_second)" \
  -v plain_pairs="$(value torch-dhan plain_pairs_per_second)" -v fast_pairs="$(value torch-dhan fast_pairs_per_second)" \
  -v triples="${triples:-0}" -v fast_triples="$(value torch-transe fast_triples_per_s)" -v goal=$goal \
  -v mrr="${mrr:-0}" -v mrr_seconds="${transe_seconds:-0}" -v epochs="$epochs" \
  -v idle_kred_train="$(idle kred train_idle)" -v idle_kred_infer="$(idle kred infer_idle)" \
  -v idle_dhan_train="$(idle dhan train_idle)" -v idle_dhan_score="$(idle dhan score_idle)" \
  -v idle_transe="$(cat "$folder/transe.idle" 2> /dev/null || echo "?")" '
  function larger(a, b) { return a > b ? a : b }
  # Seconds at the least for so many operations and bytes.
  function least(operations, moved) { return larger(operations / flops, moved / bytes) }
  function or_none(x, format) { return x > 0 ? sprintf(format, x) : "-" }
  # A line of the table and of the file; `share` is how much of the limit is reached.
  function or_null(x) { return x > 0 ? sprintf("%.6g", x) : "null" }
  function line(what, unit, ours, plain, fast, limit, share, idle) {
    if (ours <= 0) return
    printf "%-34s %10.5g %10s %10s %10.5g %7.3f %5.4s\n", what " (" unit ")", ours, or_none(plain, "%.5g"),
      or_none(fast, "%.5g"), limit, share, idle
    rows = rows (rows == "" ? "" : ",\n") sprintf("  {\"what\":\"%s\",\"unit\":\"%s\",\"nightdesk\":%.6g," \
      "\"pytorch_plain\":%s,\"pytorch_fast\":%s,\"limit\":%.6g,\"share_of_limit\":%.4f,\"idle\":%s}", what, unit, ours,
      or_null(plain), or_null(fast), limit, share, idle == "?" ? "null" : idle)
  }
  function seconds(what, ours, plain, fast, limit, idle) {
    line(what, "s", ours, plain, fast, limit, limit / larger(ours, 1e-9), idle)
  }
  function rate(what, ours, plain, fast, limit, idle) { line(what, "1/s", ours, plain, fast, limit, ours / limit, idle) }
  # What decides whether --cuda-graphs should be the default.
  function graphs(what, without, with, built, steps) {
    if (steps > 0)
      printf "%s: with --cuda-graphs %.2f times the speed; of %d steps %d were unlike the one before\n", what,
        without / with, steps, built
  }
  BEGIN {
    printf "%s: %.0f GB/s, %.1f TFLOP/s in products\n\n", name, bytes / 1e9, flops / 1e12
    printf "%-34s %10s %10s %10s %10s %7s %5s\n", "", "nightdesk", "PyTorch", "the same,", "limit", "share", "idle"
    printf "%-34s %10s %10s %10s\n", "", "", "plain", "our way"
    all = 100000; scale = all / docs
    kred_least = all * least(1e6 * (3.9 + 5.1 * u + 22.2 * u * t), 3072 + 3 * 480 * u * 360)
    seconds("KRED training, 100k documents", kred_train * scale, plain_train, fast_train, kred_least, idle_kred_train)
    seconds("KRED training, CUDA graphs", kred_graphs * scale, plain_train, fast_train, kred_least, "?")
    seconds("KRED inference, 100k documents", kred_table + (kred_infer - kred_table) * scale, plain_infer, fast_infer,
            least(all * 1.22e6 + 1.13e10, all * (3072 + 24 * 872) + 60000 * 20 * 360), idle_kred_infer)
    dhan_most = 256 / least(256 * 4 * 12.6e6, 28 * parameters)
    rate("D-HAN training, instances", instances, plain_instances, fast_instances, dhan_most, idle_dhan_train)
    rate("D-HAN training, CUDA graphs", dhan_graphs, plain_instances, fast_instances, dhan_most, "?")
    rate("D-HAN scoring, pairs", pairs, plain_pairs, fast_pairs, 1 / least(4.2e6, 0), idle_dhan_score)
    rate("TransE, triples", triples, 0, fast_triples, 1 / least(3 * 2 * 64 * 100, 3 * 400 * 8), idle_transe)
    graphs("KRED", kred_train, kred_graphs, kred_built, kred_steps)
    graphs("D-HAN", dhan_graphs, instances, dhan_built, dhan_steps)
    reached = mrr >= goal
    if (mrr > 0)
      printf "TransE: filtered MRR %.4f after %d epochs, %.2f s of training; the goal of %s was %s\n", mrr, epochs,
        mrr_seconds, goal, reached ? "reached" : "NOT REACHED"
    transe = "null"
    if (mrr > 0)
      transe = sprintf("{\"mrr\":%s,\"goal\":%s,\"reached\":%s,\"epochs\":%d,\"seconds\":%s}", mrr, goal,
        reached ? "true" : "false", epochs, mrr_seconds)
    printf "{\"device\":\"%s\",\"date\":\"%s\",\"bytes_per_second\":%.5g,\"product_flops\":%.5g,\"rows\":[\n%s\n]," \
      "\"transe\":%s}\n", name, date, bytes, flops, rows, transe > file
  }'
echo "written to $file"
