// Scores the candidates of impressions, or of clicks, by a trained model or by counting clicks.
// Reads behavior or clicks, candidates, params with what the model was trained on; or behaviors to count in.
// Writes scores, and MIND's prediction.txt on request.
#include <numeric>
#include <optional>

#include "lib/cli/command.h"
#include "lib/data/counting.h"
#include "lib/data/prediction.h"
#include "lib/io/kind_file.h"
#include "lib/models/dhan_explain.h"
#include "lib/models/dhan_file.h"
#include "lib/models/kred_file.h"
#include "tools/compute.h"
#include "tools/dhan_log.h"
#include "tools/kred_log.h"
#include "tools/meta.h"
#include "tools/scored.h"
#include "tools/window_options.h"

namespace nd {
namespace {

struct Options {
  KredPaths files;
  std::string sentences, elements, attention;
  int64_t attention_count = 1;
  std::string log, params, candidates, by, prediction, system, output, count = "windows";
  std::vector<std::string> from;
  WindowOptions windows;
  double window_hours = 24;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("score the articles that were shown");
  c.describe(
      "With --params a trained model scores: KRED a behavior, D-HAN clicks; beside --corpus it takes what it was "
      "trained on. With --by clicks are counted instead: for a behavior in the --from files, for clicks in their own "
      "training windows.");
  c.input(o.log, "LOG", "behavior, labelled or not, or clicks");
  c.output(o.output);
  c.input_option(o.params, "--params", "FILE", "trained model");
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles");
  c.input_option(o.files.documents, "--documents", "FILE", "article vectors");
  c.input_option(o.files.entities, "--entities", "FILE", "entity vectors the model was trained with");
  c.input_option(o.files.kg, "--kg", "FILE", "graph the model was trained with");
  c.input_option(o.sentences, "--sentences", "FILE", "sentence stacks, where the model was trained on such");
  c.input_option(o.elements, "--elements", "FILE", "element stacks, where the model was trained on such");
  c.input_option(o.candidates, "--candidates", "FILE", "score these instead of the shown ones; needed for clicks");
  c.choice(o.by, "--by", {"", "popularity", "recent", "coclick"},
           "count instead: all clicks on an article, its clicks within the window before the impression, or users who "
           "clicked both it and the reader's last article");
  c.input_option(o.from, "--from", "FILE", "behavior to count in; may be given several times");
  c.option(o.window_hours, "--window-hours", "H", "how far back --by recent looks", cli::above(0) | cli::range(0, 1e6));
  c.choice(o.count, "--count", {"windows", "all"}, "of clicks: count those of training windows, or all not held out");
  declare_windows(c, o.windows);
  c.option(o.system, "--system", "NAME", "what tables call these scores; default: the model's name, or the counter's");
  c.output_option(o.prediction, "--prediction", "FILE", "also write MIND's prediction.txt");
  c.output_option(o.attention, "--attention", "FILE", "of D-HAN: also write who attended to what, as TSV");
  c.option(o.attention_count, "--attention-count", "N", "for the clicked article of so many instances, the first ones",
           cli::range(1, 1e6) | cli::not_content);
  c.common(o.common, cli::threads | cli::device | cli::tf32);
  c.example(
      "rank-score test.nd --params kred.nd --corpus corpus.nd --documents documents.nd --entities entities.nd "
      "--kg kg.nd -o scores.nd");
  c.example("rank-score clicks.nd --candidates test.nd --params dhan.nd --corpus corpus.nd -o scores.nd");
  c.example("rank-score test.nd --by popularity --from train.nd -o popularity.nd");
  c.example("rank-score clicks.nd --candidates live.nd --by recent --window-hours 1 -o recent.nd");
  c.see_also("kred-train(1), dhan-train(1), eval-rank(1), rank-topk(1)");
}

void validate(const Options& o) {
  if (o.params.empty() == o.by.empty()) throw UsageError("give either --params or --by");
  if (o.by.empty() && !o.from.empty()) throw UsageError("--from is for --by: a trained model counts nothing");
  if (!o.by.empty() && !o.attention.empty()) throw UsageError("--attention is for --params: no counter attends");
  if (o.by.empty() && o.files.corpus.empty()) throw UsageError("--params needs --corpus");
}

int save_scores(const Options& o, const Scores& scores, const Meta& meta) {
  save(o.output, scores, meta);
  if (!o.prediction.empty()) write_prediction(o.prediction, scores);
  return 0;
}

int score_clicks(const Options& o, const File<Clicks>& clicks, cli::Context& ctx) {
  if (o.candidates.empty()) throw UsageError("clicks show nothing but what was clicked: give --candidates");
  if (!o.from.empty()) throw UsageError("--from is for a behavior: clicks are counted in their own training windows");
  const auto fixed = load<Candidates>(o.candidates);
  require_same(fixed, "clicks", clicks);
  Meta meta = meta_of(ctx, {clicks.as("clicks"), fixed.as("candidates")});
  std::vector<float> scores;
  if (o.by.empty()) {
    OpenDhan dhan(o.params, {o.files.corpus, o.sentences, o.elements});
    tell_coverage(ctx.log, *dhan.data);
    DhanRanker ranker = dhan.ranker(clicks, fixed->impression, fixed.path);
    scores = ranker.score(fixed->impression, fixed->candidate);
    if (!o.attention.empty()) write_attention(o.attention, dhan, ranker, *fixed, o.attention_count);
    const auto used = dhan.inputs();
    meta.inputs.insert(meta.inputs.end(), used.begin(), used.end());
    name_scores(meta.options, o.system, o.by, &dhan.params.meta.options);
  } else {
    const Windows windows = windows_of(*clicks, o.windows, clicks.path);
    require_held_out(*clicks, windows, fixed->impression, fixed.path);
    const InstancesToScore what{*clicks, windows, fixed->impression, fixed->candidate, o.count == "all"};
    scores = score_by(o.by, what, static_cast<int64_t>(o.window_hours * 3600));
    name_scores(meta.options, o.system, o.by, nullptr);
  }
  const Ragged<float> rows{std::move(scores), fixed->candidate.offsets};
  return save_scores(o, scores_of(*clicks, fixed->impression, rows, fixed->label), meta);
}

int score_behavior(const Options& o, const File<Behavior>& behavior, cli::Context& ctx) {
  if (!o.by.empty() && o.from.empty()) throw UsageError("--by " + o.by + " counts clicks: give --from");
  if (!o.attention.empty()) throw UsageError("--attention is of D-HAN, which scores clicks");
  if (o.by.empty() && o.files.documents.empty()) throw UsageError("KRED reads article vectors: give --documents");
  std::optional<File<Candidates>> fixed;
  std::vector<int32_t> impression(static_cast<size_t>(behavior->size()));
  std::iota(impression.begin(), impression.end(), 0);
  Ragged<int32_t> candidate = behavior->candidate;
  Array<uint8_t> label = behavior->label;
  std::vector<Input> inputs{behavior.as("behavior")};
  if (!o.candidates.empty()) {
    fixed = load<Candidates>(o.candidates);
    require_same(*fixed, "behavior", behavior);
    impression.assign((*fixed)->impression.begin(), (*fixed)->impression.end());
    candidate = (*fixed)->candidate;
    label = (*fixed)->label;
    inputs.push_back(fixed->as("candidates"));
  }
  Meta meta = meta_of(ctx);
  std::vector<float> scores;
  if (o.by.empty()) {
    OpenKred kred(o.params, o.files);
    tell_coverage(ctx.log, kred.data->coverage());
    require_same(behavior, "corpus", kred.files.corpus);
    scores = kred.ranker().score(*behavior, impression, candidate);
    const auto used = kred.inputs();
    inputs.insert(inputs.end(), used.begin(), used.end());
    name_scores(meta.options, o.system, o.by, &kred.params.meta.options);
  } else {
    std::vector<File<Behavior>> files;
    std::vector<const Behavior*> from;
    for (const std::string& path : o.from) {
      files.push_back(load<Behavior>(path));
      require_same_input(files.back(), behavior, "corpus");
      inputs.push_back(files.back().as("from." + std::to_string(files.size())));
    }
    for (const auto& f : files) from.push_back(&*f);
    const ToScore what{*behavior, impression, candidate};
    scores = score_by(o.by, what, from, static_cast<int64_t>(o.window_hours * 3600));
    name_scores(meta.options, o.system, o.by, nullptr);
  }
  meta.inputs = std::move(inputs);
  return save_scores(o, scores_of(*behavior, impression, {std::move(scores), candidate.offsets}, label), meta);
}

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common);
  const Container log = open_one_of({Behavior::kind, Clicks::kind}, o.log);
  return log.meta().kind == Clicks::kind ? score_clicks(o, from_container<Clicks>(log), ctx)
                                         : score_behavior(o, from_container<Behavior>(log), ctx);
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "rank-score", nd::declare, nd::validate, nd::run);
}
