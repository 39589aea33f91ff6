// eval-rank: judges rankings of news by what users clicked.
// Reads scores files of one behavior or log of clicks (one table row per system), or MIND's truth and prediction.
// Writes a table, plain or Markdown, or JSON.
#include "formats/kinds.h"
#include "lib/cli/command.h"
#include "lib/data/prediction.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/io/source.h"
#include "lib/metrics/mind_pair.h"
#include "lib/metrics/report.h"
#include "tools/report_json.h"
#include "tools/score_files.h"
#include "tools/window_options.h"

namespace nd {
namespace {

using namespace metrics;

struct Options {
  std::vector<std::string> inputs;
  bool mind = false, table = false, json = false, markdown = false, by_day = false;
  std::vector<int64_t> at;
  std::string ties, clicks, compare, dataset, output = "-";
  WindowOptions windows;
  Bootstrap bootstrap;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("judge rankings of news by what users clicked");
  std::string meanings = "The measures, from 0 to 1, more is better:";
  for (const Measure& m : measures())
    meanings += "\n  " + std::string(m.name) + (m.cut ? "@k: " : ": ") + std::string(m.meaning) + ".";
  c.describe(meanings);
  c.describe(
      "Impressions without a click or without anything else, and unlabelled ones, are skipped and counted. Files of "
      "one "
      "system with different seeds share a row: their mean, with the deviation between seeds.");
  c.inputs(o.inputs, "SCORES", "scores files of one behavior or of clicks; with --mind truth.txt and prediction.txt");
  c.flag(o.mind, "--mind", "read MIND's official pair and print the four lines of the official script");
  c.flag(o.table, "--table", "print the table even with --mind");
  c.flag(o.json, "--json", "print JSON instead");
  c.flag(o.markdown, "--markdown", "print Markdown tables instead, for a page of results");
  c.flag(o.by_day, "--by-day", "add the values of each day");
  c.option(o.at, "--at", "K", "the k of ndcg@k and hr@k; without it 5 and 10, and 1 too for clicks",
           cli::range(1, 1e9));
  c.choice(o.ties, "--ties", {"", "last", "first", "expected", "against"},
           "of equal scores rank the later or the earlier higher, average over all orders, or rank the clicked one "
           "lower; without it last, and against for clicks");
  c.input_option(o.clicks, "--clicks", "CLICKS",
                 "the clicks that were scored, to look at warm and cold articles apart");
  declare_windows(c, o.windows);
  c.option(o.bootstrap.resamples, "--bootstrap", "N", "resamples behind the intervals; 0 for none", cli::range(0, 1e6));
  c.option(o.bootstrap.confidence, "--confidence", "P", "share of resamples inside an interval",
           cli::above(0) | cli::below(1));
  c.option(o.compare, "--compare", "SYSTEM", "add the paired difference of every other system to this one");
  c.option(o.dataset, "--dataset", "NAME",
           "what to call the data; otherwise the digest of what was scored or the truth's path");
  c.text_output(o.output);
  c.common(o.common, cli::threads | cli::seed);
  c.example("eval-rank kred-1.nd kred-2.nd popular.nd --compare popularity");
  c.example("eval-rank dhan-1.nd dhan-2.nd dhan-3.nd recent.nd --clicks clicks.nd");
  c.example("eval-rank --mind truth.txt prediction.txt");
  c.see_also("rank-score(1), kg-eval(1)");
}

void validate(const Options& o) {
  if (o.mind && o.inputs.size() != 2) throw UsageError("--mind takes two files, truth.txt and prediction.txt");
  if (o.mind && o.by_day) throw UsageError("--by-day: MIND's official pair holds no times");
  if (o.mind && !o.clicks.empty()) throw UsageError("--clicks: MIND's official pair scores no clicks");
  if (o.mind && !o.compare.empty()) throw UsageError("--compare: MIND's official pair holds one system only");
  if (o.table + o.json + o.markdown > 1) throw UsageError("--table, --json and --markdown exclude each other");
}

// The runs, all of the same impressions, what to call those, and how they are judged.
struct Judged {
  std::vector<Column> columns;
  Ties ties;
  std::string dataset;
  std::vector<Run> runs;
};

Judged how_to_judge(const Options& o, bool clicks, const std::string& dataset) {
  const std::vector<int64_t> usual = clicks ? std::vector<int64_t>{1, 5, 10} : std::vector<int64_t>{5, 10};
  const std::string ties = !o.ties.empty() ? o.ties : clicks ? "against" : "last";
  return {columns(o.at.empty() ? usual : o.at), ties_named(ties), dataset, {}};
}

Judged judge_mind(const Options& o, bool official, cli::Context& ctx) {
  Judged judged = how_to_judge(o, false, shown(o.inputs[0]));
  if (official) judged.columns = official_columns();
  const Bytes truth = read_all(o.inputs[0]), prediction = read_all(o.inputs[1]);
  const MindPair pair(truth.text(), shown(o.inputs[0]), prediction.text(), shown(o.inputs[1]));
  Evaluation e = evaluate(pair.blocks(), judged.columns, judged.ties, o.common.threads);
  auto warn = [&](int64_t n, const char* what) {
    if (n > 0) ctx.log.warn(std::to_string(n) + what);
  };
  warn(pair.missing(), " lines of the truth have no prediction: every candidate was given rank 1");
  warn(pair.surplus(), " lines of the prediction lie beyond the truth and were ignored");
  warn(e.skipped.single_class, " impressions of a single class were skipped; the official script stops at them");
  judged.runs.push_back({shown(o.inputs[1]), {}, std::move(e), {}, {}});
  return judged;
}

// Of each impression whether the clicked article is warm (0) or cold (1). Empty without --clicks.
std::vector<int32_t> coldness(const Options& o, const File<Scores>& scores) {
  if (o.clicks.empty()) return {};
  const auto clicks = load<Clicks>(o.clicks);
  require_same(scores, "clicks", clicks);
  const Windows windows = windows_of(*clicks, o.windows, shown(o.clicks));
  const std::vector<int32_t> instances = clicks_of(*scores, *clicks, scores.path);
  require_held_out(*clicks, windows, instances, scores.path);
  return cold(*clicks, windows, instances);
}

Judged judge_scores(const Options& o) {
  std::vector<File<Scores>> files;
  files.push_back(load<Scores>(o.inputs[0]));
  Judged judged = how_to_judge(o, is_of_clicks(files[0]), scored(files[0]));
  const std::vector<int32_t> part_of = coldness(o, files[0]);
  for (const std::string& path : o.inputs) {
    if (!judged.runs.empty()) files.push_back(load<Scores>(path));
    const File<Scores>& file = files.back();
    require_same_rows(file, files[0]);
    const Impressions all{file->score.offsets, file->score.values, file->label, file->time};
    const json::Value *system = file.meta.options.find("system"), *seed = file.meta.options.find("seed");
    Run run;
    run.system = system && system->string() ? *system->string() : shown(path);
    if (seed && seed->integer()) run.seed = *seed->integer();
    run.evaluation = evaluate(all, judged.columns, judged.ties, o.common.threads);
    const auto judge = [&](const std::vector<Part>& parts) {
      return evaluate_parts(parts, judged.columns, judged.ties, o.common.threads);
    };
    if (o.by_day) run.days = judge(split_by_day(all));
    if (!part_of.empty()) run.parts = judge(split(all, part_of, std::vector<std::string>{"warm", "cold"}));
    judged.runs.push_back(std::move(run));
  }
  return judged;
}

int run(const Options& o, cli::Context& ctx) {
  Sink out(o.output);
  const bool official = o.mind && !o.table && !o.json && !o.markdown;
  const Judged judged = o.mind ? judge_mind(o, official, ctx) : judge_scores(o);

  Bootstrap bootstrap = o.bootstrap;
  bootstrap.seed = o.common.seed;
  const bool intervals = bootstrap.resamples > 0 && !official;
  const Report report = make_report(judged.runs, judged.columns, judged.ties, intervals ? &bootstrap : nullptr,
                                    o.compare, o.common.threads);

  const std::string dataset = o.dataset.empty() ? judged.dataset : o.dataset;
  out.write(official     ? official_text(judged.runs[0].evaluation)
            : o.json     ? to_json(report, dataset).pretty() + "\n"
            : o.markdown ? markdown(report, dataset)
                         : table(report, dataset));
  out.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "eval-rank", nd::declare, nd::validate, nd::run);
}
