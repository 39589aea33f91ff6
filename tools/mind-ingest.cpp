// mind-ingest: MIND's raw files into the files the other tools read.
// Reads:  news.tsv files, or one behaviors.tsv and the corpus its articles are rows of.
// Writes: a corpus, or a behavior.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/mind.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::vector<std::string> news;
  std::string behaviors, corpus, output;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn MIND's news.tsv into a corpus, or its behaviors.tsv into a behavior");
  c.describe(
      "Give --news for a corpus: several files become one, and an article that several of them hold is kept once. Give "
      "--behaviors with that corpus for a behavior.");
  c.input_option(o.news, "--news", "NEWS", "a news.tsv; repeat it for all files whose articles occur");
  c.input_option(o.behaviors, "--behaviors", "BEHAVIORS", "a behaviors.tsv, labelled or not");
  c.input_option(o.corpus, "--corpus", "CORPUS", "with --behaviors: the corpus of its articles");
  c.output(o.output);
  c.common(o.common, cli::max_skip | cli::compress);
  c.example("mind-ingest --news train/news.tsv --news dev/news.tsv -o corpus.nd");
  c.example("mind-ingest --behaviors train/behaviors.tsv --corpus corpus.nd -o train.nd");
  c.see_also("entity-link-filter(1), behavior-split(1), tensor-dump(1), nightdesk-formats(5)");
}

void validate(const Options& o) {
  if (o.news.empty() == o.behaviors.empty())
    throw UsageError("expected --news (for a corpus) or --behaviors (for a behavior), one of them");
  if (o.behaviors.empty() != o.corpus.empty()) throw UsageError("--behaviors and --corpus go together");
}

void report(cli::Context& ctx, const Skips& skips) {
  for (const std::string& line : skips.report()) ctx.log.warn(line);
}

int run(const Options& o, cli::Context& ctx) {
  Skips skips(o.common.max_skip);
  if (!o.news.empty()) {
    MindNewsCounts counts;
    const Corpus corpus = read_mind_news(o.news, skips, counts);
    report(ctx, skips);
    ctx.log.info("read", {{"articles", corpus.size()},
                          {"repeated", counts.repeated},
                          {"without_entities", counts.without_entities},
                          {"links", corpus.link_entity.values.size()},
                          {"entities", corpus.entity_id.size()}});
    save(o.output, corpus, meta_of(ctx), o.common.compress);
  } else {
    const auto corpus = load<Corpus>(o.corpus);
    MindBehaviorCounts counts;
    const Behavior behavior = read_mind_behaviors(o.behaviors, corpus->id, skips, counts);
    report(ctx, skips);
    ctx.log.info("read", {{"impressions", behavior.size()},
                          {"users", behavior.user_id.size()},
                          {"candidates", behavior.label.size()},
                          {"histories", behavior.history.size()},
                          {"empty_history", counts.empty_history},
                          {"unlabelled", counts.unlabelled},
                          {"without_time", counts.without_time}});
    save(o.output, behavior, meta_of(ctx, {corpus.as("corpus")}), o.common.compress);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "mind-ingest", declare, validate, run); }
