// element-extract-ingest: who, when, where, what of articles, as vectors.
// Reads:  what a NER tool found, as JSON lines or columns of tokens; the corpus; vectors of words.
// Writes: stacks, five vectors an article.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/elements.h"
#include "lib/io/kind_file.h"
#include "lib/tensor/parallel.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::vector<std::string> elements;
  std::string corpus, words, output, kinds;
  ElementFormat format;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn the elements of articles (who, when, where, what) into vectors");
  c.describe(
      "Times, persons, organizations, locations and keywords, found by any NER tool, become one vector each: the mean "
      "of their words' vectors. They are what D-HAN's element layer reads.");
  c.inputs(o.elements, "ELEMENTS", "JSON lines, or columns with a token and its label a line");
  c.input_option(o.corpus, "--corpus", "FILE", "articles", cli::required);
  c.input_option(o.words, "--words", "FILE", "vectors of words", cli::required);
  c.output(o.output);
  c.choice(o.format.name, "--format", {"auto", "json", "conll"}, "how the elements are written");
  c.option(o.format.token_column, "--token-column", "N", "where the token is among the columns; 2 in CoNLL-U",
           cli::range(1, 1000));
  c.option(o.kinds, "--kinds", "LIST",
           "what else labels mean: MISC=keywords,DATE=time,...; none leaves a label out silently");
  c.common(o.common, cli::threads | cli::max_skip | cli::compress);
  c.example("element-extract-ingest elements.jsonl --corpus corpus.nd --words words.nd -o elements.nd");
  c.example(
      "element-extract-ingest tagged.conllu --token-column 2 --kinds PROD=keywords,EVT=keywords,DRV=none --corpus "
      "corpus.nd --words words.nd -o elements.nd");
  c.see_also("text-encode(1), click-ingest(1), adressa-ingest(1), nightdesk-formats(5)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context& ctx) {
  set_threads(o.common.threads);
  ElementLabels labels(o.kinds);
  const auto corpus = load<Corpus>(o.corpus);
  const auto words = load<Vectors>(o.words);
  ElementReader reader(*corpus, *words, std::move(labels));
  Skips skips(o.common.max_skip);
  for (const std::string& path : o.elements) reader.read(path, o.format, skips);
  const Stacks stacks = reader.stacks();
  for (const std::string& line : skips.report()) ctx.log.warn(line);
  const ElementCounts& n = reader.counts;
  ctx.log.info("words", {{"words", n.words}, {"with_vector", n.words_known}});
  ctx.log.info("articles", {{"articles", corpus->size()},
                            {"with_elements", n.articles},
                            {element_kinds[0], n.by_kind[0]},
                            {element_kinds[1], n.by_kind[1]},
                            {element_kinds[2], n.by_kind[2]},
                            {element_kinds[3], n.by_kind[3]},
                            {element_kinds[4], n.by_kind[4]}});
  if (n.articles == 0)
    throw Error(o.elements[0], "no element of an article of " + o.corpus + " holds a word of " + o.words +
                                   "; are their ids and their language the same?");
  save(o.output, stacks, meta_of(ctx, {corpus.as("corpus"), words.as("words")}), o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "element-extract-ingest", nd::declare, nd::validate, nd::run);
}
