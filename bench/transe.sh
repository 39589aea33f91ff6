#!/usr/bin/env bash
# Speed and quality of kg-transe and kg-eval on a real graph: bench/transe.sh [FOLDER [PRESET...]]
#
# FOLDER holds train.txt, valid.txt and test.txt; by default FB15k-237 in NEWS_DATA. PRESET is best (the default) or paper,
# which takes several times as long. Programs are taken from build/bin, or from BIN; THREADS is 0 (all) unless set.
# Prints wall and processor seconds, positive triples and (triple, replacement) pairs a wall second, and what the vectors
# are worth. A speed counts only at the quality beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
data=${1:-${NEWS_DATA:-$here/../shared/data}/kg/fb15k-237-qid}
shift || true
bin=$(realpath "${BIN:-$here/build/bin}")
threads=${THREADS:-0}
if [ ! -e "$data/train.txt" ]; then
  echo "transe: no graph in $data; give a folder with train.txt, valid.txt and test.txt"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$bin/kg-ingest" -q --train "$data/train.txt" --valid "$data/valid.txt" --test "$data/test.txt" -o kg.nd

# Usage: timed NAME COMMAND...: runs it, leaving "wall cpu" seconds in NAME.time
timed() {
  local name=$1
  shift
  TIMEFORMAT='%R %U %S'
  { time "$@" 2> "$name.log"; } 2> "$name.time"
  awk '{ print $1, $2 + $3 }' "$name.time" > "$name.seconds"
}

printf '%-8s %8s %8s %12s %12s %8s %8s %10s %10s\n' \
  preset wall_s cpu_s triples/s pairs/s MRR H@10 eval_s eval_cpu_s
for preset in "${@:-best}"; do
  timed train "$bin/kg-transe" kg.nd --preset "$preset" --threads "$threads" --log-format json -o vectors.nd
  timed judge "$bin/kg-eval" kg.nd vectors.nd --threads "$threads" -o table.txt
  epochs=$(grep -c '"event":"epoch"' train.log)
  triples=$((epochs * $(sort -u "$data/train.txt" | wc -l)))
  pairs=$([ "$preset" = best ] && echo 64 || echo 1)
  awk -v preset="$preset" -v triples="$triples" -v pairs="$pairs" '
    FILENAME == "train.seconds" { wall = $1; cpu = $2 }
    FILENAME == "judge.seconds" { judge = $1; judge_cpu = $2 }
    /^filtered, both/ { mrr = $4; hits = $8 }
    END { printf "%-8s %8.1f %8.1f %12.0f %12.0f %8.4f %8.4f %10.2f %10.2f\n", preset, wall, cpu, triples / wall,
          triples * pairs / wall, mrr, hits, judge, judge_cpu }' train.seconds judge.seconds table.txt
done
