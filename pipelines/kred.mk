# KRED from raw files to a table: make kred MIND=<dir> KG=<dir> OUT=<dir> [VECTORS=<file>] [SET=<set>]
#
#   MIND     folder with train/ and test/ or dev/, each with news.tsv and behaviors.tsv
#   KG       folder with train.txt and maybe valid.txt and test.txt: head TAB relation TAB tail
#   OUT      folder of the results: metrics.txt, metrics.md (Markdown), metrics.json, report.html to look at, and every file
#            on the way
#   VECTORS  article vectors (vectors/1) to use instead of learning them from the articles' words
#   SET      main: KRED, DV + entity, DV (the default); ablation: also KRED without each of its layers
#
# More: SEEDS, HOPS (of the graph around linked entities), DIM (of entity vectors), and options of the tools: TRANSE,
# TEXT, FILTER, SPLIT, TRAIN, JUDGE.
MIND ?=
KG ?=
OUT ?=
VECTORS ?=
SET ?= main
SEEDS ?= 1 2 3
HOPS ?= 1
DIM ?= 90
DATASET ?= $(notdir $(patsubst %/,%,$(MIND)))

GRAPH := --hops $(HOPS)
TRANSE ?= --dim $(DIM) --triples all
TEXT ?=
FILTER ?=
SPLIT ?=
TRAIN ?=
JUDGE ?=

$(if $(and $(MIND),$(KG),$(OUT)),,$(error usage: make kred MIND=<dir> KG=<dir> OUT=<dir> [VECTORS=<file>] [SET=main|ablation]))
all: $(OUT)/metrics.txt $(OUT)/metrics.md $(OUT)/report.html
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

# A system is its name in tables and the options of kred-train that make it.
main := kred dv-entity dv
ablation := $(main) no-kgat no-context no-distill
systems := $($(SET))
$(if $(systems),,$(error SET=$(SET): expected main or ablation))
kred := --system 'KRED'
dv-entity := --system 'DV + entity' --model dv-entity
dv := --system 'DV' --model dv
no-kgat := --system 'KRED w/o KGAT' --kgat off
no-context := --system 'KRED w/o context' --no-context
no-distill := --system 'KRED w/o distillation' --distill mean

train_dir := $(MIND)/train
test_dir ?= $(firstword $(wildcard $(MIND)/test $(MIND)/dev) $(MIND)/test)
valid_triples := $(wildcard $(KG)/valid.txt)
test_triples := $(wildcard $(KG)/test.txt)

# What is read and what is judged are settings too: another folder, or fewer seeds, may hold nothing newer.
FOLDERS := $(abspath $(train_dir) $(test_dir))
TRIPLES := $(abspath $(KG)/train.txt $(valid_triples) $(test_triples))

$(MIND)/%.tsv $(KG)/%.txt:
	@echo "$@ is missing" >&2; exit 1

# Articles, the graph around the entities they name, and vectors of both.
$(OUT)/articles.nd: $(train_dir)/news.tsv $(test_dir)/news.tsv $(OUT)/options/FOLDERS $(call uses,mind-ingest)
	$(run) mind-ingest --news $(train_dir)/news.tsv --news $(test_dir)/news.tsv -o $@

$(OUT)/graph.nd: $(KG)/train.txt $(valid_triples) $(test_triples) $(OUT)/options/TRIPLES $(call uses,kg-ingest)
	$(run) kg-ingest --train $(KG)/train.txt $(addprefix --valid ,$(valid_triples)) \
	  $(addprefix --test ,$(test_triples)) -o $@

$(OUT)/kg.nd: $(OUT)/graph.nd $(OUT)/articles.nd $(OUT)/options/GRAPH $(call uses,kg-subgraph)
	$(run) kg-subgraph $< --corpus $(OUT)/articles.nd $(GRAPH) -o $@

$(OUT)/entities.nd: $(OUT)/kg.nd $(OUT)/options/TRANSE $(call uses,kg-transe)
	$(run_training) kg-transe $< $(TRANSE) --threads $(THREADS) -o $@

$(OUT)/corpus.nd: $(OUT)/articles.nd $(OUT)/entities.nd $(OUT)/options/FILTER $(call uses,entity-link-filter)
	$(run) entity-link-filter $< --vectors $(OUT)/entities.nd $(FILTER) -o $@

