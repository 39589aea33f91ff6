# D-HAN from a click log to a table: make dhan CLICKS=<file or folder> OUT=<dir> [TEXT=<file>] [SET=<set>]
#
#   CLICKS    any TSV, CSV or JSON lines of user, article and time (click-ingest(1)); or a folder of Adressa's day files
#   COLUMNS   which column is what, where the names do not tell: user=uid,article=contentId,time=timestamp:s
#   WHERE     only rows with this value: event=VIEW
#   TEXT      a list of articles with title and body, where the log has none of its own
#   OUT       folder of the results: metrics.json, metrics.txt, and every file on the way
#   NEGATIVES what the article read next is ranked against: uniform (99 any, as in the paper; the default), popularity,
#             live (99 of those alive at that time) or all-live
#   SET       what is trained: main, or one of the paper's comparisons: time (Figure 2), sampling (Table 3), levels
#             (Figure 3), history (Table 4)
#   SENTENCES, ELEMENTS  stacks of sentence and of element vectors (stacks/1); without them the levels that need them
#             are off, and said to be off
#
# More: SEEDS, MIN_CLICKS (15; 12 gives the paper's counts), and options of the tools: INGEST, TRAIN, JUDGE.
CLICKS ?=
COLUMNS ?=
WHERE ?=
TEXT ?=
OUT ?=
NEGATIVES ?= uniform
SET ?= main
SENTENCES ?=
ELEMENTS ?=
SEEDS ?= 1 2 3
MIN_CLICKS ?= 15
DATASET ?= $(firstword $(subst ., ,$(notdir $(patsubst %/,%,$(CLICKS)))))
INGEST ?=
TRAIN ?=
JUDGE ?=

$(if $(and $(CLICKS),$(OUT)),,$(error usage: make dhan CLICKS=<file or Adressa folder> OUT=<dir> [COLUMNS=...] [WHERE=...] [TEXT=<file>]))
all: $(OUT)/metrics.json $(OUT)/metrics.txt
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

# A system is its name in tables and the options of dhan-train that make it. The history summaries of Table 4 were
# compared without time vectors and with uniform negatives (dhan-train(1)), so they are here too.
main := dhan
time := time-none time-rel time-abs dhan
sampling := uniform dhan
levels := level-s level-e level-n level-se level-sn level-en dhan
history := history-none history-cnn history-lstm history-bilstm history-sh history-mh2 history-mh4 history-mh8
systems := $($(SET))
$(if $(systems),,$(error SET=$(SET): expected main, time, sampling, levels or history))
dhan := --system 'D-HAN'
time-none := --system 'D-HAN w/o time' --time none
time-rel := --system 'D-HAN, time since' --time rel
time-abs := --system 'D-HAN, moment' --time abs
uniform := --system 'D-HAN, uniform negatives' --dns uniform
level-s := --system 'sentences' --levels S
level-e := --system 'elements' --levels E
level-n := --system 'sequence' --levels N
level-se := --system 'sentences, elements' --levels SE
level-sn := --system 'sentences, sequence' --levels SN
level-en := --system 'elements, sequence' --levels EN
history_base := --time decay --dns uniform
history-none := --system 'no summary' $(history_base) --summary none
history-cnn := --system 'CNN' $(history_base) --summary cnn
history-lstm := --system 'LSTM' $(history_base) --summary lstm
history-bilstm := --system 'BiLSTM' $(history_base) --summary bilstm
history-sh := --system 'attention, 1 head' $(history_base) --summary sh
history-mh2 := --system 'attention, 2 heads' $(history_base) --summary mh2
history-mh4 := --system 'attention, 4 heads' $(history_base) --summary mh4
history-mh8 := --system 'attention, 8 heads' $(history_base) --summary mh8
first := $(firstword $(filter dhan history-sh,$(systems)))
compared := $(if $(filter dhan,$(first)),D-HAN,attention, 1 head)

# What is read is a setting too: another file may hold nothing newer.
FILES := $(abspath $(CLICKS) $(TEXT))
READING := $(COLUMNS) $(WHERE) $(INGEST)

