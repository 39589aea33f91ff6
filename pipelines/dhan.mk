# D-HAN from a click log to a table: make dhan CLICKS=<file or folder> OUT=<dir> [TEXT=<file>] [ELEMENTS=<file>]
#
#   CLICKS    any TSV, CSV or JSON lines of user, article and time (click-ingest(1)); or a folder of Adressa's day files
#   COLUMNS   which column is what, where the names do not tell: user=uid,article=contentId,time=timestamp:s
#   WHERE     only rows with this value: event=VIEW
#   TEXT      a list of articles with title and body, or `log` where the log's own rows have them: sentences.nd is made
#   ELEMENTS  what a NER tool found in the articles, JSON lines or columns of tokens (element-extract-ingest(1)):
#             elements.nd is made
#   WORDS     vectors of words, as word2vec or GloVe write them. Elements, and then sentences too, are means of them;
#             without, they are learnt from the text
#   OUT       folder of the results: metrics.txt, metrics.md (Markdown), metrics.json, report.html to look at, and every
#             file on the way
#   NEGATIVES what the article read next is ranked against: uniform (99 any, as in the paper; the default), popularity,
#             live (99 of those alive at that time) or all-live
#   COUNT     which clicks the three counters count: windows (those D-HAN learns from; the default), or all that are not
#             held out, those of users with too few clicks to learn from too
#   SET       what is trained: main, or one of the paper's comparisons: time (Figure 2), sampling (Table 3), levels
#             (Figure 3), history (Table 4); or ablation (without one of its parts), contents (without elements, sentences
#             or both)
#
# Without TEXT there are no sentences, without ELEMENTS no elements: the levels that need them are off, dhan-train says
# so, and so does the name of the data in the table.
#
# More: SEEDS, HISTORY, MIN_CLICKS (15; 12 gives the paper's counts), WINDOWS (hours that recent popularity may count,
# the best of which is chosen by the validation clicks), stacks made elsewhere (SENTENCES, or ELEMENTS=file.nd), and
# options of the tools: INGEST, LEARN (words), ENCODE (sentences), TAGS, SAMPLE, TRAIN, JUDGE.
CLICKS ?=
COLUMNS ?=
WHERE ?=
TEXT ?=
ELEMENTS ?=
WORDS ?=
SENTENCES ?=
OUT ?=
NEGATIVES ?= uniform
SET ?= main
SEEDS ?= 1 2 3
HISTORY ?= 10
MIN_CLICKS ?= 15
WINDOWS ?= 0.5 1 2 4 8 24 72 168
COUNT ?= windows
DATASET ?= $(firstword $(subst ., ,$(notdir $(patsubst %/,%,$(CLICKS)))))
INGEST ?=
LEARN ?= --dim 64
ENCODE ?=
TAGS ?=
SAMPLE ?=
TRAIN ?=
JUDGE ?=

$(if $(and $(CLICKS),$(OUT)),,$(error usage: make dhan CLICKS=<file or Adressa folder> OUT=<dir> [COLUMNS=...] [WHERE=...] [TEXT=<file>] [ELEMENTS=<file>]))
all: $(OUT)/metrics.txt $(OUT)/metrics.md $(OUT)/report.html
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

# A system is its name in tables and the options of dhan-train that make it. The history summaries of Table 4 were
# compared without time vectors and with uniform negatives (dhan-train(1)), so they are here too.
# Levels that are off for want of text or elements are no system of their own.
levels_se := level-s level-e level-n level-se level-sn level-en dhan
levels_s := level-s level-n dhan
levels_e := level-e level-n dhan
levels_ := level-none dhan
have := $(if $(TEXT)$(SENTENCES),s)$(if $(ELEMENTS),e)
without := $(if $(findstring s,$(have)),,, no text)$(if $(findstring e,$(have)),,, no elements)
$(if $(filter-out %.nd,$(ELEMENTS)),$(if $(TEXT)$(WORDS),,$(error ELEMENTS: give WORDS=<file> too, as there is no TEXT to learn words from)))

