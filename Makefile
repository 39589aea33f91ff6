# The front door. `make help` lists what there is.
#
# `make demo` and `make test` need nothing but this folder and a Debian 12 machine: each installs the packages it lacks
# (pipelines/setup.sh; SETUP=no to leave the machine alone), builds, and runs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUILD ?= build
PORTABLE ?= 0
SETUP ?= yes
DEMO ?= demo
PREFIX ?= /usr/local
DESTDIR ?=
# One compiler a processor, and one for each 1.5 GB of free memory: the heaviest files take more than 1 GB.
JOBS ?= $(shell awk -v n=$$(nproc) '/MemAvailable/ { m = int($$2 / 1500000); print m < 1 ? 1 : m < n ? m : n }' /proc/meminfo)

ccache := $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
configure = cmake -G Ninja -S . -B $(BUILD) -DND_PORTABLE=$(PORTABLE) $(ccache) > /dev/null
# Ends a recipe where there is nothing to run on a GPU; CMake has said why.
has_cuda = grep -q '^build test_cuda:' $(BUILD)/build.ninja || { echo "$@: FAILED: this build has no CUDA tests" >&2; exit 1; }
setup = $(if $(filter no,$(SETUP)),true,pipelines/setup.sh)

.PHONY: help demo test build parity bench vendor-deps gpu-check gpu-bench gpu-sanitize fuzz mutants lint install clean kred dhan

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## from nothing to a trained KRED and its table, on an artificial newsroom
	@DEMO=$(DEMO) pipelines/demo.sh

test: ## build and run every test; the last line counts them
	@$(setup) build test
	@$(configure)
	@ninja -C $(BUILD) -j $(JOBS) all
	@BUILD=$(BUILD) JOBS=$(JOBS) tests/run.sh

build: ## all programs, into build/bin (PORTABLE=1: for any x86-64-v3 machine)
	@$(configure)
	@ninja -C $(BUILD) -j $(JOBS) programs

parity: ## KRED and D-HAN against independent PyTorch models
	@$(setup) build test
	@$(setup) parity || echo "parity: going on without them"
	@$(configure)
	@ninja -C $(BUILD) -j $(JOBS) kred_dump dhan_dump
	@BUILD=$(BUILD) tests/parity/run.sh

bench: ## speed and memory at the papers' sizes, KRED beside PyTorch
	@$(setup) build bench
	@$(configure)
	@ninja -C $(BUILD) -j $(JOBS) programs benchmarks
	@for script in $(filter-out bench/gpu.sh,$(wildcard bench/*.sh)); do echo "== $$script"; BUILD=$(BUILD) BIN=$(BUILD)/bin $$script; done

vendor-deps: ## into vendor/, what to carry to a bare machine for gpu-check and gpu-bench (there: SETUP=no)
	@pipelines/vendor.sh

gpu-check: ## every test of the CUDA backend on a GPU; fails where there is none
	@$(setup) build test
	@$(configure)
	@$(has_cuda)
	@SECONDS=0; ninja -C $(BUILD) -j $(JOBS) programs test_cuda; BUILD=$(BUILD) BUILT=$$SECONDS tests/gpu/check.sh

gpu-bench: ## speed on a GPU beside PyTorch and beside what the card can do; FB15K=<folder> for TransE
	@$(setup) build
	@$(configure)
	@ninja -C $(BUILD) -j $(JOBS) kg-ingest kg-transe kg-eval kred_bench dhan_bench device_limits
	@BUILD=$(BUILD) bench/gpu.sh

gpu-sanitize: ## its kernels under compute-sanitizer: memory and races
	@$(setup) build test
	@$(configure)
	@$(has_cuda)
	@ninja -C $(BUILD) -j $(JOBS) test_cuda
	@BUILD=$(BUILD) tests/gpu/sanitize.sh

fuzz: ## every reader against damaged input, and all GoogleTests, under the sanitizers
	@$(setup) build test fuzz
	@cmake -G Ninja -S . -B $(BUILD)/sanitized -DND_SANITIZE=ON $(ccache) > /dev/null
	@ninja -C $(BUILD)/sanitized -j $(JOBS) all
	@BUILD=$(BUILD)/sanitized JOBS=$(JOBS) tests/fuzz/run.sh

mutants: ## are the tests sharp? alters the equations one by one; every time a GoogleTest has to fail
	@$(setup) build test
	@BUILD=$(BUILD) JOBS=$(JOBS) tests/mutations/run.sh

lint: ## formatting, shell scripts, man pages, Makefiles, layers
	@$(setup) test lint
	@tests/lint.sh

kred: build ## the whole chain on real files: MIND=<dir> KG=<dir> OUT=<dir> [VECTORS=...] [SET=...]
	@$(MAKE) -f pipelines/kred.mk BIN=$(abspath $(BUILD))/bin

dhan: build ## the same from a click log: CLICKS=<file or Adressa folder> OUT=<dir> [TEXT=...] [ELEMENTS=...]
	@$(MAKE) -f pipelines/dhan.mk BIN=$(abspath $(BUILD))/bin

install: build ## programs, man pages, pipelines and completions, into PREFIX (/usr/local)
	@BUILD=$(BUILD) PREFIX=$(DESTDIR)$(PREFIX) pipelines/install.sh

clean: ## remove what was built (never data, never results)
	rm -rf $(BUILD)
