// Trains KRED for user2item: which of the shown articles a user clicks.
// Reads corpus, behavior (training and validation), document vectors, entity vectors and graph.
// Writes params.
#include <cmath>

#include "lib/cli/command.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/metrics/evaluate.h"
#include "lib/models/kred_file.h"
#include "lib/models/kred_train.h"
#include "lib/tensor/parallel.h"
#include "tools/compute.h"
#include "tools/kred_log.h"
#include "tools/meta.h"
#include "tools/train_log.h"

namespace nd {
namespace {

struct Options {
  KredPaths files;
  std::string train, valid, output;
  std::string system = "KRED", monitor = "auc", negatives = "impression";
  int64_t negatives_each = 5, max_history = 50;
  double checkpoint_seconds = 30;
  bool restart = false;
  KredOptions model;
  NeighbourOptions neighbours;
  TrainOptions training;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("train KRED to rank news for users");
  c.describe(
      "An epoch draws one example per click and ranks it against negatives; after each epoch the validation "
      "impressions are scored, and the parameters of the best epoch are written. Stopped by SIGINT or SIGTERM it "
      "leaves OUTPUT.ckpt; the same command then goes on and ends with the same bytes.");
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles and their merged entity links", cli::required);
  c.input_option(o.train, "--train", "FILE", "behavior to learn from", cli::required);
  c.input_option(o.valid, "--valid", "FILE", "behavior to stop by", cli::required);
  c.input_option(o.files.documents, "--documents", "FILE", "article vectors", cli::required);
  c.input_option(o.files.entities, "--entities", "FILE", "entity and relation vectors, as kg-transe writes them");
  c.input_option(o.files.kg, "--kg", "FILE", "knowledge graph");
  c.output(o.output);
  c.option(o.system, "--system", "NAME", "what tables call this model");
  c.choice(o.model.model, "--model", {"kred", "dv-entity", "dv"},
           "article vector: KRED's, pooled entity vectors beside the document vector, or the document vector alone");
  c.choice(o.model.kgat, "--kgat", {"softmax", "mean", "sum", "off"},
           "weights of an entity's neighbours; off leaves the neighbours out");
  c.flag(o.model.context, "--context", "position, frequency and type of an entity count");
  c.choice(o.model.distill, "--distill", {"attention", "mean", "sum", "max"}, "how an article's entities are pooled");
  c.choice(o.model.no_entity, "--no-entity", {"zero", "learned"}, "what stands for the entities of an article without");
  c.choice(o.model.user_attn, "--user-attn", {"mlp", "linear"}, "attention over a user's history");
  c.choice(o.model.predictor, "--predictor", {"mlp", "dot", "cos", "linear"}, "how a user and an article are matched");
  c.choice(o.model.bound, "--bound", {"sigmoid", "none"}, "bound of the score");
  c.option(o.model.hidden, "--hidden", "N", "hidden units of every two-layer net", cli::range(1, 65536));
  c.option(o.model.width, "--width", "N", "numbers in an enriched article vector", cli::range(1, 65536));
  c.option(o.model.frequencies, "--frequencies", "N", "largest occurrence count told apart", cli::range(1, 65536));
  c.option(o.model.gamma, "--gamma", "X", "sharpness of the ranking softmax", cli::above(0));
  c.option(o.neighbours.most, "--neighbours", "N", "neighbours of an entity, at most", cli::range(1, 65536));
  c.choice(o.neighbours.pick, "--pick", {"random", "first", "degree"}, "which of more neighbours");
  c.flag(o.neighbours.with_replacement, "--with-replacement", "draw neighbours with replacement");
  c.flag(o.neighbours.undirected, "--undirected", "triples count in both directions");
  c.flag(o.neighbours.resample, "--resample", "draw neighbours anew every epoch");
  c.option(o.max_history, "--max-history", "N", "most recent clicks that make a user", cli::range(1, 1000000));
  c.choice(o.negatives, "--negatives", {"impression", "corpus", "popularity", "recent"}, "where negatives come from");
  c.option(o.negatives_each, "--negatives-each", "N", "negatives per click", cli::range(1, 10000));
  c.option(o.training.epochs, "--epochs", "N", "epochs, at most", cli::range(1, 1000000));
  c.option(o.training.patience, "--patience", "N",
           "epochs without a better validation result before stopping; 0: never", cli::range(0, 1000000));
  c.option(o.training.batch, "--batch", "N", "clicks a step", cli::range(1, 1000000));
  c.option(o.training.optimiser.lr, "--lr", "X", "Adam's learning rate", cli::above(0));
  c.option(o.training.optimiser.l2, "--l2", "X", "L2 regularisation", cli::at_least(0));
  c.choice(o.training.optimiser.l2_mode, "--l2-mode", {"coupled", "decoupled", "none"}, "where the L2 term enters");
  c.flag(o.training.optimiser.sparse_rows, "--sparse-rows",
         "context rows that a step does not use keep value and moments: another optimiser than dense Adam");
  c.choice(o.monitor, "--monitor", {"auc", "auc_pooled", "ndcg@10", "mrr"}, "validation measure to stop by");
  c.option(o.checkpoint_seconds, "--checkpoint-seconds", "S", "time between checkpoints; 0: one after every step",
           cli::at_least(0) | cli::not_content);
  c.flag(o.restart, "--restart", "ignore a checkpoint of a stopped run", cli::not_content);
  declare_cuda_graphs(c, o.training.cuda_graphs);
  c.common(o.common, cli::threads | cli::seed | cli::device | cli::tf32);
  c.example(
      "kred-train --corpus corpus.nd --train train.nd --valid valid.nd --documents documents.nd "
      "--entities entities.nd --kg kg.nd -o kred.nd");
  c.see_also("kg-transe(1), text-encode(1), kred-encode(1), rank-score(1)");
}

void validate(const Options&) {}

metrics::Evaluation evaluate(const std::string& measure, const Behavior& valid, std::span<const float> scores) {
  const metrics::Column column = metrics::column_named(measure);
  return metrics::evaluate({valid.candidate.offsets, scores, valid.label, {}}, {&column, 1}, metrics::Ties::last,
                           threads());
}

// Grouped AUC and the like of validation scores.
KredUser2Item::Judge judge(const std::string& measure) {
  return [measure](const Behavior& valid, std::span<const float> scores) {
    return evaluate(measure, valid, scores).estimates[0].value;
  };
}

// How many impressions can stop the training.
void tell_validation(cli::Log& log, const Options& o, const Behavior& valid) {
  const metrics::Evaluation e = evaluate(o.monitor, valid, std::vector<float>(valid.label.size(), 0.0f));
  log.info("validation", {{"impressions", valid.size()},
                          {"usable", e.judged},
                          {"single_class", e.skipped.single_class},
                          {"unlabelled", e.skipped.unlabelled},
                          {"empty", e.skipped.empty}});
  if (std::isnan(e.estimates[0].value))
    log.warn(o.valid + ": no impression has a clicked and an unclicked candidate, so there is no " + o.monitor +
             " to stop by: all " + std::to_string(o.training.epochs) + " epochs run and the last one is kept");
}

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common, o.training.cuda_graphs);
  require_writable(o.output);
  const KredFiles files(o.files, o.model);
  const auto train_file = load<Behavior>(o.train), valid_file = load<Behavior>(o.valid);
  require_same(train_file, "corpus", files.corpus);
  require_same(valid_file, "corpus", files.corpus);
  std::vector<Input> inputs = files.inputs();
  inputs.insert(inputs.end(), {train_file.as("train"), valid_file.as("valid")});

