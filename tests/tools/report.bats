# report: a page of what eval-rank found. What is in the page: tests/lib/metrics/page_test.cpp.
load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf '1 [1,0,0]\n2 [0,1]\n' > truth.txt
  printf '1 [1,2,3]\n2 [2,1]\n' > prediction.txt
  eval-rank --mind truth.txt prediction.txt --json --dataset 'two impressions' -o metrics.json
}

@test "the systems of a file are in the page, measures in the order of eval-rank's table" {
  report metrics.json -o page.html
  grep -q '<h1>two impressions</h1>' page.html
  grep -q '2 impressions judged, 0 skipped; a line is where 95 % of resamples' page.html
  [ "$(grep -o '<figcaption>[^<]*' page.html | cut -d '>' -f 2 | tr '\n' ' ')" = \
    "$(eval-rank --mind truth.txt prediction.txt --table | awk '/^system/ { for (i = 2; i <= NF; ++i) printf "%s ", $i }')" ]
  grep -q '<title>prediction.txt: 1.0000' page.html
}

@test "several files follow each other, and standard input is one" {
  run -0 bash -c "report metrics.json - < metrics.json"
  [ "$(grep -c '<h1>two impressions</h1>' <<< "$output")" -eq 2 ]
}

@test "what eval-rank did not write is refused in one line" {
  echo '{"dataset":"x","systems":[],"means":[]}' > empty.json
  fails 1 'empty.json: names no system: expected what eval-rank --json writes' report empty.json -o page.html
  echo '{"dataset":3}' > number.json
  fails 1 'number.json: "dataset" is no text' report number.json -o page.html
  echo '{"dataset":"x","systems":{},"means":[]}' > list.json
  fails 1 'list.json: "systems" is no list' report list.json -o page.html
  echo '[1]' > other.json
  fails 1 'other.json: has no "dataset"' report other.json -o page.html
  head -c 100 metrics.json > cut.json
  fails 1 'cut.json: ' report cut.json -o page.html
  : > nothing.json
  fails 1 'nothing.json: ' report nothing.json -o page.html
  fails 1 'missing.json: cannot open' report missing.json -o page.html
  [ ! -e page.html ]
}

@test "a value that is no number is left out" {
  sed 's/"auc": [0-9][0-9.]*/"auc": null/' metrics.json > null.json
  run -0 report null.json
  [[ "$output" != *'<figcaption>auc</figcaption>'* ]]
  [[ "$output" == *'<figcaption>mrr</figcaption>'* ]]
}
