#!/usr/bin/env bash
# Writes shell completions from what the tools say of themselves (--print-options), so they cannot be out of date:
#
#   pipelines/completions.sh bash build/bin/*        # one file for all tools
#   pipelines/completions.sh zsh build/bin/*
#   pipelines/completions.sh fish build/bin/*
#
# Options complete by name; a value that is one of a few words completes to them, every other word to file names.
set -euo pipefail

shell=$1
shift

# Usage: options TOOL: "long short arg help" for every option, --[no-]x as two; tab separated, "-" for nothing.
options() {
  "$1" --print-options | awk -F '\t' -v OFS='\t' '
    { short = $2 == "" ? "-" : $2; arg = $3 == "" ? "-" : $3 }
    sub(/^--\[no-\]/, "", $1) { print "--" $1, short, arg, $5; print "--no-" $1, "-", arg, "not: " $5; next }
    { print $1, short, arg, $5 }'
}

bash_completion() {
  local tool name
  cat << 'END'
# Completions of the nightdesk tools for bash.
_nightdesk() {  # OPTIONS VALUES; a line of VALUES is an option and the words it takes
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} option words
  while read -r option words; do
    if [ "$option" = "$before" ]; then
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      return
    fi
  done <<< "$2"
  if [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); fi
}
END
  for tool in "$@"; do
    name=$(basename "$tool")
    echo "_nightdesk_${name//-/_}() {"
    echo "  _nightdesk '$(options "$tool" | awk -F '\t' '{ printf "%s%s", sep, $1; sep = " "; if ($2 != "-") printf " %s", $2 }')' \\"
    echo "    '$(options "$tool" | awk -F '\t' '$3 ~ /\|/ { gsub(/\|/, " ", $3); printf "%s%s %s", sep, $1, $3; sep = "\n" }')'"
    echo "}"
    echo "complete -o default -F _nightdesk_${name//-/_} $name"
  done
}

# \047 is the single quote: awk programs here stand in single quotes themselves.
zsh_completion() {
  local tool name
  echo "#compdef $(for tool in "$@"; do basename "$tool"; done | tr '\n' ' ')"
  echo "# Completions of the nightdesk tools for zsh."
  echo "case \$service in"
  for tool in "$@"; do
    name=$(basename "$tool")
    echo "$name)"
    echo "  _arguments -s \\"
    options "$tool" | awk -F '\t' '{
      help = $4
      gsub(/\047/, "\047\\\047\047", help)
      gsub(/\[|\]|:/, "\\\\&", help)
      value = ""
      if ($3 ~ /\|/) { words = $3; gsub(/\|/, " ", words); value = ":value:(" words ")" }
      else if ($3 != "-") value = ":" $3 ":_files"
      printf "    \047*%s[%s]%s\047 \\\n", $1, help, value
      if ($2 != "-") printf "    \047*%s[%s]%s\047 \\\n", $2, help, value
    }'
    echo "    '*:file:_files'"
    echo "  ;;"
  done
  echo "esac"
}

fish_completion() {
  local tool name
  echo "# Completions of the nightdesk tools for fish."
  for tool in "$@"; do
    name=$(basename "$tool")
    options "$tool" | awk -F '\t' -v name="$name" '{
      help = $4
      gsub(/\\/, "\\\\", help)
      gsub(/\047/, "\\\047", help)
      line = "complete -c " name " -l " substr($1, 3)
      if ($2 != "-") line = line " -s " substr($2, 2)
      if ($3 ~ /\|/) { words = $3; gsub(/\|/, " ", words); line = line " -x -a \047" words "\047" }
      else if ($3 != "-") line = line " -r"
      print line " -d \047" help "\047"
    }'
  done
}

case $shell in
  bash | zsh | fish) "${shell}_completion" "$@" ;;
  *) echo "completions: expected bash, zsh or fish, found '$shell'" >&2; exit 2 ;;
esac
