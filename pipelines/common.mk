# What every pipeline shares. A pipeline sets OUT, includes this file and writes rules of this shape:
#
#   TRAIN := --epochs 10 --seed $(SEED)
#   $(OUT)/params.nd: $(OUT)/corpus.nd $(OUT)/options/TRAIN $(call uses,kred-train)
#   	$(run_training) kred-train $< $(TRAIN) -o $@
#
# - $(run) keeps the record of the step in $(OUT)/logs (pipelines/run.sh).
# - $(run_training) is the same for a tool that trains. What a killed training left to go on from is of no use once an
#   input or a setting is newer, and the tool would refuse it every night: it goes first.
# - $(OUT)/options/NAME changes exactly when the variable NAME does, so another setting rebuilds what depends on it and
#   nothing else.
# - $(call uses,TOOLS) makes the tools order-only prerequisites: a rebuilt program does not retrain everything, unless
#   STRICT=1. It comes last in a rule; folders may follow it.
# - Two files from one command are one grouped rule: a b &: ...
# - Tools write their output atomically, so a killed make leaves nothing half-written, and running it again continues.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
# run.sh shows the commands; V=1 shows what make runs, word for word.
V ?= 0
ifneq ($(V),1)
.SILENT:
endif

pipelines := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
# The programs of this source tree, or of wherever `make install` put them.
BIN ?= $(if $(wildcard $(pipelines)/../CMakeLists.txt),$(pipelines)/../build/bin,$(pipelines)/../../../bin)
export PATH := $(abspath $(BIN)):$(PATH)

THREADS ?= 0
STRICT ?= 0

run = $(pipelines)/run.sh $(OUT)/logs/$(@F).log
run_training = find $^ -prune -newer $@.ckpt -exec rm -f $@.ckpt ';' 2> /dev/null || true; $(run)
uses = $(if $(filter 1,$(STRICT)),$(addprefix $(BIN)/,$(1)) |,| $(addprefix $(BIN)/,$(1)))

$(BIN)/%:
	@echo "$@ is missing: run 'make build' first" >&2; exit 1

quoted = '$(subst ','\'',$(1))'
.PHONY: FORCE
FORCE:
.PRECIOUS: $(OUT)/options/%
$(OUT)/options/%: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quoted,$($*)) | cmp -s - $@ || printf '%s\n' $(call quoted,$($*)) > $@
