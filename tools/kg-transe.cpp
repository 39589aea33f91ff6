// kg-transe: learns vectors of a graph's entities and relations with TransE.
// Reads kg/1.
// Writes vectors/1; while it runs, <output>.ckpt.
#include "lib/cli/command.h"
#include "lib/io/kind_file.h"
#include "lib/models/transe.h"
#include "tools/compute.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::string kg, output, preset = "best", triples = "train";
  bool restart = false;
  TranseOptions transe;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  TranseOptions& t = o.transe;
  c.summary("learn vectors of a graph's entities and relations with TransE");
  c.describe(
      "Entities and relations become vectors such that head + relation is close to tail for triples, and far for ones "
      "with the head or the tail replaced. Stopped by a signal it leaves FILE.ckpt behind, and the same command "
      "goes on from there to the same result. The same options give the same bytes for any --threads.");
  c.input(o.kg, "KG", "graph, or -");
  c.preset(o.preset, "--preset", {"best", "paper"},
           "defaults of the options below: what works best (shown), or the margin loss with one replacement",
           [&o](const std::string& name) { o.transe = transe_preset(name); });
  c.option(t.dim, "--dim", "N", "width of the vectors", cli::range(1, 65536));
  c.choice(t.loss, "--loss", {"self-adversarial", "margin"},
           "log-sigmoid with replacements weighted by how likely they look, or a hinge");
  c.option(t.margin, "--margin", "X", "distance that separates triples from others", cli::at_least(0));
  c.option(t.temperature, "--temperature", "X", "how sharply the self-adversarial loss weights", cli::at_least(0));
  c.choice(t.norm, "--norm", {"l1", "l2"}, "how distance is measured: sum of absolute values, or Euclidean");
  c.option(t.negatives, "--negatives", "N", "replacements a triple is told from", cli::range(1, 65536));
  c.option(t.chunk, "--chunk", "N", "triples that share their replacements", cli::range(1, 65536));
  c.choice(t.corrupt, "--corrupt", {"uniform", "bernoulli"},
           "which side is replaced: either alike, or mostly the one with fewer true answers");
  c.flag(t.filter, "--filter", "replace again when that made a training triple; needs --chunk 1");
  c.choice(t.optimiser, "--optimiser", {"adam", "adagrad", "sgd"},
           "how the vectors of a batch are moved: adam keeps two more of each, adagrad one number");
  c.option(t.lr, "--lr", "X", "learning rate of the first step", cli::above(0));
  c.option(t.final_lr, "--final-lr", "X", "of the last step; linear in between", cli::at_least(0));
  c.option(t.start, "--start", "X", "vectors begin uniform between -X and X", cli::above(0));
  c.choice(t.bound, "--bound", {"none", "ball", "sphere"},
           "lengths: free, at most 1 after each step, or entities exactly 1 before each epoch");
  c.option(t.batch, "--batch", "N", "triples a step", cli::range(1, 1 << 20));
  c.option(t.epochs, "--epochs", "N", "passes over the triples", cli::range(1, 1 << 20));
  c.choice(o.triples, "--triples", {"train", "all"}, "which splits to learn from");
  declare_cuda_graphs(c, t.cuda_graphs);
  c.flag(o.restart, "--restart", "start anew where a stopped run left a checkpoint", cli::not_content);
  c.output(o.output);
  c.common(o.common, cli::threads | cli::seed | cli::device);
  c.example("kg-transe kg.nd -o entities.nd");
  c.example("kg-transe kg.nd --preset paper --dim 50 -o entities.nd");
  c.see_also("kg-ingest(1), kg-eval(1), kred-train(1)");
}

void validate(const Options& o) { check(o.transe); }

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common, o.transe.cuda_graphs);
  const auto kg = load<Kg>(o.kg);
  TranseOptions options = o.transe;
  options.seed = o.common.seed;
  const int64_t triples = o.triples == "all" ? kg->size() : kg->split[0];
  const Meta meta = meta_of(ctx, {kg.as("kg")});
  const CheckpointFile checkpoint{o.output == "-" ? "" : o.output + ".ckpt", meta, o.restart};

  cli::catch_stop_signals();
  cli::Progress progress(ctx.log, "triples", triples * options.epochs);
  TranseHooks hooks;
  hooks.stop = cli::stop_requested;
  hooks.step = [&](int64_t done, int64_t) { progress.at(done); };
  hooks.epoch = [&](const TranseReport& r) {
    ctx.log.info("epoch", {{"epoch", r.epoch},
                           {"loss", r.loss},
                           {"lr", r.lr},
                           {"seconds", r.seconds},
                           {"triples_per_s", static_cast<double>(r.triples) / r.seconds}});
  };
  hooks.resumed = [&](const std::string& path, int64_t epoch, int64_t step) {
    ctx.log.info("resumed", {{"from", path}, {"epoch", epoch}, {"step", step}});
  };
  const Vectors vectors = train_transe(*kg, triples, options, hooks, checkpoint);
  tell_cuda_graphs(ctx.log);
  save(o.output, vectors, meta);
  finish_checkpoint(checkpoint);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kg-transe", nd::declare, nd::validate, nd::run);
}