ifeq ($(VECTORS),)
documents := $(OUT)/documents.nd
$(documents): $(OUT)/corpus.nd $(OUT)/options/TEXT $(call uses,text-encode)
	$(run) text-encode $< $(TEXT) --threads $(THREADS) -o $@
else
documents := $(VECTORS)
endif
DOCUMENTS := $(abspath $(VECTORS))

# Behavior: the last day of the training file stops the training.
$(OUT)/%-all.nd: $(MIND)/%/behaviors.tsv $(OUT)/corpus.nd $(call uses,mind-ingest)
	$(run) mind-ingest --behaviors $< --corpus $(OUT)/corpus.nd -o $@

test := $(OUT)/$(notdir $(test_dir))-all.nd
$(OUT)/train.nd $(OUT)/valid.nd &: $(OUT)/train-all.nd $(OUT)/options/SPLIT $(call uses,behavior-split)
	$(run) behavior-split $< $(SPLIT) --train-out $(OUT)/train.nd --valid-out $(OUT)/valid.nd

# One model and its scores for every system and seed.
inputs := $(OUT)/corpus.nd $(documents) $(OUT)/options/DOCUMENTS $(OUT)/entities.nd $(OUT)/kg.nd
input_options := --corpus $(OUT)/corpus.nd --documents $(documents) --entities $(OUT)/entities.nd --kg $(OUT)/kg.nd

define system
$(OUT)/$(1)-%.params.nd: $(OUT)/train.nd $(OUT)/valid.nd $(inputs) $(OUT)/options/TRAIN $(OUT)/options/$(1) \
    $(call uses,kred-train)
	$$(run_training) kred-train --train $(OUT)/train.nd --valid $(OUT)/valid.nd $(input_options) $$($(1)) $$(TRAIN) --seed $$* \
	  --threads $(THREADS) -o $$@

$(OUT)/$(1)-%.scores.nd: $(OUT)/$(1)-%.params.nd $(test) $(call uses,rank-score)
	$$(run) rank-score $(test) --params $$< $(input_options) --threads $(THREADS) -o $$@
endef
$(foreach s,$(systems),$(eval $(call system,$(s))))
scores := $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).scores.nd))
.PRECIOUS: $(foreach s,$(systems),$(foreach seed,$(SEEDS),$(OUT)/$(s)-$(seed).params.nd))

# Rows that need no training. Clicks of the test days count as soon as they are in the past.
$(OUT)/popularity.scores.nd: $(test) $(OUT)/train-all.nd $(call uses,rank-score)
	$(run) rank-score $(test) --by popularity --from $(OUT)/train-all.nd -o $@
$(OUT)/recent.scores.nd: $(test) $(OUT)/train-all.nd $(call uses,rank-score)
	$(run) rank-score $(test) --by recent --from $(OUT)/train-all.nd --from $(test) --system 'recent popularity' -o $@
$(OUT)/coclick.scores.nd: $(test) $(OUT)/train-all.nd $(call uses,rank-score)
	$(run) rank-score $(test) --by coclick --from $(OUT)/train-all.nd --system 'co-click' -o $@
counted := $(patsubst %,$(OUT)/%.scores.nd,popularity recent coclick)
JUDGED := $(notdir $(scores) $(counted)) $(DATASET)

judge = eval-rank $(scores) $(counted) --dataset '$(DATASET)' --compare KRED $(JUDGE)

$(OUT)/metrics.json: $(scores) $(counted) $(OUT)/options/JUDGED $(OUT)/options/JUDGE $(call uses,eval-rank)
	$(run) $(judge) --json -o $@
$(OUT)/metrics.txt: $(scores) $(counted) $(OUT)/options/JUDGED $(OUT)/options/JUDGE $(call uses,eval-rank)
	$(run) $(judge) -o $@
$(OUT)/metrics.md: $(scores) $(counted) $(OUT)/options/JUDGED $(OUT)/options/JUDGE $(call uses,eval-rank)
	$(run) $(judge) --markdown -o $@
$(OUT)/report.html: $(OUT)/metrics.json $(call uses,report)
	$(run) report $< -o $@
