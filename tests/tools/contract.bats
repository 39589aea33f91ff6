# What every tool promises (man/nightdesk.7), checked on all of them: whoever adds a tool adds nothing here.
# Each test walks over all tools and lists every breach. The last tests show that a badly behaved tool is seen.

load common

# Tools whose -o is text, fine to see on a terminal; all others refuse.
text_tools=" eval-rank kg-eval rank-topk tensor-dump report "
# Tools that answer a question: 0 yes, 1 no, 2 trouble.
predicates=" tensor-check tensor-diff "
# Options beside the required ones that a tool needs before it opens its inputs.
declare -gA also=(
  [kred-train]="--model dv"
  [rank-score]="--by popularity --from nowhere.nd"
)

# Usage: failed_code TOOL [bad-file]: what a failure exits with. To tensor-check a bad file is an answer, no trouble.
failed_code() {
  if [[ "$predicates" == *" $1 "* ]] && [ "$*" != "tensor-check bad-file" ]; then echo 2; else echo 1; fi
}

# Usage: minimal TOOL PATH: the smallest command line its usage allows, every input being PATH; one word a line.
# Outputs go to the files "out" and "out--NAME-out".
minimal() {
  local tool=$1 path=$2 usage word option=""
  usage=$("$tool" --help | awk '/^Usage: / { on = 1 } /^$/ { on = 0 } on' | tr -s ' \n' ' ')
  for word in ${usage#Usage: }; do
    case $word in
      "$tool" | \[*) ;;
      -*) option=$word ;;
      *)
        if [ -z "$option" ]; then
          echo "$path"
        else
          echo "$option"
          case $option in
            -o | --output) echo out ;;
            --*-out) echo "out$option" ;;
            *) echo "$path" ;;
          esac
        fi
        option="" ;;
    esac
  done
  [ -z "${also[$tool]:-}" ] || tr ' ' '\n' <<< "${also[$tool]}"
}

# Usage: each RULE: runs RULE TOOL for every tool; fails with all that the rules printed.
each() {
  local tool breaches="" said
  cd "$BATS_TEST_TMPDIR"
  for tool in $(tools); do
    said=$("$1" "$tool" 2>&1) || breaches+="$tool: ${said:-$1 failed}"$'\n'
  done
  printf '%s' "$breaches"
  [ -z "$breaches" ]
}

builds() {
  [ -x "$BIN/$1" ] || { echo "not built"; return 1; }
}

helps() {
  local text
  for option in --help -h; do
    text=$("$1" "$option" 2> err) || { echo "$option: exit $?"; return 1; }
    [ ! -s err ] || { echo "$option writes to stderr"; return 1; }
  done
  [[ "$text" == "$1 - "* ]] || { echo "the help opens with '$(head -n 1 <<< "$text")'"; return 1; }
  grep -q "^Usage: $1 " <<< "$text" || { echo "no usage line"; return 1; }
  grep -qE "^  .*$1 " <<< "$text" || { echo "no example"; return 1; }
  [ "$(grep '^See also: ' <<< "$text" | grep -o 'nightdesk(7)' | wc -l)" = 1 ] || { echo "see also does not name nightdesk(7) once"; return 1; }
  [[ "$("$1" --version)" == "$1 (nightdesk) "* ]] || { echo "no version"; return 1; }
}

refuses_unknown_options() {
  fails 2 'unknown option --no-such-option' "$1" --no-such-option &&
    fails 2 'unknown option --no-such-option' "$1" a b c d e f --no-such-option=4 --seed none
}

refuses_missing_arguments() {
  [ -z "$(minimal "$1" x)" ] || fails 2 'missing|give ' "$1"
}

notices_a_full_disk() {
  local code option
  code=$(failed_code "$1")
  for option in --help --version --print-options; do
    fails "$code" 'No space left' to_full "$1" "$option" || return 1
  done
}

# Usage: refuses TOOL PATH [bad-file]: the tool fails on PATH as its input, with one line that names the path.
refuses() {
  local arguments code
  code=$(failed_code "$1" ${3:+"$3"})
  mapfile -t arguments < <(minimal "$1" "$2")
  printf '%s\n' "${arguments[@]}" | grep -qxF -- "$2" || return 0
  rm -rf out*
  fails "$code" "$2" timeout 20 "$1" "${arguments[@]}" < /dev/null || return 1
  ! compgen -G 'out*' || { echo "left an output behind"; return 1; }
}

refuses_a_missing_file() { refuses "$1" /no/such/file; }
refuses_a_folder() { mkdir -p folder; refuses "$1" folder; }
refuses_an_empty_file() { : > empty; refuses "$1" empty bad-file; }
refuses_garbage() {
  head -c 4096 "$BIN/$1" > garbage
  refuses "$1" garbage bad-file
}

