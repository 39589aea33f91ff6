#!/usr/bin/env bash
# The models' speed on the GPU of this machine, each beside PyTorch on the same GPU where there is one with CUDA, and
# beside a limit: the larger of the time its operations take at the rate of products, and its bytes at that of copies,
# both measured in the same run (bench/device_limits.cpp; counts of operations and bytes are explained below). Prints a
# table and writes bench/results/<device>-<date>.json.
#
# idle is the mean share of time without a kernel, from the first to the last of nvidia-smi's samples (six a second or
# less) that saw one; "?" where too few did.
#
# FB15K: a folder with FB15k-237's train.txt, valid.txt and test.txt, for TransE. DEVICE=cpu tries the script out.
# DOCS, STEPS, SCORED, SIZE: documents (100000), steps of 256 instances (200), instances scored with 100 candidates
# (2000), size of the products (4096). PYTHON: the one that has torch. RESULTS: the folder to write to.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")
device=${DEVICE:-cuda} docs=${DOCS:-100000} steps=${STEPS:-200} scored=${SCORED:-2000} size=${SIZE:-4096}
python=${PYTHON:-python3}
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

# Usage: torch_program MODEL OPTION...: leaves torch-MODEL.json, empty where it cannot run.
torch_program() {
  : > "$folder/torch-$1.json"
  "$python" -c 'import numpy, torch' 2> /dev/null || { echo "no PyTorch in $python: not compared" >&2; return; }
  timeout 150 "$python" bench/torch/gpu.py "$@" --device "$device" > "$folder/torch-$1.json" ||
    echo "PyTorch's $1 did not finish" >&2
}

watched limits "$build/bench/device_limits" "$device" "$size"
watched kred "$build/bench/kred_bench" "$docs" "$threads" "$device"
watched dhan "$build/bench/dhan_bench" "$steps" "$scored" "$threads" 0.2 "$device"
torch_program kred --docs "${TORCH_DOCS:-$docs}"
torch_program dhan --steps "${TORCH_STEPS:-40}" --score "${TORCH_SCORED:-400}"

# TransE: the first of several numbers of epochs that gives the filtered MRR of 0.307; every training decays its learning
# rate to the end, so it takes one of its own.
mrr=0 transe_seconds=0 triples=0
if [ -n "${FB15K:-}" ]; then
  "$build/bin/kg-ingest" -q --train "$FB15K/train.txt" --valid "$FB15K/valid.txt" --test "$FB15K/test.txt" \
    -o "$folder/kg.nd"
  for epochs in ${EPOCHS:-4 8 16 32 64}; do
    watched transe "$build/bin/kg-transe" "$folder/kg.nd" --epochs "$epochs" --device "$device" \
      --log-format json -o "$folder/vectors.nd" 2> "$folder/transe.log"
    # Without reading and writing files.
    transe_seconds=$(sed -n 's/.*"event":"epoch".*"seconds":\([0-9.e+-]*\).*/\1/p' "$folder/transe.log" |
      awk '{ s += $1 } END { print s }')
    triples=$(number triples_per_s "$folder/transe.log")
    mrr=$("$build/bin/kg-eval" "$folder/kg.nd" "$folder/vectors.nd" -o - | awk '/^filtered, both/ { print $4 }')
    awk -v mrr="$mrr" 'BEGIN { exit !(mrr >= 0.307) }' && break
  done
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
idle() { cat "$folder/$1.idle" 2> /dev/null || echo "?"; }

