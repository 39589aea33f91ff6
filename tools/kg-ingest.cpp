// kg-ingest: turns files of triples into a knowledge graph.
// Reads TSV, OpenKE's id files or N-Triples, one file per split.
// Writes kg/1.
#include "lib/cli/command.h"
#include "lib/data/triples.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::string train, valid, test, output;
  TripleOptions triples;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn files of triples into a knowledge graph");
  c.describe(
      "Entities and relations are numbered in order of first appearance (OpenKE's keep their own numbers). A triple "
      "that comes twice in a file is stored once. Literals of N-Triples are left out. Both are counted.");
  c.input_option(o.train, "--train", "FILE", "training triples", cli::required);
  c.input_option(o.valid, "--valid", "FILE", "validation triples");
  c.input_option(o.test, "--test", "FILE", "test triples");
  c.choice(o.triples.format, "--format", {"tsv", "openke", "ntriples"},
           "three tab-separated names, three numbers below their count, or <s> <p> <o> .");
  c.choice(o.triples.order, "--order", {"auto", "hrt", "htr"},
           "order of the columns head, relation, tail; auto: hrt for tsv, htr for openke");
  c.input_option(o.triples.entities, "--entities", "FILE", "entity2id.txt, for openke");
  c.input_option(o.triples.relations, "--relations", "FILE", "relation2id.txt, for openke");
  c.choice(o.triples.iri, "--iri", {"full", "local"},
           "N-Triples' ids: whole IRIs, or what stands behind their last / or #");
  c.output(o.output);
  c.common(o.common, cli::compress);
  c.example("kg-ingest --train train.txt --valid valid.txt --test test.txt -o kg.nd");
  c.example("kg-ingest --train triples.nt.gz --format ntriples --iri local -o kg.nd");
  c.example(
      "kg-ingest --train train2id.txt --format openke --entities entity2id.txt --relations relation2id.txt -o kg.nd");
  c.see_also("kg-subgraph(1), kg-transe(1)");
}

void validate(const Options&) {}

void read(KgReader& reader, const std::string& path, const char* split, cli::Context& ctx) {
  if (path.empty()) return reader.skip();
  const TripleCounts n = reader.read(path);
  ctx.log.info(split, {{"triples", n.triples},
                       {"duplicates", n.duplicates},
                       {"in_earlier_split", n.repeated},
                       {"literals_left_out", n.literals}});
}

int run(const Options& o, cli::Context& ctx) {
  KgReader reader(o.triples);
  read(reader, o.train, "train", ctx);
  read(reader, o.valid, "valid", ctx);
  read(reader, o.test, "test", ctx);
  const Kg kg = reader.take();
  const int64_t entities = kg.entity_id.size(), relations = kg.relation_id.size();
  ctx.log.info("graph", {{"entities", entities}, {"relations", relations}, {"triples", kg.size()}});
  if (relations > entities)
    ctx.log.warn("there are more relations than entities; if the second column holds tails, give --order htr");
  save(o.output, kg, meta_of(ctx), o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kg-ingest", nd::declare, nd::validate, nd::run);
}