main := dhan
time := time-none time-rel time-abs dhan
sampling := uniform dhan
levels := $(levels_$(have))
ablation := dhan no-moment no-since $(if $(findstring e,$(have)),no-elements) $(if $(findstring s,$(have)),no-sentences)
contents := dhan $(if $(findstring e,$(have)),no-elements) $(if $(findstring s,$(have)),no-sentences) no-contents
history := history-none history-cnn history-lstm history-bilstm history-sh history-mh2 history-mh4 history-mh8
systems := $($(SET))
$(if $(systems),,$(error SET=$(SET): expected main, time, sampling, levels, history, ablation or contents))
dhan := --system 'D-HAN'
time-none := --system 'D-HAN w/o time' --time none
time-rel := --system 'D-HAN, time since' --time rel
time-abs := --system 'D-HAN, moment' --time abs
no-moment := --system 'D-HAN w/o absolute time' --time rel
no-since := --system 'D-HAN w/o relative time' --time abs
no-elements := --system 'D-HAN w/o elements' --levels SN
no-sentences := --system 'D-HAN w/o sentences' --levels EN
no-contents := --system 'D-HAN w/o either' --levels N
uniform := --system 'D-HAN, uniform negatives' --dns uniform
level-none := --system 'no attention' --levels none
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
articles := $(filter-out log,$(TEXT))
FILES := $(abspath $(CLICKS) $(articles))
READING := $(COLUMNS) $(WHERE) $(INGEST)

ifeq ($(wildcard $(CLICKS)/.),)
$(OUT)/corpus.nd $(OUT)/clicks.nd &: $(CLICKS) $(articles) $(OUT)/options/FILES $(OUT)/options/READING \
    $(call uses,click-ingest)
	$(run) click-ingest $(CLICKS) $(addprefix --articles ,$(articles)) $(addprefix --columns ,$(COLUMNS)) \
	  $(addprefix --where ,$(WHERE)) $(INGEST) --corpus-out $(OUT)/corpus.nd --clicks-out $(OUT)/clicks.nd
