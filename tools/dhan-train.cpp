// Trains D-HAN: which article a user reads next, from the articles read before, their text and their times.
// Reads corpus, clicks, candidates to validate on, and stacks of sentence and element vectors.
// Writes params.
#include <algorithm>
#include <cmath>

#include "lib/cli/command.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/metrics/evaluate.h"
#include "lib/models/dhan_file.h"
#include "lib/models/dhan_train.h"
#include "lib/tensor/parallel.h"
#include "tools/compute.h"
#include "tools/dhan_log.h"
#include "tools/dhan_options.h"
#include "tools/meta.h"
#include "tools/train_log.h"
#include "tools/window_options.h"

namespace nd {
namespace {

struct Options {
  DhanPaths files;
  std::string clicks, valid, output;
  std::string system = "D-HAN", monitor = "ndcg@5", draw = "uniform";
  int64_t draw_window_hours = 1;
  double utc_offset_hours = 0, checkpoint_seconds = 30;
  bool restart = false;
  DhanOptions model;
  DhanNegativeOptions negatives;
  WindowOptions windows;
  TrainOptions training{.batch = 256, .optimiser = {.epsilon = 1e-6, .l2 = 1e-4, .l2_mode = "decoupled", .clip = 1}};
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("train D-HAN to tell which article a user reads next");
  c.describe(
      "An epoch learns every training window: its last article against negatives, from the articles before. After "
      "each epoch the validation candidates are scored, and the parameters of the best epoch are written. Stopped by "
      "SIGINT or SIGTERM it leaves OUTPUT.ckpt; the same command then goes on and ends with the same bytes.");
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles", cli::required);
  c.input_option(o.clicks, "--clicks", "FILE", "clicks to learn from", cli::required);
  c.input_option(o.valid, "--valid", "FILE", "candidates of clicks to stop by", cli::required);
  c.input_option(o.files.sentences, "--sentences", "FILE", "stacks of sentence vectors; without, there is no text");
  c.input_option(o.files.elements, "--elements", "FILE", "stacks of element vectors; without, there are no elements");
  c.output(o.output);
  c.option(o.system, "--system", "NAME", "what tables call this model");
  declare_windows(c, o.windows);
  declare_dhan(c, o.model);
  c.option(o.utc_offset_hours, "--utc-offset", "H", "hours to add to UTC for the readers' clock", cli::range(-24, 24));
  c.choice(
      o.negatives.dns, "--dns", {"similar", "uniform", "bilinear", "score"},
      "which of the drawn articles are learnt against: nearest to the clicked one, any, nearest by a trained net, or "
      "those the model scores highest");
  c.option(o.negatives.each, "--negatives", "N", "articles learnt against for each click", cli::range(1, 10000));
  c.option(o.negatives.pool, "--dns-pool", "N", "articles drawn to choose them from", cli::range(1, 100000));
  c.choice(o.draw, "--draw", {"uniform", "popularity", "live"},
           "what is drawn: any article of the training windows, in proportion to clicks, or live at that time");
  c.option(o.draw_window_hours, "--draw-window", "H", "how far live looks back and ahead", cli::range(0, 876000));
  c.option(o.training.epochs, "--epochs", "N", "epochs, at most", cli::range(1, 1000000));
  c.option(o.training.patience, "--patience", "N",
           "epochs without a better validation result before stopping; 0: never", cli::range(0, 1000000));
  c.option(o.training.batch, "--batch", "N", "clicks a step", cli::range(1, 1000000));
  c.option(o.training.optimiser.lr, "--lr", "X", "AdamW's learning rate", cli::above(0));
  c.option(o.training.optimiser.l2, "--weight-decay", "X", "AdamW's decay; of weights and tables only",
           cli::at_least(0));
  c.option(o.training.optimiser.clip, "--clip", "X", "longest gradient, all parameters together; 0: any",
           cli::at_least(0));
  c.flag(o.training.optimiser.sparse_rows, "--sparse-rows",
         "identities that a step does not use keep value and moments: another optimiser than dense AdamW");
  c.choice(o.monitor, "--monitor", {"ndcg@5", "ndcg@10", "hr@1", "hr@5", "hr@10", "mrr"},
           "validation measure to stop by");
  c.option(o.checkpoint_seconds, "--checkpoint-seconds", "S", "time between checkpoints; 0: one after every step",
           cli::at_least(0) | cli::not_content);
  c.flag(o.restart, "--restart", "ignore a checkpoint of a stopped run", cli::not_content);
  declare_cuda_graphs(c, o.training.cuda_graphs);
  c.common(o.common, cli::threads | cli::seed | cli::device | cli::tf32);
  c.example(
      "dhan-train --corpus corpus.nd --clicks clicks.nd --valid valid.nd --sentences sentences.nd "
      "--elements elements.nd -o dhan.nd");
  c.see_also("click-ingest(1), neg-sample(1), text-encode(1), rank-score(1)");
}

void validate(const Options& o) {
  if (o.model.hidden % 16 != 0) throw UsageError("--hidden must be a multiple of 16");
  if (o.negatives.pool < o.negatives.each) throw UsageError("--dns-pool must hold at least as many as --negatives");
}

double evaluate(const std::string& measure, const Candidates& valid, std::span<const float> scores) {
  const metrics::Column column = metrics::column_named(measure);
  return metrics::evaluate({valid.candidate.offsets, scores, valid.label, {}}, {&column, 1}, metrics::Ties::against,
                           threads())
      .estimates[0]
      .value;
}

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common, o.training.cuda_graphs);
  require_writable(o.output);
  const DhanFiles files(o.files, !o.files.sentences.empty(), !o.files.elements.empty() && o.model.has('E'));
  const auto clicks = load<Clicks>(o.clicks);
  require_same(clicks, "corpus", files.corpus);
  const auto valid = load<Candidates>(o.valid);
  require_same(valid, "clicks", clicks);
  const Windows windows = windows_of(*clicks, o.windows, clicks.path);
  tell_windows(ctx.log, windows);
  require_held_out(*clicks, windows, valid->impression, valid.path);
  if (windows.train.empty()) throw Error(clicks.path, "has no training window: lower --history or --min-clicks");

