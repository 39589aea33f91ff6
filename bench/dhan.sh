#!/usr/bin/env bash
# D-HAN at the paper's sizes (bench/dhan_bench.cpp), and beside it in the same run two PyTorch programs: one as most
# write it and one with the same algebra as ours, tuned (bench/torch). Ratios are our rates over theirs.
#
# STEPS: optimiser steps of 256 instances, ours (40) and TORCH_STEPS theirs (10); SCORED: instances with 100 candidates,
# ours (400) and TORCH_SCORED theirs (100). DROPOUT: 0.2. THREADS: all there are. On a busy machine wall seconds say
# little; then THREADS=1 and the rates per CPU second are the ones to compare.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
threads=${THREADS:-$(nproc)}
dropout=${DROPOUT:-0.2}

ninja -C "$build" dhan_bench > /dev/null
ours() { "$build/bench/dhan_bench" "${STEPS:-40}" "${SCORED:-400}" "$threads" "$dropout"; }
one=$(ours)
theirs=$(bench/torch/run.sh dhan --steps "${TORCH_STEPS:-10}" --score "${TORCH_SCORED:-100}" --dropout "$dropout" \
  --threads "$threads" 2> /dev/null || echo '{"skipped":"PyTorch could not run"}')
two=$(ours)

printf '%s\n' "$one" "$two" "$theirs" | awk -v load="$(cut -d' ' -f1 /proc/loadavg)" -v threads="$threads" '
  # The number of a key, after the first place where `after` occurs.
  function number(json, key, after,   at) {
    if (after != "") json = substr(json, index(json, "\"" after "\":"))
    at = index(json, "\"" key "\":")
    return at ? substr(json, at + length(key) + 3) + 0 : 0
  }
  function most(a, b) { return a > b ? a : b }
  NR == 1 { one = $0 }
  NR == 2 { two = $0 }
  function table(per,   i, name, t, s, best_t, best_s, plain_t, plain_s, train, score) {
    train = most(number(one, "instances_per_" per), number(two, "instances_per_" per))
    score = most(number(one, "pairs_per_" per), number(two, "pairs_per_" per))
    printf "%-34s %18s %18s\n", "per " (per == "second" ? "second" : "CPU second"), "instances trained", "pairs scored"
    printf "%-34s %18.0f %18.0f\n", "nightdesk", train, score
    if (!index($0, "\"plain\"")) { print "PyTorch: skipped, " $0 "\n"; return }
    for (i = 1; i <= 2; ++i) {
      name = i == 1 ? "plain" : "fast"
      t = number($0, "instances_per_" per, name); s = number($0, "pairs_per_" per, name)
      printf "%-34s %18.0f %18.0f\n", "PyTorch " name, t, s
      best_t = most(best_t, t); best_s = most(best_s, s)
      if (i == 1) { plain_t = t; plain_s = s }
    }
    printf "%-34s %18.2f %18.2f\n", "nightdesk / better PyTorch", train / best_t, score / best_s
    printf "%-34s %18.2f %18.2f\n\n", "nightdesk / PyTorch plain", train / plain_t, score / plain_s
  }
  NR == 3 {
    printf "D-HAN, dropout %g, %d threads, better of two runs, load %s\n\n", number(one, "dropout"), threads, load
    table("second")
    table("cpu_second")
    printf "peak memory %.0f MiB\n", number(one, "peak_mib")
  }'
printf '\n%s\n%s\n' "$one" "$theirs"