else
$(OUT)/corpus.nd $(OUT)/clicks.nd &: $(wildcard $(CLICKS)/*) $(articles) $(OUT)/options/FILES \
    $(OUT)/options/READING $(call uses,adressa-ingest)
	$(run) adressa-ingest $(CLICKS) $(addprefix --articles ,$(articles)) $(INGEST) --corpus-out $(OUT)/corpus.nd --clicks-out $(OUT)/clicks.nd
endif

# The newest click of each user is ranked in the test, the one before it stops the training.
windows := --history $(HISTORY) --min-clicks $(MIN_CLICKS)
SAMPLING := --by $(NEGATIVES) $(windows) $(SAMPLE)
$(OUT)/%-candidates.nd: $(OUT)/clicks.nd $(OUT)/options/SAMPLING $(call uses,neg-sample)
	$(run) neg-sample $< --split $* $(SAMPLING) -o $@

# Vectors of words, as they are wanted: given, or learnt from the text.
ifneq ($(WORDS),)
VECTORS := $(abspath $(WORDS))
$(OUT)/words.nd: $(WORDS) $(OUT)/options/VECTORS $(call uses,vector-ingest)
	$(run) vector-ingest $(WORDS) -o $@
else
$(OUT)/words.nd $(OUT)/documents.nd &: $(OUT)/corpus.nd $(OUT)/options/LEARN $(call uses,text-encode)
	$(run) text-encode $(OUT)/corpus.nd $(LEARN) --words-out $(OUT)/words.nd -o $(OUT)/documents.nd
endif
ENCODING := $(if $(WORDS),--sentence-vectors wordmean --words $(OUT)/words.nd) $(ENCODE)
$(OUT)/sentences.nd: $(OUT)/corpus.nd $(if $(WORDS),$(OUT)/words.nd) $(OUT)/options/ENCODING $(call uses,text-encode)
	$(run) text-encode $(OUT)/corpus.nd --unit sentence $(ENCODING) -o $@
TAGGED := $(abspath $(ELEMENTS)) $(TAGS)
$(OUT)/elements.nd: $(ELEMENTS) $(OUT)/corpus.nd $(OUT)/words.nd $(OUT)/options/TAGGED $(call uses,element-extract-ingest)
	$(run) element-extract-ingest $(ELEMENTS) --corpus $(OUT)/corpus.nd --words $(OUT)/words.nd $(TAGS) -o $@

# One model and its scores for every system and seed.
sentences := $(or $(SENTENCES),$(if $(TEXT),$(OUT)/sentences.nd))
elements := $(or $(filter %.nd,$(ELEMENTS)),$(if $(ELEMENTS),$(OUT)/elements.nd))
STACKS := $(abspath $(sentences) $(elements))
inputs := $(OUT)/corpus.nd $(sentences) $(elements) $(OUT)/options/STACKS
input_options := --corpus $(OUT)/corpus.nd $(addprefix --sentences ,$(sentences)) $(addprefix --elements ,$(elements))

define system
$(OUT)/$(1)-%.params.nd: $(OUT)/clicks.nd $(OUT)/valid-candidates.nd $(inputs) $(OUT)/options/TRAIN \
    $(OUT)/options/$(1) $(call uses,dhan-train)
	$$(run_training) dhan-train --clicks $(OUT)/clicks.nd --valid $(OUT)/valid-candidates.nd $(input_options) \
	  $(windows) $$($(1)) $$(TRAIN) --seed $$* --threads $(THREADS) -o $$@

$(OUT)/$(1)-%.scores.nd: $(OUT)/$(1)-%.params.nd $(OUT)/test-candidates.nd $(call uses,rank-score)
	$$(run) rank-score $(OUT)/clicks.nd --candidates $(OUT)/test-candidates.nd --params $$< $(input_options) \
	  --threads $(THREADS) -o $$@
endef
$(foreach s,$(systems),$(eval $(call system,$(s))))
scores := $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).scores.nd))
.PRECIOUS: $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).params.nd))

# Rows that need no training: they count the clicks of training windows.
counters := popularity recent coclick
counting := $(windows) --count $(COUNT)
popularity := --by popularity
recent = --by recent --system 'recent popularity' --window-hours $$(cat $(OUT)/recent-window)
coclick := --by coclick --system 'co-click'
define counter
$(OUT)/$(1).scores.nd: $(OUT)/clicks.nd $(OUT)/test-candidates.nd $(OUT)/options/COUNT $(call uses,rank-score)
	$$(run) rank-score $(OUT)/clicks.nd --candidates $(OUT)/test-candidates.nd $$($(1)) $(counting) -o $$@
endef
$(foreach c,$(counters),$(eval $(call counter,$(c))))
counted := $(counters:%=$(OUT)/%.scores.nd)
$(OUT)/recent.scores.nd: $(OUT)/recent-window

# How many hours recent popularity counts: those with the best NDCG@5 on the validation clicks, by which the models'
# epochs are chosen too. recent-windows.txt has them all.
$(OUT)/recent-window: $(OUT)/clicks.nd $(OUT)/valid-candidates.nd $(OUT)/options/WINDOWS $(OUT)/options/COUNT \
    $(call uses,rank-score eval-rank)
	mkdir -p $(OUT)/recent
	for hours in $(WINDOWS); do $(run) rank-score $(OUT)/clicks.nd --candidates $(OUT)/valid-candidates.nd $(counting) \
	  --by recent --window-hours $$hours --system $$hours -o $(OUT)/recent/$$hours.nd; done
	$(run) eval-rank $(WINDOWS:%=$(OUT)/recent/%.nd) --at 5 --bootstrap 0 -o $(OUT)/recent-windows.txt
	awk '/^system / { for (i = 1; i <= NF; ++i) if ($$i == "ndcg@5") from_end = NF - i; next } !from_end { next } \
	  !NF { exit } best == "" || $$(NF - from_end) > best { best = $$(NF - from_end); hours = $$1 } END { print hours }' \
	  $(OUT)/recent-windows.txt > $@

JUDGED := $(notdir $(scores) $(counted)) $(DATASET)$(without)
judge = eval-rank $(scores) $(counted) --dataset '$(DATASET)$(without)' --at 1,5,10 --clicks $(OUT)/clicks.nd $(windows) \
  --compare '$(compared)' $(JUDGE)
judged := $(scores) $(counted) $(OUT)/clicks.nd $(OUT)/options/JUDGED $(OUT)/options/JUDGE

$(OUT)/metrics.json: $(judged) $(call uses,eval-rank)
	$(run) $(judge) --json -o $@
$(OUT)/metrics.txt: $(judged) $(call uses,eval-rank)
	$(run) $(judge) -o $@
$(OUT)/metrics.md: $(judged) $(call uses,eval-rank)
	$(run) $(judge) --markdown -o $@
$(OUT)/report.html: $(OUT)/metrics.json $(call uses,report)
	$(run) report $< -o $@
