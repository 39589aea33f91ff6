#!/usr/bin/env bash
# KRED at the setting of the paper's Table 4 (bench/kred_bench.cpp), and beside it in the same run two PyTorch programs:
# one as most write it and one with the same algebra as ours, tuned (bench/torch). Ratios are theirs over ours, and
# inference, the best of three on both sides, counts the making of its table.
#
# Before each program 3 GB of memory are touched and given back: what the host of a virtual machine has taken away costs
# fifteen times more to touch than what it has not, which was a quarter of the inference, or nothing, as it happened.
#
# DOCS: documents of our run (100000). TORCH_DOCS: of theirs, scaled up (12800; 100000 for the whole epoch).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
threads=$(nproc)

ninja -C "$build" kred_bench > /dev/null
warm_memory() { dd if=/dev/zero of=/dev/null bs=3G count=1 iflag=fullblock 2> /dev/null || true; }

warm_memory
ours=$("$build/bench/kred_bench" "${DOCS:-100000}" "$threads")
warm_memory
theirs=$(bench/torch/run.sh kred --docs "${TORCH_DOCS:-12800}" 2> /dev/null || echo '{"skipped":"PyTorch could not run"}')
warm_memory
again=$("$build/bench/kred_bench" "${DOCS:-100000}" "$threads")

printf '%s\n' "$ours" "$again" "$theirs" | awk -v load="$(cut -d' ' -f1 /proc/loadavg)" -v threads="$threads" '
  # The number of a key, after the first place where `after` occurs.
  function number(json, key, after,   at) {
    if (after != "") json = substr(json, index(json, "\"" after "\":"))
    at = index(json, "\"" key "\":")
    return at ? substr(json, at + length(key) + 3) + 0 : 0
  }
  function least(a, b) { return a < b ? a : b }
  NR == 1 { one = $0 }
  NR == 2 { two = $0 }
  NR == 3 {
    train = least(number(one, "train_seconds"), number(two, "train_seconds"))
    infer = least(number(one, "infer_seconds"), number(two, "infer_seconds"))
    table = least(number(one, "table_seconds"), number(two, "table_seconds"))
    printf "KRED, %d documents, %d threads, better of two runs, load %s\n\n", number(one, "documents"), threads, load
    printf "%-34s %10s %10s %10s\n", "seconds", "training", "inference", "its table"
    printf "%-34s %10.2f %10.2f %10.2f\n", "nightdesk", train, infer, table
    if (index($0, "skipped") && !index($0, "plain")) { print "PyTorch: skipped, " $0; exit }
    for (i = 1; i <= 2; ++i) {
      name = i == 1 ? "plain" : "fast"
      # The plain one has no table; the fast one times its table apart, we within the inference.
      table = i == 1 ? 0 : number($0, "table_seconds", name)
      t = number($0, "train_seconds", name); f = number($0, "infer_seconds", name) + table
      printf "%-34s %10.2f %10.2f %10.2f\n", "PyTorch " name, t, f, table
      if (i == 1 || t < best_t) best_t = t
      if (i == 1 || f < best_f) best_f = f
    }
    printf "\nbetter PyTorch / nightdesk: training %.2f, inference %.2f\n", best_t / train, best_f / infer
    printf "unique heads %.3f, unique neighbours %.3f, peak memory %.0f MiB\n", number(one, "unique_heads"),
      number(one, "unique_neighbours"), number(one, "peak_mib")
  }'
printf '\n%s\n%s\n' "$ours" "$theirs"