ifeq ($(wildcard $(CLICKS)/.),)
$(OUT)/corpus.nd $(OUT)/clicks.nd &: $(CLICKS) $(TEXT) $(OUT)/options/FILES $(OUT)/options/READING \
    $(call uses,click-ingest)
	$(run) click-ingest $(CLICKS) $(addprefix --articles ,$(TEXT)) $(addprefix --columns ,$(COLUMNS)) \
	  $(addprefix --where ,$(WHERE)) $(INGEST) --corpus-out $(OUT)/corpus.nd --clicks-out $(OUT)/clicks.nd
else
$(OUT)/corpus.nd $(OUT)/clicks.nd &: $(wildcard $(CLICKS)/*) $(OUT)/options/FILES $(OUT)/options/READING \
    $(call uses,adressa-ingest)
	$(run) adressa-ingest $(CLICKS) $(INGEST) --corpus-out $(OUT)/corpus.nd --clicks-out $(OUT)/clicks.nd
endif

# The newest click of each user is ranked in the test, the one before it stops the training.
$(OUT)/%-candidates.nd: $(OUT)/clicks.nd $(OUT)/options/NEGATIVES $(OUT)/options/MIN_CLICKS $(call uses,neg-sample)
	$(run) neg-sample $< --split $* --by $(NEGATIVES) --min-clicks $(MIN_CLICKS) -o $@

# One model and its scores for every system and seed.
stacks := $(SENTENCES) $(ELEMENTS)
STACKS := $(abspath $(stacks))
inputs := $(OUT)/corpus.nd $(stacks) $(OUT)/options/STACKS
input_options := --corpus $(OUT)/corpus.nd $(addprefix --sentences ,$(SENTENCES)) $(addprefix --elements ,$(ELEMENTS))

define system
$(OUT)/$(1)-%.params.nd: $(OUT)/clicks.nd $(OUT)/valid-candidates.nd $(inputs) $(OUT)/options/TRAIN \
    $(OUT)/options/$(1) $(call uses,dhan-train)
	$$(run) dhan-train --clicks $(OUT)/clicks.nd --valid $(OUT)/valid-candidates.nd $(input_options) \
	  --min-clicks $(MIN_CLICKS) $$($(1)) $$(TRAIN) --seed $$* --threads $(THREADS) -o $$@

$(OUT)/$(1)-%.scores.nd: $(OUT)/$(1)-%.params.nd $(OUT)/test-candidates.nd $(call uses,rank-score)
	$$(run) rank-score $(OUT)/clicks.nd --candidates $(OUT)/test-candidates.nd --params $$< $(input_options) \
	  --threads $(THREADS) -o $$@
endef
$(foreach s,$(systems),$(eval $(call system,$(s))))
scores := $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).scores.nd))
.PRECIOUS: $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).params.nd))

# Rows that need no training: they count the clicks of training windows.
counters := popularity recent coclick
popularity := --by popularity
recent := --by recent --system 'recent popularity'
coclick := --by coclick --system 'co-click'
define counter
$(OUT)/$(1).scores.nd: $(OUT)/clicks.nd $(OUT)/test-candidates.nd $(call uses,rank-score)
	$$(run) rank-score $(OUT)/clicks.nd --candidates $(OUT)/test-candidates.nd $$($(1)) --min-clicks $(MIN_CLICKS) -o $$@
endef
$(foreach c,$(counters),$(eval $(call counter,$(c))))
counted := $(counters:%=$(OUT)/%.scores.nd)
JUDGED := $(notdir $(scores) $(counted)) $(DATASET)

$(OUT)/metrics.json: $(scores) $(counted) $(OUT)/options/JUDGED $(call uses,eval-rank)
	$(run) eval-rank $(scores) $(counted) --dataset '$(DATASET)' --at 1,5,10 --json -o $@
$(OUT)/metrics.txt: $(scores) $(counted) $(OUT)/options/JUDGED $(OUT)/options/JUDGE $(call uses,eval-rank)
	$(run) eval-rank $(scores) $(counted) --dataset '$(DATASET)' --at 1,5,10 --compare '$(compared)' $(JUDGE) -o $@
