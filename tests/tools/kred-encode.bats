# kred-encode on a tiny artificial newsroom.

load common
load newsroom

setup_file() {
  newsroom
  kred-train "${small[@]}" -q -o kred.nd
}
setup() { cd "$BATS_FILE_TMPDIR"; }

# Usage: sums_to_one WHAT: the weights of the rows WHAT in attention.tsv, by the thing they are of, and how many things.
sums_to_one() {
  awk -F '\t' -v what="$1" '
    $1 == what { sum[$2] += $8 }
    END { for (of in sum) { ++n; if (sum[of] < 0.99999 || sum[of] > 1.00001) { print of, sum[of]; bad = 1 } }
          if (n == 0) print "no row " what; exit bad || n == 0 }' attention.tsv
}

@test "any number of threads gives the same bytes" {
  same_for_any_threads kred-encode kred.nd "${reads[@]}"
  for n in 1 7; do kred-encode -q kred.nd "${reads[@]}" --threads $n --attention "attention-$n.tsv" -o x.nd; done
  same_bytes attention-1.tsv attention-7.tsv
}

@test "every article of the corpus gets a vector under its id, and --compress packs it" {
  kred-encode -q kred.nd "${reads[@]}" -o all.nd
  tensor-check all.nd
  diff <(tensor-dump --column id all.nd) <(tensor-dump --column id corpus.nd)
  [ "$(tensor-dump --column x all.nd | head -n 1 | wc -w)" -eq 8 ]
  kred-encode -q kred.nd "${reads[@]}" --compress 3 -o packed.nd
  tensor-diff all.nd packed.nd
}

@test "an article's vector does not depend on the articles encoded with it" {
  kred-encode -q kred.nd "${reads[@]}" -o all.nd
  # Seven articles, in another order, as a corpus of their own; one, all alone.
  for rows in 7 1; do
    tail -n $rows room/dev/news.tsv | tac > few.tsv
    mind-ingest -q --news few.tsv -o few-articles.nd
    entity-link-filter -q few-articles.nd --vectors entities.nd -o few.nd
    kred-encode -q kred.nd --corpus few.nd "${reads[@]:2}" -o few-vectors.nd
    tensor-dump --column id --column x few-vectors.nd > few.txt
    [ "$(wc -l < few.txt)" -eq $rows ]
    tensor-dump --column id --column x all.nd | grep -Fxf few.txt | sort | diff - <(sort few.txt)
  done
}

@test "the attention of an article over its entities and of an entity over its neighbours sums to 1" {
  kred-encode -q kred.nd "${reads[@]}" --attention attention.tsv -o x.nd
  [ "$(head -n 1 attention.tsv)" = $'what\tof\tto\tlabel\tkind\tposition\tfrequency\tweight' ]
  sums_to_one entity
  sums_to_one neighbour
  # Every article with links is there, and every neighbour is a triple of the graph.
  [ "$(awk '$1 == "entity" { print $2 }' attention.tsv | sort -u | wc -l)" -gt 200 ]
  awk -F '\t' '$1 == "neighbour" { print $2 "\t" $5 "\t" $3 }' attention.tsv | sort -u > used
  [ -z "$(comm -23 used <(sort -u room/kg/train.txt))" ]
}

@test "models without a part of the attention have no rows of it" {
  kinds() {
    # shellcheck disable=SC2086
    kred-train "${small[@]}" -q --epochs 1 $1 -o part.nd
    kred-encode -q part.nd "${reads[@]}" --attention part.tsv -o x.nd
    tail -n +2 part.tsv | cut -f 1 | sort -u | xargs
  }
  [ "$(kinds '--model dv')" = "" ]
  [ "$(kinds '--model dv-entity')" = entity ]
  [ "$(kinds '--kgat off')" = entity ]
  [ "$(kinds '--kgat mean')" = "entity neighbour" ]
  [ "$(kinds '--distill max')" = neighbour ]
}

@test "other entity vectors and another graph are refused with both digests" {
  kg-transe -q kg.nd --dim 8 --epochs 2 --seed 2 -o other-entities.nd
  fails 1 'kred.nd: was made from the entities [0-9a-f]{16}, but other-entities.nd is [0-9a-f]{16}' \
    kred-encode -q kred.nd "${reads[@]:0:4}" --entities other-entities.nd --kg kg.nd -o y.nd
  tail -n +9 room/kg/train.txt > fewer.txt
  kg-ingest -q --train fewer.txt -o other-kg.nd
  fails 1 'kred.nd: was made from the kg [0-9a-f]{16}, but other-kg.nd is [0-9a-f]{16}' \
    kred-encode -q kred.nd "${reads[@]:0:6}" --kg other-kg.nd -o y.nd
  [ ! -e y.nd ]
}

@test "document vectors that do not fit are refused, missing ones are counted" {
  text-encode -q corpus.nd --dim 8 --epochs 1 -o narrow.nd
  fails 1 'narrow.nd: vectors of 8 numbers, but kred.nd was trained on 16' \
    kred-encode -q kred.nd "${reads[@]}" --documents narrow.nd -o y.nd
  head -n 5 room/train/news.tsv > few.tsv
  mind-ingest -q --news few.tsv -o five-articles.nd
  text-encode -q five-articles.nd --dim 16 --epochs 1 --least-count 1 -o five.nd
  run -0 kred-encode kred.nd --corpus corpus.nd --documents five.nd "${reads[@]:4}" -o y.nd
  [[ "$output" == *"coverage articles=240 without_vector=235 "* ]]
}

@test "files of another kind, and a model that is not KRED's, are refused" {
  fails 1 'corpus.nd: .*params/1' kred-encode -q corpus.nd "${reads[@]}" -o y.nd
  fails 1 'kred.nd: .*corpus/1' kred-encode -q kred.nd "${reads[@]}" --corpus kred.nd -o y.nd
  fails 1 'articles.nd: article N[0-9]+ links Q[0-9]+ more than once: run entity-link-filter' \
    kred-encode -q kred.nd "${reads[@]}" --corpus articles.nd -o y.nd
  tensor-dump --json kred.nd | sed '1s/"architecture":"kred"/"architecture":"dhan"/' > edited
  tensor-pack -q edited -o dhan.nd
  fails 1 "dhan.nd: these are not KRED's parameters" kred-encode -q dhan.nd "${reads[@]}" -o y.nd
}
