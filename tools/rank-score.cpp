// Scores the candidates of impressions, by a trained model or by counting clicks.
// Reads behavior, and params with what the model was trained on; or behaviors to count in.
// Writes scores, and MIND's prediction.txt on request.
#include <numeric>
#include <optional>

#include "lib/cli/command.h"
#include "lib/data/counting.h"
#include "lib/data/prediction.h"
#include "lib/io/kind_file.h"
#include "lib/models/kred_file.h"
#include "lib/tensor/parallel.h"
#include "tools/kred_log.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  KredPaths files;
  std::string behavior, params, candidates, by, prediction, system, output;
  std::vector<std::string> from;
  double window_hours = 24;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("score the articles that were shown");
  c.describe("With --params a trained model scores; --corpus and --documents must then be given, and --entities and --kg "
             "where the model reads them. With --by clicks are counted in the --from files instead.");
  c.input(o.behavior, "BEHAVIOR", "impressions to score, labelled or not");
  c.output(o.output);
  c.input_option(o.params, "--params", "FILE", "trained model");
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles");
  c.input_option(o.files.documents, "--documents", "FILE", "article vectors");
  c.input_option(o.files.entities, "--entities", "FILE", "entity vectors the model was trained with");
  c.input_option(o.files.kg, "--kg", "FILE", "graph the model was trained with");
  c.input_option(o.candidates, "--candidates", "FILE", "score these candidates instead of the shown ones");
  c.choice(o.by, "--by", {"", "popularity", "recent", "coclick"},
           "count instead: all clicks on an article, its clicks within the window before the impression, or users who "
           "clicked both it and the reader's last article");
  c.input_option(o.from, "--from", "FILE", "behavior to count in; may be given several times");
  c.option(o.window_hours, "--window-hours", "H", "how far back --by recent looks", cli::above(0) | cli::range(0, 1e6));
  c.option(o.system, "--system", "NAME", "what tables call these scores; default: the model's name, or the counter's");
  c.output_option(o.prediction, "--prediction", "FILE", "also write MIND's prediction.txt");
  c.common(o.common, cli::threads);
  c.example("rank-score test.nd --params kred.nd --corpus corpus.nd --documents documents.nd --entities entities.nd "
            "--kg kg.nd -o scores.nd");
  c.example("rank-score test.nd --by popularity --from train.nd -o popularity.nd");
  c.see_also("kred-train(1), eval-rank(1), rank-topk(1)");
}

void validate(const Options& o) {
  if (o.params.empty() == o.by.empty()) throw UsageError("give either --params or --by");
  if (!o.by.empty() && o.from.empty()) throw UsageError("--by " + o.by + " counts clicks: give --from");
  if (o.by.empty() && !o.from.empty()) throw UsageError("--from is for --by: a trained model counts nothing");
  if (o.by.empty() && (o.files.corpus.empty() || o.files.documents.empty()))
    throw UsageError("--params needs --corpus and --documents");
}

// The name and seed of a trained model's scores are the model's.
void name_scores(json::Value& options, const Options& o, const json::Value* trained) {
  const auto copy = [&](const char* key) {
    if (const json::Value* v = trained ? trained->find(key) : nullptr) options[key] = *v;
  };
  copy("seed");
  if (!o.system.empty())
    options["system"] = o.system;
  else if (trained)
    copy("system");
  else
    options["system"] = o.by;
}

int run(const Options& o, cli::Context& ctx) {
  set_threads(o.common.threads);
  const auto behavior = load<Behavior>(o.behavior);
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
    name_scores(meta.options, o, &kred.params.meta.options);
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
    scores = o.by == "popularity" ? score_by_popularity(what, from)
             : o.by == "recent"   ? score_by_recent(what, from, static_cast<int64_t>(o.window_hours * 3600))
                                  : score_by_coclick(what, from);
    name_scores(meta.options, o, nullptr);
  }

  Scores out = scores_of(*behavior, impression, {std::move(scores), candidate.offsets}, label);
  meta.inputs = std::move(inputs);
  save(o.output, out, meta);
  if (!o.prediction.empty()) write_prediction(o.prediction, out);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "rank-score", nd::declare, nd::validate, nd::run);
}
