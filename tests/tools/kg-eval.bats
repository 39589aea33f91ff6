# kg-eval as a program, and the chain kg-ingest, kg-transe, kg-eval. Ranks are tested in
# tests/lib/models/link_prediction_test.cpp.

load common

# Entities on a line, exactly: e0 = 0, e1 = 1, ..., r1 = +1. The test triples are e1 r1 e2 and e2 r1 e0.
setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'e0\tr1\te1\ne3\tr1\te2\n' > train.txt
  printf 'e1\tr1\te2\n' > valid.txt
  printf 'e1\tr1\te3\ne2\tr1\te0\n' > test.txt
  kg-ingest -q --train train.txt --valid valid.txt --test test.txt -o kg.nd
  printf 'e0\t0\ne1\t1\ne2\t2\ne3\t3\n' > e.vec
  printf 'r1\t1\n' > r.vec
  vector-ingest -q e.vec --relations r.vec -o v.nd
}

# Usage: value KEY... < report; the value under these keys, one inside the other; e.g. value filtered both mrr
value() {
  awk -v wanted="$*" '
    { match($0, /^ */); depth = RLENGTH / 2; key[depth] = $1; gsub(/[":]/, "", key[depth])
      path = key[1]; for (i = 2; i <= depth; ++i) path = path " " key[i]
      if (path == wanted) { gsub(/[",]/, "", $2); print $2 } }'
}

@test "kg-eval ranks by hand what is easy to rank by hand" {
  # e1 + r1 = 2: e2 at 0 (true in valid: filtered), e1 and e3 at 1 (tie), e0 at 2. Raw 2 or 3, filtered 1 or 2.
  # e2 + r1 = 3: e3 at 0, e2 at 1, e1 at 2, e0 at 3: rank 4.
  # e3 - r1 = 2: e2, then e1 and e3, then e0; e3 r1 e3 is no triple. Rank 2 or 3.
  # e0 - r1 = -1: e0 at 1, e1, e2: rank 3.
  kg-eval kg.nd v.nd --norm l1 --json > report.json
  [ "$(value filtered tail mr < report.json)" = 2.75 ]
  [ "$(value raw tail mr < report.json)" = 3.25 ]
  [ "$(value filtered head mr < report.json)" = 2.75 ]
  [ "$(value filtered both ties < report.json)" = 2 ]
  [ "$(value filtered both optimistic mr < report.json)" = 2.5 ]
  [ "$(value filtered both pessimistic mr < report.json)" = 3 ]
  [ "$(value filtered both hits@1 < report.json)" = 0 ]
  [ "$(value filtered both optimistic hits@1 < report.json)" = 0.25 ]
  [ "$(value candidates < report.json)" = 4 ]
  [ "$(value norm < report.json)" = l1 ]
  kg-eval kg.nd v.nd --norm l2 --json | grep -v '"norm"' > l2.json
  grep -v '"norm"' report.json | diff - l2.json  # on a line both norms rank alike
}

@test "kg-eval prints a table, for people" {
  run --separate-stderr kg-eval kg.nd v.nd --norm l1
  [ "$status" -eq 0 ]
  [[ "$output" == *"MRR"*"H@10"*"filtered, both sides"*"2 of 4 queries with ties; 2 triples, 0 not ranked"* ]]
  kg-eval kg.nd v.nd --norm l1 -o table.txt
  [ "$output" = "$(cat table.txt)" ]
}

@test "kg-eval takes the norm the vectors were trained with, and warns when the graph is another" {
  fails 1 'v.nd: does not say which norm it was trained with' kg-eval kg.nd v.nd
  kg-transe -q kg.nd --dim 4 --epochs 1 --norm l1 -o trained.nd
  [ "$(kg-eval kg.nd trained.nd --json | value norm)" = l1 ]
  [ "$(kg-eval kg.nd trained.nd --json --split valid | value triples)" = 1 ]
  printf 'e1\tr1\te0\n' > more.txt
  kg-ingest -q --train train.txt --test more.txt -o other.nd
  run --separate-stderr kg-eval other.nd trained.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"warning: the vectors were trained on another graph"* ]]
}

@test "kg-eval gives the same figures for any number of threads" {
  for n in 1 2 7; do kg-eval kg.nd v.nd --norm l2 --json --threads "$n" > "$n.json"; done
  same_bytes 1.json 2.json
  same_bytes 1.json 7.json
}

@test "kg-eval says what cannot be judged" {
  kg-ingest -q --train train.txt -o untested.nd
  fails 1 'untested.nd: has no test triples' kg-eval untested.nd v.nd --norm l2
  vector-ingest -q e.vec -o alone.nd
  fails 1 'the vectors have none for relations' kg-eval kg.nd alone.nd --norm l2
  sed 's/^e/x/' e.vec > x.vec
  vector-ingest -q x.vec --relations r.vec -o strangers.nd
  fails 1 'no entity of the graph has a vector' kg-eval kg.nd strangers.nd --norm l2
  fails 1 'kg.nd: .*vectors' kg-eval kg.nd kg.nd --norm l2
}

@test "kg-transe reaches on umls what TransE reaches" {
  skip_without kg/umls/train.txt
  local d=$NEWS_DATA/kg/umls
  kg-ingest -q --train "$d/train.txt" --valid "$d/valid.txt" --test "$d/test.txt" -o umls.nd
  kg-transe -q umls.nd -o umls-v.nd
  kg-eval umls.nd umls-v.nd --json > report.json
  value filtered both mrr < report.json
  awk -v mrr="$(value filtered both mrr < report.json)" 'BEGIN { exit !(mrr > 0.5) }'
}
