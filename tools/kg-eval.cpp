// kg-eval: judges a graph's vectors by link prediction.
// Reads kg/1 and vectors/1.
// Writes a table, or JSON.
#include "lib/cli/command.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/models/link_prediction.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

struct Options {
  std::string kg, vectors, output = "-", split = "test", norm = "auto";
  bool json = false;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("judge a graph's vectors by link prediction");
  c.describe(
      "For each triple of the split, ranks the true tail among all entities by |head + relation - tail|, and the true "
      "head likewise. Filtered ranks leave out other answers that are true in any split; raw ranks do not. Equal "
      "distances count half (realistic); counting none (optimistic) and all (pessimistic) is shown beside it.");
  c.input(o.kg, "KG", "graph, or -");
  c.input(o.vectors, "VECTORS", "vectors of its entities and relations, or -");
  c.choice(o.split, "--split", {"test", "valid", "train"}, "triples to rank");
  c.choice(o.norm, "--norm", {"auto", "l1", "l2"}, "distance; auto is the one the vectors were trained with");
  c.flag(o.json, "--json", "print JSON");
  c.text_output(o.output);
  c.common(o.common, cli::threads);
  c.example("kg-eval kg.nd entities.nd");
  c.example("kg-eval kg.nd entities.nd --split valid --json");
  c.see_also("kg-transe(1), kg-ingest(1)");
}

void validate(const Options&) {}

std::string norm_of(const Options& o, const File<Vectors>& vectors) {
  if (o.norm != "auto") return o.norm;
  const json::Value* norm = vectors.meta.options.find("norm");
  if (!norm || !norm->string() || (*norm->string() != "l1" && *norm->string() != "l2"))
    throw Error(vectors.path, "does not say which norm it was trained with; give --norm l1 or --norm l2");
  return *norm->string();
}

int run(const Options& o, cli::Context& ctx) {
  set_threads(o.common.threads);
  const auto kg = load<Kg>(o.kg);
  const auto vectors = load<Vectors>(o.vectors);
  for (const Input& made_from : vectors.meta.inputs)
    if (made_from.role == "kg" && made_from.digest != kg.meta.digest)
      ctx.log.warn(
          "the vectors were trained on another graph than this one; what is tested here may have been "
          "learnt there");
  const auto& split = kg->split;
  const int64_t begin = o.split == "train" ? 0 : o.split == "valid" ? split[0] : split[1];
  const int64_t end = o.split == "train" ? split[0] : o.split == "valid" ? split[1] : split[2];
  if (begin == end) throw Error(kg.path, "has no " + o.split + " triples");

  const std::string norm = norm_of(o, vectors);
  cli::Progress progress(ctx.log, "triples", end - begin);
  const LinkRanks ranks = rank_links(*kg, begin, end, *vectors, norm, [&](int64_t done) { progress.at(done); });
  Sink out(o.output);
  if (o.json) {
    json::Value report = link_json(ranks);
    report["norm"] = norm;
    report["split"] = o.split;
    out.write(report.pretty() + "\n");
  } else {
    out.write(link_table(ranks));
  }
  out.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kg-eval", nd::declare, nd::validate, nd::run);
}
