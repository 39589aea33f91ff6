# element-extract-ingest as a program. What it reads and refuses is tested here; the arithmetic of stacks in
# tests/lib/data/elements_test.cpp.

load common

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf 'N%d\tnews\tnews\tTitle\t\t\t\t\n' 1 2 3 > news.tsv
  mind-ingest -q --news news.tsv -o corpus.nd
  printf 'erna 0 0 6\nsolberg 0 6 0\noslo 6 0 0\nmandag 3 3 0\nnato 1 2 3\n' > words.txt
  vector-ingest -q words.txt -o words.nd
  printf '{"id":"N1","person":["Erna Solberg"],"location":"Oslo"}\n{"id":"N3","date":["mandag"],"keywords":["NATO","unheard"],"org":null}\n' > elements.jsonl
}

# Usage: ingest ARGUMENT...
ingest() { element-extract-ingest "$@" --corpus corpus.nd --words words.nd; }
# Usage: numbers FILE: the rows of its stacks, with three digits.
numbers() { tensor-dump --column x "$1" | awk '{ for (i = 1; i <= NF; ++i) printf("%s%.3f", (i > 1 ? " " : ""), $i); print "" }'; }

@test "element-extract-ingest takes means by kind, falls back to all, gives ones where nothing is known" {
  run --separate-stderr ingest elements.jsonl -o out.nd
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "$stderr" == *"words words=6 with_vector=5"* ]]
  [[ "$stderr" == *"articles articles=3 with_elements=2 time=1 person=1 organization=0 location=1 keywords=1"* ]]
  [ "$(tensor-dump --column label out.nd | paste -s -d ' ')" = "time person organization location keywords" ]
  # N1: all words together (2 2 2), persons (0 3 3), Oslo (6 0 0). N3: all (2 2.5 1.5), (3 3 0), NATO (1 2 3).
  all="0.000 0.000 0.000"
  other="0.000 1.225 -1.225"
  ones="1.000 1.000 1.000"
  [ "$(numbers out.nd)" = "$all
-1.414 0.707 0.707
$all
1.414 -0.707 -0.707
$all
$ones
$ones
$ones
$ones
$ones
0.707 0.707 -1.414
$other
$other
$other
-1.225 0.000 1.225" ]
  tensor-check -q out.nd
  tensor-dump --schema out.nd | grep -qP '^input\tcorpus\tcorpus/1\t'
}

@test "element-extract-ingest reads the same from JSON, BIO, BIOES, bare labels and CoNLL-U" {
  ingest -q elements.jsonl -o want.nd
  cat > bio.tsv << 'END'
# newdoc id = N1
# text = Erna Solberg in Oslo
Erna	B-PER
Solberg	I-PER
in	O
Oslo	B-LOC

# newdoc id = N3
#	O
mandag	B-Date
NATO	B-Keyword
unheard	I-Keyword
END
  sed 's/\tI-/ E-/; s/\tB-/ /; s/\t/ /; s/# newdoc id =/-DOCSTART-/' bio.tsv > bare.txt
  awk -F '\t' -v OFS='\t' 'NF < 2 { print; next } { print ++n, $1, "_", "NOUN", "_", "_", 0, "root", "_", "SpaceAfter=No|name=" $2 }' bio.tsv > doc.conllu
  ingest -q bio.tsv -o bio.nd
  same_bytes <(numbers bio.nd) <(numbers want.nd)
  ingest -q bare.txt -o bare.nd
  same_bytes <(numbers bare.nd) <(numbers want.nd)
  ingest -q doc.conllu --token-column 2 -o conllu.nd
  same_bytes <(numbers conllu.nd) <(numbers want.nd)
  # In parts, packed, and from a pipe.
  head -1 elements.jsonl | gzip > a.gz
  tail -1 elements.jsonl | ingest -q a.gz - -o parts.nd
  same_bytes parts.nd want.nd
}

@test "element-extract-ingest counts what it cannot use, and gives up beyond --max-skip" {
  printf '{"id":"N9","person":["Erna"]}\n{"person":["Erna"]}\nnot JSON\n["N1"]\n{"id":"N1","person":["\xff"]}\n{"id":"N2","misc":["Erna"]}\n{"id":"N2","person":[7]}\n' >> elements.jsonl
  run --separate-stderr ingest elements.jsonl -o out.nd
  [ "$status" -eq 0 ]
  [[ "$stderr" == *"1 row skipped: the article is not in the corpus (first: elements.jsonl:3)"* ]]
  [[ "$stderr" == *"1 row skipped: the id is missing (first: elements.jsonl:4)"* ]]
  [[ "$stderr" == *"1 row skipped: the line is not JSON (first: elements.jsonl:5)"* ]]
  [[ "$stderr" == *"1 row skipped: the line is no JSON object (first: elements.jsonl:6)"* ]]
  [[ "$stderr" == *"1 row skipped: the text is not UTF-8 (first: elements.jsonl:7)"* ]]
  [[ "$stderr" == *"1 row used in part: a label is of no known kind"*"(first: elements.jsonl:8)"* ]]
  [[ "$stderr" == *"1 row used in part: an element is no text (first: elements.jsonl:9)"* ]]
  [[ "$stderr" == *"with_elements=2 "* ]]
  fails 1 'elements.jsonl:4: .*more than 1 rows' element-extract-ingest -q elements.jsonl --max-skip 1 --corpus corpus.nd --words words.nd -o gone.nd
  [ ! -e gone.nd ]
  ingest elements.jsonl --kinds misc=keywords,location=none -o out.nd 2> log
  grep -q 'with_elements=3 .* location=0 ' log
  ! grep -q 'no known kind' log
}

@test "element-extract-ingest says what is wrong" {
  printf 'Erna\tB-PER\n' > bio.tsv
  fails 1 'bio.tsv:1: a token comes before the first document' element-extract-ingest bio.tsv --corpus corpus.nd --words words.nd -o out
  : > empty
  fails 1 'empty: is empty' element-extract-ingest empty --corpus corpus.nd --words words.nd -o out
  printf '{"id":"N1","person":["unheard"]}\n' > none.jsonl
  fails 1 'no element of an article' element-extract-ingest -q none.jsonl --corpus corpus.nd --words words.nd -o out
  fails 2 "no label can be meant by 'PER=who'" element-extract-ingest elements.jsonl --kinds PER=who --corpus corpus.nd --words words.nd -o out
  printf -- '-DOCSTART- N1\nErna\nErna PER\n' > short.txt
  ingest short.txt -o out.nd 2> log
  grep -q '1 row skipped: the row has too few columns (first: short.txt:2)' log
}

@test "element-extract-ingest gives the elements of an article it cannot tell to no other one" {
  printf -- '-DOCSTART- N\xff\nOslo LOC\n-DOCSTART- N1\nErna PER\n-DOCSTART- N\xff\nOslo LOC\n' > unknown.txt
  printf -- '-DOCSTART-\nOslo LOC\n-DOCSTART- N9\nOslo LOC\n' >> unknown.txt
  ingest unknown.txt -o out.nd 2> log
  grep -q '2 rows skipped: the text is not UTF-8 (first: unknown.txt:1)' log
  grep -q '1 row skipped: the id is missing (first: unknown.txt:7)' log
  grep -q '1 row skipped: the article is not in the corpus (first: unknown.txt:9)' log
  grep -q 'with_elements=1 time=0 person=1 organization=0 location=0 ' log
}