  const Strings types = types_of(*files.corpus, articles_of(*train_file, files.corpus->size()));
  KredSettings settings{o.model, {}, o.neighbours, o.max_history, o.common.seed};
  settings.shape = {files.documents->dim(), files.entities ? (*files.entities)->dim() : 0, types.size(), 0};
  const auto data = files.join(types, settings);
  tell_coverage(ctx.log, data->coverage());
  Kred model(o.model, settings.shape, o.common.seed);
  const NegativeSampler negatives(*train_file, {negative_source(o.negatives)}, o.common.seed);
  KredUser2Item task(model, *data, *train_file, *valid_file, negatives, o.negatives_each, o.max_history,
                     o.neighbours.resample, judge(o.monitor));
  if (task.examples() == 0) throw Error(o.train, "holds no click, expected impressions with labels");
  ctx.log.info("training", {{"clicks", task.examples()}, {"parameters", model.parameters().count()}});
  tell_validation(ctx.log, o, *valid_file);

  TrainOptions training = o.training;
  training.seed = o.common.seed;
  Meta meta = meta_of(ctx, inputs);
  const CheckpointFile checkpoint{o.output == "-" ? "" : o.output + ".ckpt", meta, o.restart, o.checkpoint_seconds};
  cli::catch_stop_signals();
  train(task, training, train_hooks(ctx.log, "clicks", o.monitor), checkpoint);
  tell_cuda_graphs(ctx.log);

  settings.to_json(meta.options);
  save(o.output, kred_params(model, types), meta);
  finish_checkpoint(checkpoint);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "kred-train", nd::declare, nd::validate, nd::run);
}