  DhanOptions asked = o.model;
  asked.times.utc_offset = std::lround(o.utc_offset_hours * 3600);
  const Strings articles = marked(files.corpus->id, windows.warm(*clicks)), users = trained_users(*clicks, windows);
  const DhanSettings settings =
      dhan_settings(asked, o.windows, files, *clicks, windows, users, articles, o.common.seed);
  const auto data = files.join(articles);
  tell_coverage(ctx.log, *data);
  if (settings.model.levels != asked.levels)
    ctx.log.warn("levels " + asked.levels + " were asked for, but there is " + (files.sentences ? "" : "no text") +
                 (files.sentences || files.elements ? "" : " and ") + (files.elements ? "" : "no elements") +
                 ": the levels that are on are '" + settings.model.levels + "'");
  Dhan model(settings.model, settings.shape, o.common.seed);
  const TrainingNegatives drawn(*clicks, windows, training_source(o.draw), o.draw_window_hours, o.common.seed);
  if (drawn.fewest() < o.negatives.each)
    throw Error(clicks.path, "one user read all but " + std::to_string(drawn.fewest()) + " of the " +
                                 std::to_string(drawn.articles()) +
                                 " articles there are to draw from; lower --negatives");
  DhanTask task(
      model, *data, *clicks, windows, rows_in(clicks->user_id, users), drawn, o.negatives, *valid,
      [&](const Candidates& v, std::span<const float> s) { return evaluate(o.monitor, v, s); }, o.common.seed);
  ctx.log.info("training", {{"windows", task.examples()},
                            {"users", users.size()},
                            {"articles", articles.size()},
                            {"parameters", model.parameters().count()},
                            {"validation", valid->size()}});
  const auto tell_rank = [&](const char* when) {
    ctx.log.info("negatives", {{"when", when},
                               {"mean_similarity_rank", task.negative_rank(1, 1000)},
                               {"of", std::min(o.negatives.pool, drawn.articles())}});
  };
  tell_rank("before");

  TrainOptions training = o.training;
  training.seed = o.common.seed;
  std::vector<Input> inputs = files.inputs();
  inputs.insert(inputs.end(), {clicks.as("clicks"), valid.as("valid")});
  Meta meta = meta_of(ctx, inputs);
  const CheckpointFile checkpoint{o.output == "-" ? "" : o.output + ".ckpt", meta, o.restart, o.checkpoint_seconds};
  cli::catch_stop_signals();
  train(task, training, train_hooks(ctx.log, "windows", o.monitor), checkpoint);
  tell_cuda_graphs(ctx.log);
  tell_rank("after");

  settings.to_json(meta.options);
  save(o.output, dhan_params(model, users, articles), meta);
  finish_checkpoint(checkpoint);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "dhan-train", nd::declare, nd::validate, nd::run);
}
