# What holds of every tool that trains, on the files of `load newsroom` or `load clicks`:  load training
#
# All read the command from the array `small`, and the tool, its epochs and whole.nd, what it makes undisturbed, from
# the_whole (in setup_file).
# shellcheck disable=SC2154  # small: set by what was loaded before

# Usage: the_whole TOOL EPOCHS: trains undisturbed, and takes the time.
the_whole() {
  export TRAINER=$1 EPOCHS=$2
  local began=${EPOCHREALTIME/./}
  "$TRAINER" "${small[@]}" -q --epochs "$EPOCHS" --checkpoint-seconds 0 -o whole.nd
  export WHOLE=$((${EPOCHREALTIME/./} - began))  # microseconds
}

# Usage: some_time: sleeps for a random part of the time the whole training takes.
some_time() {
  local us=$(((RANDOM * 32768 + RANDOM) % WHOLE))
  sleep "$((us / 1000000)).$(printf %06d $((us % 1000000)))"
}

# Usage: stopped_anywhere_ends_the_same TIMES: stopped by SIGTERM or SIGINT at a random moment, the same command ends
# with the same bytes; until so many stops have left a checkpoint.
stopped_anywhere_ends_the_same() {
  local n code stops=0
  for n in $(seq 30); do
    code=0
    env --default-signal=INT "$TRAINER" "${small[@]}" --epochs "$EPOCHS" --restart -o stopped.nd 2> log &
    some_time
    kill -s "$([ $((n % 2)) = 0 ] && echo INT || echo TERM)" $! 2> kill.err || true
    wait $! || code=$?
    [[ "$code" =~ ^(0|130|143)$ ]] || { cat log; return 1; }
    if [ -e stopped.nd.ckpt ]; then
      [ "$code" -ne 0 ] || return 1
      [ ! -e stopped.nd ] || return 1
      "$TRAINER" "${small[@]}" -q --epochs "$EPOCHS" -o stopped.nd || return 1
      same_bytes whole.nd stopped.nd || return 1
      stops=$((stops + 1))
    fi
    rm -f stopped.nd
    [ "$stops" -lt "$1" ] || break
  done
  [ "$stops" -gt 0 ]
}

# Usage: killed_often OUT TIMES OPTION...: starts the training so many times and kills it at a random moment.
killed_often() {
  local n
  for n in $(seq "$2"); do
    "$TRAINER" "${small[@]}" -q "${@:3}" --checkpoint-seconds 0 -o "$1" &
    some_time
    kill -KILL $! 2> kill.err || true
    wait $! || true
    rm -f ".$1".*
  done
}

# Usage: stop_after_a_step OUT OPTION...: leaves OUT.ckpt.
stop_after_a_step() {
  : > stop.log
  "$TRAINER" "${small[@]}" --epochs 1000000 --patience 0 "${@:2}" -o "$1" 2> stop.log &
  local pid=$!
  until grep -q epoch=1 stop.log; do sleep 0.01; done
  kill -TERM $pid
  ! wait $pid
}

# Usage: each_is_another VARIANT...: trains with each for one epoch; no two end with the same bytes.
each_is_another() {
  local variant n=0
  for variant in "$@"; do
    # shellcheck disable=SC2086
    "$TRAINER" "${small[@]}" -q --epochs 1 $variant -o "variant-$n.nd" || { echo "$variant"; return 1; }
    n=$((n + 1))
  done
  [ "$(cksum variant-*.nd | cut -d ' ' -f 1 | sort -u | wc -l)" -eq "$n" ]
}
