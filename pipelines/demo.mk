# What `make demo` runs: an artificial newsroom of a few thousand articles, then pipelines/kred.mk on it with all
# ablations. Its readers click by causes that are known (news-synth(1)), so the table should show KRED first.
OUT ?= demo
newsroom := $(OUT)/newsroom
MIND := $(newsroom)
KG := $(newsroom)/kg
test_dir := $(newsroom)/dev
SET := ablation
SEEDS := 1
DATASET := artificial newsroom
include $(dir $(lastword $(MAKEFILE_LIST)))newsroom.mk
DIM := $(newsroom_dim)
TRANSE := $(newsroom_transe)
TEXT := $(newsroom_text)
TRAIN := $(newsroom_train)
NEWSROOM := --cause all --articles 3000 --users 3000 --impressions 12000 --seed 1

all:
include $(dir $(lastword $(MAKEFILE_LIST)))kred.mk

raw := $(addprefix $(newsroom)/,train/news.tsv train/behaviors.tsv dev/news.tsv dev/behaviors.tsv kg/train.txt)
$(raw) &: $(OUT)/options/NEWSROOM $(call uses,news-synth)
	$(run) news-synth $(NEWSROOM) -o $(newsroom)
