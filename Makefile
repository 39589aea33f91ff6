# The front door. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUILD ?= build
PORTABLE ?= 0
# Two compilers at a time at most: a template-heavy file takes more than 1 GB, and the smallest machine has 4.
JOBS ?= 2
ccache := $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

.PHONY: help build clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

build: ## all programs, into build/bin (PORTABLE=1: for any x86-64-v3 machine)
	cmake -G Ninja -S . -B $(BUILD) -DND_PORTABLE=$(PORTABLE) $(ccache) > /dev/null
	ninja -C $(BUILD) -j $(JOBS)

clean: ## remove what was built (never data, never results)
	rm -rf $(BUILD)
