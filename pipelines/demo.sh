#!/usr/bin/env bash
# `make demo`: sets the machine up, builds, runs pipelines/demo.mk (KRED) and pipelines/dhan-causes.mk with all causes in
# one log (D-HAN), and says how long each took before the tables.
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
bin=$(realpath "${BUILD:-build}")/bin
make -f pipelines/demo.mk OUT="$demo" BIN="$bin"
make -f pipelines/dhan-causes.mk OUT="$demo/dhan" CAUSES=all SEEDS=1 EPOCHS=4 BIN="$bin"
ran=$SECONDS
echo
echo "installing $installed s, building $((built - installed)) s, running $((ran - built)) s"
echo
cat "$demo/metrics.txt"
echo
cat "$demo/dhan/all/metrics.txt"
echo
echo "to look at: $demo/report.html (KRED) and $demo/dhan/all/report.html (D-HAN)"
