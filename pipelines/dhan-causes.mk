# Is each cause that is planted for D-HAN learnt? make -f pipelines/dhan-causes.mk OUT=<dir>
#
# One artificial log of clicks per cause, in which that cause alone is planted beside the topic (news-synth(1)); D-HAN
# and its four ablations trained on each with three seeds; and OUT/matrix.txt: for every cause and ablation, the AUC
# that D-HAN is ahead of the ablation by, with the paired-bootstrap 99 % interval. On the diagonal (hour and absolute
# time, recency and relative time, element and elements, lead and sentences) it must be above zero.
#
# The article read is ranked against 19 others of that day, and learnt against such: with any others its age alone would
# tell it. They are drawn uniformly, since the most similar ones share its topic, of which two causes speak.
OUT ?= dhan-causes
SEEDS ?= 1 2 3
CAUSES ?= none hour recency element lead
ROOM ?= --topics 4 --articles 2400 --users 1200 --impressions 10 --candidates 20 --log-clicks 24 --log-topic 0.5 \
  --log-word-dim 16 --log-sentences 4
ROOM_SEED ?= 1
EPOCHS ?= 5

all: $(OUT)/matrix.txt
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

# Small vectors and short histories: the causes need no more, and learn in seconds.
train := --width 16 --hidden 16 --inner 32 --head-width 64 --dropout 0 --dns uniform --draw live --draw-window 24 \
  --batch 32 --lr 0.003 --epochs $(EPOCHS) --patience 0
settings = HISTORY=3 MIN_CLICKS=8 NEGATIVES=live SAMPLE='-n 19 --window 24' WINDOWS='2 24' ENCODE='--sentences 5' \
  TRAIN='$(train)' JUDGE='--confidence 0.99'

define cause
log_$(1) := $(addprefix $(OUT)/$(1)/newsroom/log/,clicks.tsv articles.tsv elements.jsonl words.vec)
$$(log_$(1)) &: $(OUT)/options/ROOM $(call uses,news-synth)
	$$(run) news-synth --log-cause $(1) $(ROOM) --seed $(ROOM_SEED) -o $(OUT)/$(1)/newsroom

$(OUT)/$(1)/metrics.txt: $$(log_$(1)) FORCE
	$$(MAKE) -f $(pipelines)/dhan.mk CLICKS=$(OUT)/$(1)/newsroom/log/clicks.tsv OUT=$(OUT)/$(1) \
	  TEXT=$(OUT)/$(1)/newsroom/log/articles.tsv ELEMENTS=$(OUT)/$(1)/newsroom/log/elements.jsonl \
	  WORDS=$(OUT)/$(1)/newsroom/log/words.vec SET=ablation SEEDS='$(SEEDS)' DATASET='cause: $(1)' $(settings)
endef
$(foreach c,$(CAUSES),$(eval $(call cause,$(c))))

$(OUT)/matrix.txt: $(foreach c,$(CAUSES),$(OUT)/$(c)/metrics.txt)
	$(pipelines)/matrix.awk -v full=D-HAN -v parts='absolute time,relative time,elements,sentences' $^ > $@.tmp
	mv $@.tmp $@
	cat $@
