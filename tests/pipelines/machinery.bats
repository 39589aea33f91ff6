# What all pipelines stand on: the record of a step, options stamps, order-only tools, and setting the machine up.

bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
run_sh=$ROOT/pipelines/run.sh

setup() {
  cd "$BATS_TEST_TMPDIR"
  mkdir -p bin
  printf '#!/bin/sh\necho "$@"\n' > bin/some-tool
  chmod +x bin/some-tool
  cat > pipeline.mk << END
OUT := out
include $ROOT/pipelines/common.mk
RATE ?= 0.1
TRAIN = --lr \$(RATE) --name 'a b'
out/result: input out/options/TRAIN \$(call uses,some-tool)
	\$(run) some-tool \$(TRAIN) > \$@
END
  echo input > input
}

remake() { make -s -f pipeline.mk BIN="$PWD/bin" "$@" out/result; }

# Usage: stopped_training: a pipeline whose tool leaves a checkpoint when it is killed, and fails on any but its own.
stopped_training() {
  sed -i 's/\$(run) some-tool/$(run_training) some-tool/' pipeline.mk
  cat > bin/some-tool << 'END'
#!/bin/sh
if [ -e out/result.ckpt ]; then echo "goes on from $(cat out/result.ckpt)"; exit; fi
echo "starts anew"
END
  remake out/options/TRAIN > made.log 2>&1
  rm -f out/result
  echo here > out/result.ckpt
}

@test "a training that was killed goes on" {
  stopped_training
  remake
  [ "$(cat out/result)" = "goes on from here" ]
}

@test "a training that was killed under another setting, or with another input, starts anew" {
  stopped_training
  remake RATE=0.2
  [ "$(cat out/result)" = "starts anew" ]
  rm out/result
  touch -r input out/result.ckpt
  echo more >> input
  remake RATE=0.2
  [ "$(cat out/result)" = "starts anew" ]
}

@test "a step leaves command, commit, start, messages, exit code and seconds in its log" {
  run -3 --separate-stderr "$run_sh" logs/step.log bash -c 'cat; echo told >&2; exit 3' < <(echo data)
  [ "$output" = data ]
  [[ "$stderr" == *told* ]]
  for line in '# command: bash -c ' '# commit: ' '# start: 20' 'told' '# exit: 3 after '; do
    grep -q "^$line" logs/step.log
  done
}

@test "a second run of a step is added to its log" {
  "$run_sh" step.log true
  "$run_sh" step.log true
  [ "$(grep -c '^# exit: 0' step.log)" -eq 2 ]
}

@test "SIGTERM reaches the command, which may take its time" {
  cat > trainer << 'END'
trap 'sleep 0.5; echo checkpoint > checkpoint; exit 143' TERM
touch started
while :; do sleep 0.05; done
END
  "$run_sh" step.log bash trainer &
  pid=$!
  while [ ! -e started ]; do sleep 0.05; done
  kill -TERM "$pid"
  code=0
  wait "$pid" || code=$?
  [ "$code" -eq 143 ]
  [ -e checkpoint ]
  grep -q '^# exit: 143' step.log
}

@test "SIGTERM before the command has begun ends the step too, and nothing keeps running" {
  local n code
  ln -s "$(command -v sleep)" nap
  for n in $(seq 60); do
    "$run_sh" "$PWD/early.log" "$PWD/nap" 30 3>&- 2> messages &
    sleep "0.0$(printf %02d $((n % 20)))"
    kill -TERM $!
    code=0
    wait $! || code=$?
    [ "$code" -eq 143 ]
  done
  for n in 1 2 3 4 5 6 7 8 9; do
    pgrep -f "$PWD/(nap|early.log)" > left || return 0
    sleep 0.1
  done
  cat left
  return 1
}

@test "a signal to the whole group leaves the command its messages" {
  cat > trainer << 'END'
trap 'sleep 0.1; echo checkpoint written >&2; exit 143' TERM
touch started
while :; do sleep 0.05; done
END
  setsid "$run_sh" step.log bash trainer 2> messages &
  while [ ! -e started ]; do sleep 0.05; done
  kill -TERM -- -$!
  wait $! || true
  grep -q 'checkpoint written' messages
  grep -q 'checkpoint written' step.log
}

@test "a second make does nothing" {
  remake
  touch -d '1 hour ago' input out/options/TRAIN
  touch -d '30 minutes ago' out/result
  before=$(stat -c %Y out/result)
  remake
  [ "$(stat -c %Y out/result)" = "$before" ]
}

@test "another option makes the step again" {
  remake
  [ "$(cat out/result)" = "--lr 0.1 --name a b" ]
  remake RATE=0.2
  [ "$(cat out/result)" = "--lr 0.2 --name a b" ]
}

@test "a rebuilt tool makes the step again only with STRICT=1" {
  remake
  touch -d '1 hour ago' input out/options/TRAIN
  touch -d '30 minutes ago' out/result
  before=$(stat -c %Y out/result)
  touch bin/some-tool
  remake
  [ "$(stat -c %Y out/result)" = "$before" ]
  remake STRICT=1
  [ "$(stat -c %Y out/result)" != "$before" ]
}

@test "a failed step leaves no target behind, and make fails" {
  printf '#!/bin/sh\necho half\nexit 1\n' > bin/some-tool
  run remake
  [ "$status" -ne 0 ]
  [ ! -e out/result ]
}

@test "a tool that is not built is named" {
  rm bin/some-tool
  run remake
  [ "$status" -ne 0 ]
  [[ "$output" == *"some-tool is missing: run 'make build' first"* ]]
}

# A machine that has no package at all, and on which nothing is really installed.
bare_machine() {
  printf '#!/bin/sh\nexit 1\n' > bin/dpkg-query
  printf '#!/bin/sh\necho "$@" >> "%s/apt"\n%s\n' "$PWD" "$1" > bin/apt-get
  printf '#!/bin/sh\necho %s\n' "$2" > bin/id
  printf '#!/bin/sh\n[ "$1" = -n ] && shift\necho sudo >> "%s/apt"\nexec "$@"\n' "$PWD" > bin/sudo
  chmod +x bin/*
  PATH=$PWD/bin:$PATH
}

@test "setup installs what is missing, as root without sudo" {
  bare_machine 'exit 0' 0
  "$ROOT/pipelines/setup.sh" build test
  grep -q 'install .*g++' apt
  grep -q 'install .*bats' apt
  ! grep -q sudo apt || false
}

@test "setup goes through sudo when not root" {
  bare_machine 'exit 0' 1000
  "$ROOT/pipelines/setup.sh" build
  grep -q sudo apt
}

@test "setup lists what is missing when it cannot install it" {
  bare_machine 'echo no network; exit 100' 0
  run -1 "$ROOT/pipelines/setup.sh" build
  [[ "$output" == *"no network"* ]]
  [[ "$output" == *"  cmake"* ]]
  [[ "$output" == *"SETUP=no"* ]]
}

@test "setup is silent and installs nothing when nothing is missing" {
  bare_machine 'exit 0' 0
  printf '#!/bin/sh\nprintf "install ok installed"\n' > bin/dpkg-query
  run -0 "$ROOT/pipelines/setup.sh" build test bench parity lint
  [ -z "$output" ]
  [ ! -e apt ]
}
