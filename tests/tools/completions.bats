# Shell completions are made from --print-options; bash's are run here, the others read.

load common

programs() { tools | sed "s|^|$BIN/|"; }

setup() {
  mapfile -t all < <(programs)
  for shell in bash zsh fish; do
    "$ROOT/pipelines/completions.sh" "$shell" "${all[@]}" > "$BATS_TEST_TMPDIR/$shell"
  done
}

# Usage: complete TOOL BEFORE WORD: what bash offers for WORD after BEFORE, one a line.
complete_word() {
  COMP_WORDS=("$1" "$2" "$3") COMP_CWORD=2 COMPREPLY=()
  "_nightdesk_${1//-/_}"
  printf '%s\n' "${COMPREPLY[@]}"
}

@test "bash completes options by name and values that are words" {
  source "$BATS_TEST_TMPDIR/bash"
  for tool in $(tools); do
    [ "$(complete_word "$tool" x --log-f)" = --log-format ]
    [ "$(complete_word "$tool" --log-format j)" = json ]
    [ -z "$(complete_word "$tool" -o some-f)" ]  # a file name: bash's own completion takes over
  done
}

@test "every option of every tool is in each of the three" {
  for tool in $(tools); do
    while read -r option; do
      grep -qE -- "[' ]${option}[' ]" "$BATS_TEST_TMPDIR/bash"
      grep -qF -- "'*${option}[" "$BATS_TEST_TMPDIR/zsh"
      grep -qE -- "^complete -c $tool -l ${option#--} " "$BATS_TEST_TMPDIR/fish"
    done < <("$tool" --print-options | cut -f 1 | sed -E 's/^--\[no-\](.*)/--\1\n--no-\1/')
  done
}

@test "an unknown shell is refused" {
  run -2 "$ROOT/pipelines/completions.sh" csh
}
