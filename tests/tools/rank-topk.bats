# rank-topk on a tiny artificial newsroom.

load common
load newsroom

setup_file() {
  newsroom
  kred-train "${small[@]}" -q -o kred.nd
}
setup() { cd "$BATS_FILE_TMPDIR"; }

topk() { rank-topk -q "$@" --params kred.nd "${reads[@]}"; }

@test "any number of threads gives the same bytes" {
  same_for_any_threads rank-topk test.nd --params kred.nd "${reads[@]}" --best 20
}

@test "every user gets the best N, best first, ranked from 1, without what they have read" {
  behavior two.nd '1 U1 10:00:00 N1,N2,N3 N5' '2 U2 11:00:00 - N6'
  topk two.nd --best 4 > out
  [ "$(cut -f 1,2 out | tr '\t\n' '  ')" = "U1 1 U1 2 U1 3 U1 4 U2 1 U2 2 U2 3 U2 4 " ]
  awk -F '\t' '$1 == user && $4 > last { exit 1 } { user = $1; last = $4 }' out
  topk two.nd --best 1000 > out
  [ "$(grep -c '^U1' out) $(grep -c '^U2' out)" = "237 240" ]
  run ! grep -E $'^U1\t[0-9]+\tN[123]\t' out
  topk two.nd --best 1000 --seen > out
  [ "$(grep -c '^U1' out)" = 240 ]
}

@test "a score is the one rank-score gives that user and article" {
  behavior one.nd '1 U1 10:00:00 N1,N2 N7,N8,N9'
  rank-score -q one.nd --params kred.nd "${reads[@]}" -o scores.nd
  printf 'N7\nN8\nN9\n' > pool.txt
  diff <(topk one.nd --pool pool.txt | cut -f 4 | sort) <(tensor-dump --column score scores.nd | tr ' ' '\n' | sort)
}

@test "a list does not depend on the users beside it" {
  topk test.nd --best 7 > all
  for user in $(cut -f 1 all | uniq | head -n 3); do
    diff <(topk test.nd --best 7 --user "$user") <(grep -P "^$user\t" all)
  done
}

@test "users are listed as named, by their latest impression" {
  behavior three.nd '1 U1 12:00:00 N1,N2 N5' '2 U2 11:00:00 - N6' '3 U1 10:00:00 N1 N5'
  run -0 topk three.nd --user U2 --user U1 --best 1
  [ "$(cut -f 1 <<< "$output" | xargs)" = "U2 U1" ]
  # N2 was read at noon, though that row comes first.
  topk three.nd --user U1 --best 1000 > out
  run ! grep -P '\tN2\t' out
  fails 1 'three.nd: .*user U9' rank-topk three.nd -q --user U9 --params kred.nd "${reads[@]}"
}

@test "a pool limits what is listed and is checked row by row" {
  printf 'N9\nN4\n\nN8\r\n' > pool.txt
  [ "$(topk test.nd --seen --pool pool.txt | cut -f 3 | sort -u | xargs)" = "N4 N8 N9" ]
  bad() {
    printf '%b' "$1" > bad.txt
    fails 1 "$2" rank-topk test.nd -q --pool bad.txt --params kred.nd "${reads[@]}"
  }
  bad 'N1\nN0\n' 'bad.txt:2: article N0 is not in the corpus'
  bad 'N1\nN2\nN1\n' 'bad.txt:3: article N1 comes twice'
  bad '\n' 'bad.txt: holds no article id'
  bad '' 'bad.txt: '
  fails 1 'none.txt: ' rank-topk test.nd -q --pool none.txt --params kred.nd "${reads[@]}"
}

@test "a behavior of another corpus is refused with both digests" {
  strangers
  fails 1 'strangers.nd: was made from the corpus [0-9a-f]{16}, but corpus.nd is [0-9a-f]{16}' \
    rank-topk strangers.nd -q --params kred.nd "${reads[@]}"
}
