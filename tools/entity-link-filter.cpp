// entity-link-filter: keeps the entity links worth keeping, one per entity and article.
// Reads:  a corpus, and optionally the graph and the vectors its entities must be known to.
// Writes: a corpus with the same articles.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/links.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::string corpus, kg, vectors, output;
  LinkFilterOptions filter;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("keep the entity links worth keeping, one per entity and article");
  c.describe(
      "Joins the mentions of an entity in title and body into one link. The articles stay the same rows, so behavior "
      "files made from the unfiltered corpus go with the filtered one.");
  c.input(o.corpus, "CORPUS", "corpus, or -");
  c.output(o.output);
  c.option(o.filter.min_confidence, "--min-conf", "P", "smallest confidence kept", cli::range(0, 1));
  c.option(o.filter.max_links, "--max-links", "N",
           "links kept of one article: in the title first, then the most frequent, then the earliest; 0 for all",
           cli::at_least(0));
  c.input_option(o.kg, "--kg", "KG", "graph that must know the entity");
  c.input_option(o.vectors, "--vectors", "VECTORS", "vectors that must hold one for the entity");
  c.common(o.common, cli::compress);
  c.example("entity-link-filter raw.nd --kg kg.nd --vectors entities.nd -o corpus.nd");
  c.see_also("mind-ingest(1), kg-subgraph(1), kg-transe(1), kred-train(1)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context& ctx) {
  const auto corpus = load<Corpus>(o.corpus);
  File<Kg> kg;
  File<Vectors> vectors;
  std::vector<Input> inputs{corpus.as("corpus")};
  if (!o.kg.empty()) inputs.push_back((kg = load<Kg>(o.kg)).as("kg"));
  if (!o.vectors.empty()) inputs.push_back((vectors = load<Vectors>(o.vectors)).as("vectors"));

  LinkCoverage found;
  const Corpus kept = filter_links(*corpus, o.filter, o.kg.empty() ? nullptr : &kg->entity_id,
                                   o.vectors.empty() ? nullptr : &vectors->id, found);
  if (found.entities > 0 && found.entities_in_graph == 0)
    throw Error(o.kg, "knows none of the " + std::to_string(found.entities) + " entities of " + o.corpus);
  if (found.entities > 0 && found.entities_with_vector == 0)
    throw Error(o.vectors,
                "has a vector for none of the " + std::to_string(found.entities) + " entities of " + o.corpus);
  ctx.log.info("mentions", {{"all", found.mentions},
                            {"low_confidence", found.low_confidence},
                            {"not_in_graph", found.not_in_graph},
                            {"without_vector", found.without_vector},
                            {"merged", found.merged},
                            {"over_limit", found.over_limit},
                            {"links", found.links}});
  ctx.log.info("entities", {{"all", found.entities},
                            {"in_graph", found.entities_in_graph},
                            {"with_vector", found.entities_with_vector},
                            {"kept", found.entities_kept}});
  ctx.log.info("articles", {{"all", found.articles},
                            {"without_mentions", found.articles_without_mentions},
                            {"without_links", found.articles_without_links}});
  save(o.output, kept, meta_of(ctx, std::move(inputs)), o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return nd::cli::main<Options>(argc, argv, "entity-link-filter", declare, validate, run);
}
