// kg-subgraph: cuts the part out of a graph that a corpus is about.
// Reads kg/1 and corpus/1.
// Writes kg/1.
#include "lib/cli/command.h"
#include "lib/data/triples.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::string kg, corpus, output;
  int64_t hops = 1;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("cut the part out of a graph that a corpus is about");
  c.describe(
      "Keeps the triples between entities that are linked in the corpus or at most --hops steps from one that is, over "
      "any relation in either direction. Triples stay in their order and splits; entities and relations that are in "
      "none of them are left out.");
  c.input(o.kg, "KG", "graph to cut, or -");
  c.input_option(o.corpus, "--corpus", "FILE", "corpus whose linked entities are the middle", cli::required);
  c.option(o.hops, "--hops", "N", "steps from a linked entity", cli::at_least(0));
  c.output(o.output);
  c.common(o.common, cli::compress);
  c.example("kg-subgraph kg.nd --corpus corpus.nd --hops 1 -o near.nd");
  c.see_also("kg-ingest(1), entity-link-filter(1), kg-transe(1)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context& ctx) {
  const auto kg = load<Kg>(o.kg);
  const auto corpus = load<Corpus>(o.corpus);
  SubgraphCounts counts;
  const Kg near = subgraph(*kg, *corpus, o.hops, counts);
  ctx.log.info("linked", {{"entities", counts.linked}, {"in_graph", counts.known}, {"reached", counts.reached}});
  ctx.log.info("subgraph", {{"entities", near.entity_id.size()},
                            {"relations", near.relation_id.size()},
                            {"triples", near.size()},
                            {"of", kg->size()}});
  save(o.output, near, meta_of(ctx, {kg.as("kg"), corpus.as("corpus")}), o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kg-subgraph", nd::declare, nd::validate, nd::run);
}
