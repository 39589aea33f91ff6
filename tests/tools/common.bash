# What every Bats file of the tools loads:  load common
#
# Tests run in a folder of their own, $BATS_TEST_TMPDIR, with the built programs first in PATH.
bats_require_minimum_version 1.5.0

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BIN=$(realpath "${BIN:-$ROOT/build/bin}")
PATH=$BIN:$PATH
# Real data for development; not part of the project (skip_without says so where it is absent).
NEWS_DATA=${NEWS_DATA:-$ROOT/../shared/data}
unset ND_LOG NO_COLOR

# Usage: skip_without PATH-IN-NEWS_DATA
skip_without() {
  [ -e "$NEWS_DATA/$1" ] || skip "no $1 in NEWS_DATA ($NEWS_DATA)"
}

# Usage: tools; the name of every tool, one a line.
tools() {
  local file
  for file in "$ROOT"/tools/*.cpp; do
    [ ! -e "$file" ] || basename "$file" .cpp
  done
}

# Usage: fails CODE PATTERN COMMAND...: the command exits with CODE, says nothing on stdout, and one line on stderr,
# "tool: ...", that matches the extended regular expression PATTERN. Says what was wrong otherwise. The command may
# begin with to_full or timeout SECONDS.
fails() {
  local code=$1 pattern=$2 found=0 out err tool
  shift 2
  for tool in "$@"; do [[ "$tool" =~ ^(to_full|timeout|[0-9]+)$ ]] || break; done
  tool=$(basename "$tool")
  err=$BATS_TEST_TMPDIR/.fails.err
  out=$("$@" 2> "$err" | od -An -c | head -c 200; exit "${PIPESTATUS[0]}") || found=$?
  if [ "$found" -ne "$code" ]; then
    echo "$*: exit $found, expected $code; stderr: $(head -c 500 "$err")"
    return 1
  fi
  if [ -n "$out" ]; then
    echo "$*: failed, but wrote to stdout: $out"
    return 1
  fi
  if [ "$(wc -l < "$err")" -ne 1 ] || [[ "$(cat "$err")" != "$tool: "* ]]; then
    echo "$*: expected one line '$tool: ...' on stderr, found: $(head -c 500 "$err")"
    return 1
  fi
  if ! grep -qE -- "$pattern" "$err"; then
    echo "$*: expected '$pattern' in: $(cat "$err")"
    return 1
  fi
}

# Usage: to_full COMMAND...: runs it with stdout on a full disk.
to_full() { "$@" > /dev/full; }

# Usage: on_terminal COMMAND...: runs it with stdin, stdout and stderr on a terminal; both streams come out on stdout.
on_terminal() {
  local line
  line=$(printf '%q ' "$@")
  script -qec "$line" /dev/null < /dev/null
}

# Usage: same_bytes A B: says where they differ otherwise.
same_bytes() {
  cmp "$1" "$2" || { echo "$1 and $2 differ"; return 1; }
}

# Usage: same_for_any_threads COMMAND...: runs it with --threads 1, 2 and 7 and -o; the three files are the same bytes.
same_for_any_threads() {
  local n
  for n in 1 2 7; do
    "$@" -q --threads "$n" -o "$BATS_TEST_TMPDIR/threads-$n" || return 1
  done
  same_bytes "$BATS_TEST_TMPDIR/threads-1" "$BATS_TEST_TMPDIR/threads-2" &&
    same_bytes "$BATS_TEST_TMPDIR/threads-1" "$BATS_TEST_TMPDIR/threads-7"
}