# Operations and bytes are those of the algebra that we use, products only. A document of KRED's has 24 entities, of
# which the share u is new to the batch, with 20 neighbours each, of which the share t is new; a neighbour's projected
# row of 128 numbers is read forwards and backwards and its gradient written. D-HAN: 4.2 MFLOP a pair forwards, three
# times that with the way back, of which an instance has four; a step reads gradient, value and two moments of every
# parameter and writes three. A triple of TransE's meets 64 replacements, 100 wide, in three products, and moves
# vectors, gradients and two moments of three rows.
awk -v name="$name" -v file="$file" -v date="$(date +%F)" -v docs="$docs" -v steps="$steps" \
  -v bytes="$(value limits bytes_per_second)" -v flops="$(value limits product_flops)" \
  -v u="$(value kred unique_heads)" -v t="$(value kred unique_neighbours)" -v parameters="$(value dhan parameters)" \
  -v kred_train="$(value kred train_seconds)" -v kred_infer="$(value kred infer_seconds)" \
  -v torch_train="$(value torch-kred train_seconds)" -v torch_infer="$(value torch-kred infer_seconds)" \
  -v instances="$(value dhan instances_per_second)" -v pairs="$(value dhan pairs_per_second)" \
  -v torch_instances="$(value torch-dhan instances_per_second)" -v torch_pairs="$(value torch-dhan pairs_per_second)" \
  -v triples="${triples:-0}" -v mrr="${mrr:-0}" -v mrr_seconds="${transe_seconds:-0}" -v idle_kred="$(idle kred)" \
  -v idle_dhan="$(idle dhan)" -v idle_transe="$(idle transe)" '
  function larger(a, b) { return a > b ? a : b }
  # Seconds at the least for so many operations and bytes.
  function least(operations, moved) { return larger(operations / flops, moved / bytes) }
  function or_none(x, format) { return x > 0 ? sprintf(format, x) : "-" }
  # A line of the table and of the file; `share` is how much of the limit is reached.
  function line(what, unit, ours, torch, limit, share, idle) {
    if (ours <= 0) return
    printf "%-34s %12.5g %12s %12.5g %8.3f %6s\n", what " (" unit ")", ours, or_none(torch, "%.5g"), limit, share, idle
    rows = rows (rows == "" ? "" : ",\n") sprintf("  {\"what\":\"%s\",\"unit\":\"%s\",\"nightdesk\":%.6g,\"pytorch\":%s," \
      "\"limit\":%.6g,\"share_of_limit\":%.4f,\"idle\":%s}", what, unit, ours, torch > 0 ? sprintf("%.6g", torch) : \
      "null", limit, share, idle == "?" ? "null" : idle)
  }
  function seconds(what, ours, torch, limit, idle) { line(what, "s", ours, torch, limit, limit / larger(ours, 1e-9), idle) }
  function rate(what, ours, torch, limit, idle) { line(what, "1/s", ours, torch, limit, ours / limit, idle) }
  BEGIN {
    printf "%s: %.0f GB/s, %.1f TFLOP/s in products\n\n", name, bytes / 1e9, flops / 1e12
    printf "%-34s %12s %12s %12s %8s %6s\n", "", "nightdesk", "PyTorch", "limit", "share", "idle"
    all = 100000; scale = all / docs
    seconds("KRED training, 100k documents", kred_train * scale, torch_train,
            all * least(1e6 * (3.9 + 5.1 * u + 22.2 * u * t), 3072 + 3 * 480 * u * 512), idle_kred)
    seconds("KRED inference, 100k documents", kred_infer * scale, torch_infer,
            least(all * 1.22e6 + 1.13e10, all * (3072 + 24 * 872) + 60000 * 20 * 512), idle_kred)
    rate("D-HAN training, instances", instances, torch_instances, 256 / least(256 * 4 * 12.6e6, 28 * parameters), idle_dhan)
    rate("D-HAN scoring, pairs", pairs, torch_pairs, 1 / least(4.2e6, 0), idle_dhan)
    rate("TransE, triples", triples, 0, 1 / least(3 * 2 * 64 * 100, 3 * 400 * 8), idle_transe)
    if (mrr > 0) printf "TransE: filtered MRR %.4f after %.2f s of training\n", mrr, mrr_seconds
    printf "{\"device\":\"%s\",\"date\":\"%s\",\"bytes_per_second\":%.5g,\"product_flops\":%.5g,\"rows\":[\n%s\n]," \
      "\"transe_mrr\":%s,\"transe_seconds\":%s}\n", name, date, bytes, flops, rows, (mrr > 0 ? mrr : "null"), \
      (mrr > 0 ? mrr_seconds : "null") > file
  }'
echo "written to $file"
