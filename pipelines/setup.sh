#!/usr/bin/env bash
# Installs what is missing of a list of Debian packages, quietly; says nothing when nothing is missing.
#
#   pipelines/setup.sh build          # what `make demo` and `make build` need
#   pipelines/setup.sh build test     # several lists at once
#
# Exit 0 when everything is there, 1 with the list when it cannot be installed (no apt-get, no root, no network).
set -euo pipefail

declare -A lists=(
  [build]="ca-certificates cmake g++ git libcli11-dev libeigen3-dev libfasttext-dev libicu-dev libsimdjson-dev
           libxxhash-dev libzstd-dev make ninja-build zlib1g-dev"
  [test]="bats bsdutils libgtest-dev mandoc zstd"
  [bench]="libopenblas0-openmp python3-numpy python3-torch"
  [parity]="python3-numpy python3-torch"
  [fuzz]="clang libclang-rt-dev"
  [lint]="clang-format mandoc shellcheck"
)

wanted=()
for name in "$@"; do
  [ -n "${lists[$name]:-}" ] || { echo "setup: no list called $name (there are: ${!lists[*]})" >&2; exit 2; }
  read -r -d '' -a packages <<< "${lists[$name]}" || true
  wanted+=("${packages[@]}")
done

missing=()
for package in "${wanted[@]}"; do
  # A machine without dpkg gets the whole list below; SETUP=no skips this script there (Makefile).
  status=$(dpkg-query -W -f '${Status}' "$package" 2> /dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

give_up() {
  {
    echo "setup: $1. These packages are missing (names as in Debian 12):"
    printf '  %s\n' "${missing[@]}"
    echo "Install them and run the same command again; SETUP=no skips this check."
  } >&2
  exit 1
}

command -v apt-get > /dev/null || give_up "there is no apt-get here"
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || give_up "installing takes root, and there is no sudo here"
  root=(sudo)
  [ -t 0 ] || root+=(-n)  # nobody there to type a password
fi

echo "setup: installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }
# The package lists may be older than the packages they name, so they are brought up to date first.
if ! { apt update && install; } > "$log" 2>&1; then
  tail -n 5 "$log" >&2
  give_up "apt-get could not install everything"
fi
