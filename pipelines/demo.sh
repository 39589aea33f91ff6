#!/usr/bin/env bash
# `make demo`: sets the machine up, builds, runs pipelines/demo.mk, and says how long each took before the table.
# DEMO is the folder of the results; everything there is kept, so a second run has nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."
demo=${DEMO:-demo}
# The variables of the command line come through the environment; make's own flags (-n, -j) end here.
unset MAKEFLAGS MAKELEVEL

[ "${SETUP:-yes}" = no ] || pipelines/setup.sh build
installed=$SECONDS
make build
built=$SECONDS
make -f pipelines/demo.mk OUT="$demo" BIN="$(realpath "${BUILD:-build}")/bin"
ran=$SECONDS
echo
echo "installing $installed s, building $((built - installed)) s, running $((ran - built)) s"
echo
cat "$demo/metrics.txt"
