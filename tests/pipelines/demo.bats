# pipelines/demo.mk, and pipelines/kred.mk under it, on a newsroom of a few hundred articles: what is made again, and
# that it does not matter how many jobs make runs, or that it was killed on the way.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BIN=$(realpath "${BIN:-$ROOT/build/bin}")
export ND_NO_SYNC=1  # files of a test need not survive a power cut
unset MAKEFLAGS MAKELEVEL  # of the make that runs the tests

tiny=(
  NEWSROOM='--articles 240 --users 60 --impressions 400 --days 4 --entities 128 --others 32 --relations 8 --neighbours 4'
  TRANSE='--dim 8 --epochs 2' TEXT='--dim 8 --epochs 1' TRAIN='--hidden 8 --width 8 --epochs 2' JUDGE='--bootstrap 50'
)
# Usage: pipeline NAME OUT [MAKE-ARGUMENT...]
pipeline() { make -s -f "$ROOT/pipelines/$1.mk" BIN="$BIN" OUT="$2" "${tiny[@]}" "${@:3}" 2> log || { cat log; return 1; }; }
demo() { pipeline demo "$@"; }

# Usage: files OUT: everything that was made, with when and in which inode.
files() { find "$1" -type f -printf '%P %T@ %i\n' | sort; }
# Usage: results OUT: the same less what records the making.
results() { find "$1" -type f ! -path '*/logs/*' ! -path '*/options/*' -printf '%P\n' | sort; }
# Usage: remade BEFORE OUT: the results that are not what they were in the list BEFORE, on one line.
remade() { comm -13 "$1" <(files "$2") | cut -d ' ' -f 1 | grep -vE '^(logs|options)/' | sort | tr '\n' ' '; }
# Usage: same OUT OTHER: the results are the same files with the same bytes.
same() {
  local file
  diff <(results "$1") <(results "$2") || return 1
  results "$1" | while read -r file; do cmp "$1/$file" "$2/$file" || return 1; done
}
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  demo whole
}
setup() { cd "$BATS_FILE_TMPDIR"; }

@test "it ends with the table of all systems" {
  for system in KRED 'DV + entity' DV 'KRED w/o KGAT' 'KRED w/o context' 'KRED w/o distillation' popularity \
    'recent popularity' co-click; do
    grep -q "^$system " whole/metrics.txt
    grep -qF "\"name\": \"$system\"" whole/metrics.json
    grep -q "^| $system | 0" whole/metrics.md
    grep -qF "<title>$system: 0." whole/report.html
  done
}

@test "a second make does nothing" {
  files whole > before
  demo whole
  [ ! -s log ]  # a step that runs says so
  diff before <(files whole)
}

# Usage: changes EXPECTED... -- MAKE-ARGUMENT...: with the arguments, of a finished demo just these results are made again.
changes() {
  local expected=() found
  while [ "$1" != -- ]; do expected+=("$1"); shift; done
  demo changed
  files changed > before
  demo changed "${@:2}"
  found=$(remade before changed)
  [ "$found" = "$(printf '%s\n' "${expected[@]}" | sort | tr '\n' ' ')" ] || { echo "${*:2} made again: $found"; return 1; }
}

@test "another setting makes again exactly what depends on it" {
  changes metrics.{json,md,txt} report.html -- JUDGE='--bootstrap 60'
  changes metrics.{json,md,txt} report.html -- DATASET=other
  changes metrics.{json,md,txt} report.html no-context-1.{params,scores}.nd -- no-context='--system Mine --no-context'
  changes metrics.{json,md,txt} report.html {dv,dv-entity,kred,no-context,no-distill,no-kgat}-1.{params,scores}.nd -- \
    TRAIN='--hidden 8 --width 8 --epochs 1'
  changes metrics.{json,md,txt} report.html {dv,dv-entity,kred,no-context,no-distill,no-kgat}-1.{params,scores}.nd documents.nd -- \
    TEXT='--dim 9 --epochs 1'
}

@test "fewer systems make another table, though nothing newer comes with them" {
  demo changed
  grep -q '^KRED w/o KGAT' changed/metrics.txt
  demo changed SET=main
  ! grep -q '^KRED w/o KGAT' changed/metrics.txt || false
}

@test "another folder and other vectors are read, though their files are older" {
  real() { pipeline kred real SEEDS=1 DIM=8 MIND="$1" KG="$1/kg" "${@:2}"; }
  real whole/newsroom
  cp -a whole/newsroom other
  cp -p whole/documents.nd vectors.nd
  find other vectors.nd -exec touch -d '1 day ago' {} +
  files real > before
  real whole/newsroom
  diff before <(files real)
  real other
  [[ "$(remade before real)" == "articles.nd "*" graph.nd "*" train.nd "* ]]
  files real > before
  real other VECTORS=vectors.nd
  [ "$(remade before real)" = "$(printf '%s ' {dv,dv-entity,kred}-1.{params,scores}.nd metrics.{json,md,txt} report.html)" ]
}

@test "two jobs make the same bytes as one" {
  demo two -j2
  same whole two
}

@test "stopped in any step and run again, it ends as if never stopped" {
  local step pid code
  for step in entities.nd documents.nd kred-1.params.nd no-kgat-1.scores.nd metrics.txt; do
    make -s -f "$ROOT/pipelines/demo.mk" BIN="$BIN" OUT=stopped "${tiny[@]}" -j2 2> log &
    pid=$! code=0
    until [ -e "stopped/logs/$step.log" ]; do sleep 0.01; done
    kill -TERM $pid
    wait $pid || code=$?
    [ "$code" -ne 0 ] || [ "$step" = metrics.txt ]  # the last step may be over by now
  done
  demo stopped
  same whole stopped
}