# "-" is an input like any other: a bad stream on it is a failure to read, not bad usage.
takes_a_dash() {
  local arguments code=0
  mapfile -t arguments < <(minimal "$1" /no/such/file)
  [ "${arguments[0]:-}" = /no/such/file ] || return 0
  arguments[0]=-
  printf 'garbage' | timeout 20 "$1" "${arguments[@]}" > /dev/null 2> err || code=$?
  [ "$code" -eq "$(failed_code "$1" bad-file)" ] || { echo "exit $code on '-': $(cat err)"; return 1; }
  ! grep -q 'unknown\|unexpected argument' err || { cat err; return 1; }
}

refuses_a_terminal() {
  local arguments said code=0
  "$1" --print-options | grep -qP '^--output\t-o\tFILE' || return 0
  mapfile -t arguments < <(minimal "$1" /no/such/file)
  said=$(on_terminal "$1" "${arguments[@]}" -o -) || code=$?
  if [[ "$text_tools" == *" $1 "* ]]; then
    [[ "$said" != *"binary output is not written to a terminal"* ]] || { echo "refuses, though it writes text"; return 1; }
  else
    [ "$code" -eq 2 ] && [[ "$said" == *"binary output is not written to a terminal"* ]] ||
      { echo "exit $code on a terminal: $said"; return 1; }
  fi
}

# Usage: options_of_page PAGE: "short long arg" of every option of its OPTIONS section, sorted.
options_of_page() {
  awk '/^\.Sh / { on = $2 == "OPTIONS" }
       on && /^\.It Fl / {
         line = ""
         for (i = 2; i <= NF; ++i)
           if ($i == "Fl") line = line " -" $++i
           else if ($i == "Ar") line = line " " $++i
         print substr(line, 2)
       }' "$1" | sort
}

options_of_tool() {
  "$1" --print-options | awk -F '\t' '{ line = $1; if ($2 != "") line = $2 " " line; if ($3 != "") line = line " " $3; print line }' | sort
}

