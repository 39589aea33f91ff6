// Turns articles into KRED's enriched vectors, and shows what its attention looks at.
// Reads params, corpus, document vectors, entity vectors and graph.
// Writes vectors, and attention weights as TSV on request.
#include <numeric>

#include "lib/cli/command.h"
#include "lib/io/kind_file.h"
#include "lib/models/kred_explain.h"
#include "lib/models/kred_file.h"
#include "tools/compute.h"
#include "tools/kred_log.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  KredPaths files;
  std::string params, output, attention;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn articles into KRED's enriched vectors");
  c.describe(
      "Entity vectors are made once for all articles, so an article costs little more than a look-up. A vector does "
      "not depend on the articles encoded beside it.");
  c.input(o.params, "PARAMS", "model that kred-train wrote");
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles and their merged entity links", cli::required);
  c.input_option(o.files.documents, "--documents", "FILE", "article vectors", cli::required);
  c.input_option(o.files.entities, "--entities", "FILE", "entity vectors the model was trained with");
  c.input_option(o.files.kg, "--kg", "FILE", "graph the model was trained with");
  c.output(o.output);
  c.output_option(o.attention, "--attention", "FILE",
                  "also write the weight of every entity in its article and of every neighbour of an entity, as TSV");
  c.common(o.common, cli::threads | cli::device | cli::tf32 | cli::compress);
  c.example(
      "kred-encode kred.nd --corpus corpus.nd --documents documents.nd --entities entities.nd --kg kg.nd "
      "-o articles.nd");
  c.see_also("kred-train(1), rank-topk(1), tensor-dump(1)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common);
  OpenKred kred(o.params, o.files);
  tell_coverage(ctx.log, kred.data->coverage());
  KredRanker ranker = kred.ranker();
  std::vector<int32_t> all(static_cast<size_t>(kred.files.corpus->size()));
  std::iota(all.begin(), all.end(), 0);
  Vectors out;
  out.id = kred.files.corpus->id;
  out.x = {ranker.encode(all), kred.files.corpus->size(), kred.model->article_dim()};
  if (!o.attention.empty()) write_attention(o.attention, kred, ranker.attention(all));
  save(o.output, out, meta_of(ctx, kred.inputs()), o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kred-encode", nd::declare, nd::validate, nd::run);
}
