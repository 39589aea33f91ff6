# Sentences and elements of real articles, read by artificial readers:
# make -f pipelines/real-text.mk ARTICLES=<file> OUT=<dir>
#
#   ARTICLES  id, category, title and body between tabs, with a header line or without
#
# Nobody's clicks on such articles are public, so readers.awk makes them up, and says how; it also finds elements by a few
# rules. Then D-HAN and D-HAN without sentences, without elements and without either are trained with three seeds
# (dhan.mk). What the table shows is what the two layers make of real sentences and names, and nothing of real readers.
ARTICLES ?=
OUT ?= real-text
READERS ?= 1000
READS ?= 20
SEEDS ?= 1 2 3
LEARN_FOR ?= --epochs 5 --patience 0

all: $(OUT)/metrics.txt
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
$(if $(ARTICLES),,$(error usage: make -f pipelines/real-text.mk ARTICLES=<file> OUT=<dir>))

columns := article=1,category=2,title=3,body=4
settings := HISTORY=3 MIN_CLICKS=10 LEARN='--dim 32' ENCODE='--dim 32 --sentences 6' \
  INGEST='--article-columns $(columns)' WINDOWS='2 24' \
  TRAIN='--width 32 --hidden 16 --inner 32 --head-width 64 --dns uniform --batch 64 --lr 0.003 $(LEARN_FOR)'

SIZE := $(READERS) $(READS) $(abspath $(ARTICLES))
$(OUT)/readers/clicks.tsv $(OUT)/readers/elements.jsonl &: $(ARTICLES) $(pipelines)/readers.awk $(OUT)/options/SIZE
	mkdir -p $(OUT)/readers
	LC_ALL=C $(run) $(pipelines)/readers.awk -v users=$(READERS) -v reads=$(READS) \
	  -v clicks=$(OUT)/readers/clicks.tsv -v elements=$(OUT)/readers/elements.jsonl $(ARTICLES)

$(OUT)/metrics.txt: $(OUT)/readers/clicks.tsv $(OUT)/readers/elements.jsonl FORCE
	$(MAKE) -f $(pipelines)/dhan.mk CLICKS=$(OUT)/readers/clicks.tsv TEXT=$(ARTICLES) OUT=$(OUT) \
	  ELEMENTS=$(OUT)/readers/elements.jsonl SET=contents SEEDS='$(SEEDS)' DATASET='artificial readers' $(settings)
