// vector-ingest: turns files of vectors into one of ours.
// Reads MIND's .vec, word2vec or GloVe text, rows without ids, or .npy.
// Writes vectors/1.
#include "lib/cli/command.h"
#include "lib/data/vector_text.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  VectorFile entities, relations;
  std::string output;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn files of vectors into one of ours");
  c.describe(
      "One vector per id, of articles, entities or words; for a graph's relations too, with --relations. Files with "
      "ids "
      "inside have them in front of the numbers; for others give --ids or --map.");
  c.input(o.entities.path, "FILE", "vectors, or -");
  c.choice(o.entities.format, "--format", {"auto", "vec", "word2vec", "glove", "rows", "npy"},
           "of both files. vec: tabs; word2vec: blanks, below a line with count and width; glove: blanks; rows: "
           "numbers only; npy: numpy. auto tells by the name, by --ids and --map, and by the first line");
  c.input_option(o.entities.ids, "--ids", "FILE", "one id a line, for rows and npy");
  c.input_option(o.entities.map, "--map", "FILE", "or OpenKE's entity2id.txt: the count, then name and number a line");
  c.input_option(o.relations.path, "--relations", "FILE", "vectors of relations, as wide as the others");
  c.input_option(o.relations.ids, "--relation-ids", "FILE", "their ids, like --ids");
  c.input_option(o.relations.map, "--relation-map", "FILE", "or relation2id.txt, like --map");
  c.output(o.output);
  c.common(o.common, cli::compress);
  c.example("vector-ingest entity_embedding.vec --relations relation_embedding.vec -o entities.nd");
  c.example("vector-ingest articles.npy --ids articles.txt -o articles.nd");
  c.example("vector-ingest entity2vec.vec --map entity2id.txt -o entities.nd");
  c.see_also("text-encode(1), kred-train(1), tensor-dump(1)");
}

void validate(const Options& o) {
  if (o.relations.path.empty() && !(o.relations.ids.empty() && o.relations.map.empty()))
    throw UsageError("--relation-ids and --relation-map need --relations");
}

int run(const Options& o, cli::Context& ctx) {
  IdsAndRows entities = read_vectors(o.entities), relations;
  ctx.log.info("vectors", {{"rows", entities.x.rows}, {"width", entities.x.cols}});
  if (!o.relations.path.empty()) {
    VectorFile file = o.relations;
    file.format = o.entities.format;
    relations = read_vectors(file);
    ctx.log.info("relations", {{"rows", relations.x.rows}, {"width", relations.x.cols}});
    if (relations.x.cols != entities.x.cols)
      throw Error(o.relations.path, "is " + std::to_string(relations.x.cols) + " wide, expected " +
                                        std::to_string(entities.x.cols) + " as " + o.entities.path);
  }
  const Vectors vectors{std::move(entities.id), std::move(entities.x), std::move(relations.id), std::move(relations.x)};
  save(o.output, vectors, meta_of(ctx), o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "vector-ingest", nd::declare, nd::validate, nd::run);
}
