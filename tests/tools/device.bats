# --device where there is no GPU: auto and cpu compute on the CPU; cuda ends every tool that has the option with exit 1
# and one line that says what is missing, before anything is read or written. On a machine with a GPU see tests/gpu.
#
# Whoever gives a tool the option adds a command to the table: a tool that has none fails the test.

load common

# None of the files is there: the device is looked at first.
declare -gA commands=(
  [dhan-train]="--clicks c --corpus k --valid v -o out.nd"
  [kg-transe]="kg -o out.nd"
  [kred-encode]="kred --corpus c --documents d -o out.nd"
  [kred-train]="--train t --valid v --corpus c --documents d --entities e --kg k -o out.nd"
  [rank-score]="behavior --params kred --corpus c --documents d -o out.nd"
  [rank-topk]="behavior --params kred --corpus c --documents d"
)

setup() {
  if [ -e /dev/nvidia0 ]; then skip "there is a GPU here"; fi
  cd "$BATS_TEST_TMPDIR"
}

@test "every tool with --device is in the table" {
  local tool
  for tool in $(tools); do
    if "$tool" --print-options | grep -q '^--device'; then [ -n "${commands[$tool]:-}" ]; else [ -z "${commands[$tool]:-}" ]; fi
  done
}

@test "--device cuda says in one line what is missing, and to use the CPU" {
  local tool missing='(no GPU here|no CUDA backend|too old).*; use --device cpu$'
  for tool in "${!commands[@]}"; do
    # shellcheck disable=SC2086  # a list of words
    fails 1 "^$tool: --device cuda: .*$missing" "$tool" ${commands[$tool]} --device cuda
  done
  [ ! -e out.nd ]
}

@test "--device auto and cpu get as far as the files" {
  local tool device
  for tool in "${!commands[@]}"; do
    for device in auto cpu; do
      # shellcheck disable=SC2086
      fails 1 'No such file' "$tool" ${commands[$tool]} --device $device
    done
  done
}

@test "--device takes nothing else" {
  fails 2 'expected auto.cpu.cuda' kg-transe kg -o out.nd --device gpu
}

@test "--tf32 is an option of what multiplies matrices, and no matter to a CPU" {
  local tool device
  for tool in "${!commands[@]}"; do
    if [ "$tool" = kg-transe ]; then  # its distances are sums of a kernel
      fails 2 'unknown option --tf32' "$tool" ${commands[$tool]} --tf32
      continue
    fi
    for device in auto cpu; do
      # shellcheck disable=SC2086
      fails 1 'No such file' "$tool" ${commands[$tool]} --device $device --tf32
    done
  done
}

@test "auto gives the bytes of the CPU" {
  for i in 0 1 2 3 4 5 6 7 8 9; do printf 'a%d\tr\ta%d\n' $i $(((i * 3 + 1) % 10)); done > t.txt
  kg-ingest -q --train t.txt -o kg.nd
  kg-transe -q kg.nd --dim 4 --epochs 2 --device cpu -o cpu.nd
  kg-transe -q kg.nd --dim 4 --epochs 2 -o auto.nd
  cmp cpu.nd auto.nd
}
