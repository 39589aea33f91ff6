#!/usr/bin/env bash
# Runs one step of a pipeline and keeps a record of it: pipelines/run.sh LOG COMMAND [ARGUMENT...]
#
# LOG gets a header (command, commit, start), everything the command says on stderr (still shown), and a footer (exit
# code, seconds). Several runs of one step follow each other in the log. stdin and stdout are the command's own.
#
# SIGINT and SIGTERM are passed on to the command, and the script waits for it: a trainer then has the time to write
# its checkpoint, and make sees the command's own exit code.
set -euo pipefail

log=$1
shift
mkdir -p "$(dirname "$log")"
root=$(dirname "$0")/..
commit=$(git -C "$root" describe --always --dirty 2> /dev/null || echo unknown)
{
  echo "# command: $(printf '%q ' "$@")"
  echo "# commit: $commit"
  echo "# start: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
} >> "$log"
echo "+ $*" >&2

# A signal that comes before the command is there is kept for it.
command="" signal=""
trap 'signal=INT; [ -z "$command" ] || kill -INT $command 2> /dev/null' INT
trap 'signal=TERM; [ -z "$command" ] || kill -TERM $command 2> /dev/null' TERM HUP

# Job control gives the command a process group of its own. Without it bash would have it ignore SIGINT and read
# nothing, as it does with any command in the background.
set -m
exec 3> >(trap '' INT TERM HUP; exec tee -a "$log" >&2)  # lives as long as somebody writes
copier=$!
start=$(date +%s.%N)
"$@" <&0 2>&3 3>&- &
command=$!
exec 3>&-
[ -z "$signal" ] || kill "-$signal" "$command" 2> /dev/null || true

# wait returns early, with the code of the signal, each time a trap has run; with -f not also when the command is only
# stopped (Ctrl-Z): the loop would spin.
code=0
while :; do
  wait -f "$command" && code=0 || code=$?
  kill -0 "$command" 2> /dev/null || break
done
wait "$copier" || true
echo "# exit: $code after $(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }') s" >> "$log"
exit "$code"