has_a_page() {
  local page=$ROOT/man/$1.1 section sections=""
  [ -e "$page" ] || { echo "no man page"; return 1; }
  mandoc -T lint -W warning "$page" || return 1
  diff <(options_of_tool "$1") <(options_of_page "$page") || { echo "(< --print-options, > man page)"; return 1; }
  grep -qx '\.Xr nightdesk 7' "$page" || { echo "its SEE ALSO lacks nightdesk(7)"; return 1; }
  sections=$(sed -n 's/^\.Sh //p' "$page" | tr -d '"' | tr '\n' '|')
  [ "$sections" = "NAME|SYNOPSIS|DESCRIPTION|OPTIONS|INPUT|OUTPUT|EXIT STATUS|SIGNALS|EXAMPLES|SEE ALSO|" ] ||
    { echo "the sections are $sections"; return 1; }
  [ "$(sed -n 's/^\.Nd //p' "$page")" = "$("$1" --help | awk '/^$/ { exit } { printf "%s%s", sep, $0; sep = " " }' | tr -s ' ' | sed "s/^$1 - //")" ] ||
    { echo "the page's .Nd is not the tool's summary"; return 1; }
}

# A default is written in the option's item of the page as "Default: X."
page_has_the_defaults() {
  local long initial
  while IFS=$'\t' read -r long initial; do
    awk -v long="${long#-}" -v initial="$initial" '
      /^\.It Fl / { on = index($0 " ", "Fl " long " ") > 0 }
      on && index($0, "Default: " initial ".") == 1 { found = 1 }
      END { exit !found }' "$ROOT/man/$1.1" || { echo "the page lacks 'Default: $initial.' under $long"; return 1; }
  done < <("$1" --print-options | awk -F '\t' '$4 != "" { print $1 "\t" $4 }')
}

# Usage: examples TOOL: every command of its help's and its page's examples, one pipeline stage a line.
examples() {
  {
    "$1" --help | awk '/^Examples?:$/ { on = 1; next } /^$/ { on = 0 } on'
    awk '/^\.Sh / { on = $2 == "EXAMPLES" }
         on && /^\.Bd / { block = 1; next }
         on && /^\.Ed/ { block = 0 }
         on && /^\.Dl / { sub(/^\.Dl /, ""); print; next }
         on && block' "$ROOT/man/$1.1" | sed 's/\\e/\\/g; s/\\-/-/g; s/\\&//g; s/^\.\\".*//'
  } | sed -e ':join' -e '/\\$/ { N; s/\\\n//; b join' -e '}' | sed 's/#.*//; s/ *\(&&\|||\||\|;\) */\n/g' | sed 's/^[ $]*//; /^$/d'
}

examples_parse() {
  local line word known seen=0
  while IFS= read -r line; do
    read -r -a words <<< "$line"
    [[ " $(tools | tr '\n' ' ')" == *" ${words[0]} "* ]] || { command -v "${words[0]}" > /dev/null && continue; echo "no such command: $line"; return 1; }
    [ "${words[0]}" != "$1" ] || seen=1
    known=" $("${words[0]}" --print-options | cut -f 1,2 | sed 's/^--\[no-\]\([^\t]*\)/--\1 --no-\1/' | tr '\t\n' '  ') "
    for word in "${words[@]:1}"; do
      [[ "$word" == -?* ]] || continue
      [[ "$word" =~ ^-[0-9.] ]] && continue
      [[ "$known" == *" ${word%%=*} "* ]] || { echo "unknown option $word in the example: $line"; return 1; }
    done
  done < <(examples "$1")
  [ "$seen" -eq 1 ] || { echo "no example runs the tool itself"; return 1; }
}

@test "every tool is built" { each builds; }
@test "every tool has help with a runnable example, and a version" { each helps; }
@test "every tool refuses an unknown option before anything else" { each refuses_unknown_options; }
@test "every tool says which argument is missing" { each refuses_missing_arguments; }
@test "every tool notices a full disk behind stdout" { each notices_a_full_disk; }
@test "every tool names a file that does not exist" { each refuses_a_missing_file; }
@test "every tool names a folder given for a file" { each refuses_a_folder; }
@test "every tool names an empty file" { each refuses_an_empty_file; }
@test "every tool names a file of garbage" { each refuses_garbage; }
@test "every tool takes - for an input" { each takes_a_dash; }
@test "every tool that writes binary refuses a terminal" { each refuses_a_terminal; }
@test "every tool has a clean page that lists exactly its options" { each has_a_page; }
@test "every page names the defaults" { each page_has_the_defaults; }
@test "every example names commands and options that exist" { each examples_parse; }

# Negative controls: a tool that keeps no promise at all, beside a page that is wrong about it.
bad_tool() {
  mkdir -p "$BATS_TEST_TMPDIR/bad/tools" "$BATS_TEST_TMPDIR/bad/man" "$BATS_TEST_TMPDIR/bad/bin"
  cd "$BATS_TEST_TMPDIR/bad"
  cat > bin/bad-tool << 'END'
#!/bin/bash
case "$*" in
  *--help*) printf 'bad-tool - does nothing well\n\nUsage: bad-tool [options] INPUT -o FILE\n\nExample:\n  bad-tool in --lost\n' ;;
  *--print-options*) printf -- '--output\t-o\tFILE\t\tfile\n--lr\t\tR\t0.1\tstep\n' ;;
  *) echo "what a mess" ; echo "bad-tool: one" >&2; echo "bad-tool: two" >&2; touch out; exit 3 ;;
esac
exit 0
END
  chmod +x bin/bad-tool
  touch tools/bad-tool.cpp
  printf '.Dd May 1, 2024\n.Dt BAD-TOOL 1\n.Os\n.Sh NAME\n.Nm bad-tool\n.Nd fine\n.Sh OPTIONS\n.Bl -tag -width Ds\n.It Fl -gone Ar X\nx\n.El\n.Sh EXAMPLES\n.Dl bad-tool --gone\n' > man/bad-tool.1
  ROOT=$PWD BIN=$PWD/bin PATH=$PWD/bin:$PATH
}

@test "negative control: a badly behaved tool breaks every rule" {
  bad_tool
  for rule in helps refuses_unknown_options refuses_missing_arguments notices_a_full_disk refuses_a_missing_file \
    refuses_a_folder refuses_an_empty_file refuses_garbage takes_a_dash refuses_a_terminal has_a_page \
    page_has_the_defaults examples_parse; do
    run each "$rule"
    [ "$status" -ne 0 ] || { echo "$rule saw nothing"; return 1; }
    [[ "$output" == *"bad-tool: "* ]]
  done
}

@test "negative control: a page that differs in one argument is seen" {
  bad_tool
  printf '.Sh OPTIONS\n.It Fl o , Fl -output Ar FILE\n.It Fl -lr Ar RATE\n' > man/bad-tool.1
  run diff <(options_of_tool bad-tool) <(options_of_page man/bad-tool.1)
  [ "$status" -eq 1 ]
  [[ "$output" == *"< --lr R"*"> --lr RATE"* ]]
}
