# Is each planted cause learnt? make -f pipelines/causes.mk OUT=<dir>
#
# One artificial newsroom per cause, in which that cause alone is planted beside the topic (news-synth(1)); KRED and its
# three ablations trained on each with three seeds; and OUT/matrix.txt: for every cause and ablation, the grouped AUC that
# KRED is ahead of the ablation by, with the paired-bootstrap 99 % interval. On the diagonal it must be above zero.
OUT ?= causes
SEEDS ?= 1 2 3
CAUSES ?= none neighbour context distillation
ROOM ?= --articles 3000 --users 3000 --impressions 12000
ROOM_SEED ?= 1

all: $(OUT)/matrix.txt
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

define cause
raw_$(1) := $(addprefix $(OUT)/$(1)/newsroom/,train/news.tsv train/behaviors.tsv dev/news.tsv dev/behaviors.tsv kg/train.txt document.vec)
$$(raw_$(1)) &: $(OUT)/options/ROOM $(call uses,news-synth)
	$$(run) news-synth --cause $(1) --vectors 64 $(ROOM) --seed $(ROOM_SEED) -o $(OUT)/$(1)/newsroom

$(OUT)/$(1)/document.nd: $(OUT)/$(1)/newsroom/document.vec $(call uses,vector-ingest)
	$$(run) vector-ingest $$< -o $$@

$(OUT)/$(1)/metrics.txt: $$(raw_$(1)) $(OUT)/$(1)/document.nd FORCE
	$$(MAKE) -f $(pipelines)/kred.mk MIND=$(OUT)/$(1)/newsroom test_dir=$(OUT)/$(1)/newsroom/dev \
	  KG=$(OUT)/$(1)/newsroom/kg OUT=$(OUT)/$(1) VECTORS=$(OUT)/$(1)/document.nd SET=ablation SEEDS='$(SEEDS)' DATASET='cause: $(1)' \
	  JUDGE='--confidence 0.99' $(newsroom_settings)
endef
include $(pipelines)/newsroom.mk
$(foreach c,$(CAUSES),$(eval $(call cause,$(c))))

$(OUT)/matrix.txt: $(foreach c,$(CAUSES),$(OUT)/$(c)/metrics.txt)
	$(pipelines)/matrix.awk -v full=KRED -v parts=KGAT,context,distillation $^ > $@.tmp && mv $@.tmp $@
	cat $@
