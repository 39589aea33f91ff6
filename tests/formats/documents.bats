# formats/README.md and man/nightdesk-formats.5 list the very columns that files of each kind have.
load ../tools/common

# Usage: in_readme KIND / in_page KIND: "name type" of every column documented, sorted.
in_readme() {
  awk -v kind="$1" '/^### / { on = index($2, kind) == 1 } on && /^\| `/' "$ROOT/formats/README.md" |
    awk -F ' *[|] *' '{ n = split($2, names, ", "); for (i = 1; i <= n; ++i) { gsub("`", "", names[i]); print names[i], $3 } }' |
    sort
}
in_page() {
  awk -v kind="$1" '/^\.S[hs] / { on = index($2, kind) == 1 }
    on && /^\.It / { line = $0; gsub(/^\.It |Va | ,/, "", line); next_type = 1; n = split(line, names, " "); next }
    on && next_type { sub(/[,:].*/, ""); sub(/\.$/, ""); for (i = 1; i <= n; ++i) print names[i], $0; next_type = 0 }' \
    "$ROOT/man/nightdesk-formats.5" | sort
}
in_file() {
  tensor-dump --schema "$ROOT/tests/formats/passed/$1.safetensors" |
    awk -F '\t' '$1 == "column" { type = $3; sub(/ of .*/, "", type); sub(/^F32\[.*,.*\]/, "matrix", type)
                                  sub(/\[.*/, "", type); print $2, type }' | sort
}

@test "every column of every kind is documented with its type, and no others" {
  for kind in corpus behavior clicks kg vectors stacks candidates scores; do
    [ "$(in_file "$kind" | wc -l)" -ge 3 ]
    diff <(in_file "$kind") <(in_readme "$kind") || { echo "$kind: < file, > formats/README.md"; return 1; }
    diff <(in_file "$kind") <(in_page "$kind") || { echo "$kind: < file, > nightdesk-formats(5)"; return 1; }
  done
}

@test "every kind has its section in both" {
  for kind in corpus behavior clicks kg vectors stacks candidates scores params checkpoint; do
    grep -q "^### $kind/1: " "$ROOT/formats/README.md"
    grep -q "^\.Ss $kind/1: " "$ROOT/man/nightdesk-formats.5"
  done
}

@test "every tool is in formats/README.md" {
  for tool in $(tools); do
    grep -q "^| \`$tool\` | \`$tool " "$ROOT/formats/README.md" || { echo "$tool is missing"; return 1; }
  done
}
