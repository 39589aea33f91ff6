// eval-rank: judges rankings of news by what users clicked.
// Reads scores files of one behavior (one table row per system), or MIND's truth and prediction.
// Writes a table, or JSON.
#include <algorithm>

#include "formats/kinds.h"
#include "lib/cli/command.h"
#include "lib/io/digest.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/io/source.h"
#include "lib/metrics/mind_pair.h"
#include "lib/metrics/report.h"
#include "tools/report_json.h"

namespace nd {
namespace {

using namespace metrics;

struct Options {
  std::vector<std::string> inputs;
  bool mind = false, table = false, json = false, by_day = false;
  std::vector<int64_t> at = {5, 10};
  std::string ties = "last", compare, dataset, output = "-";
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
  c.inputs(o.inputs, "SCORES", "scores files of one behavior; with --mind truth.txt and prediction.txt");
  c.flag(o.mind, "--mind", "read MIND's official pair and print the four lines of the official script");
  c.flag(o.table, "--table", "print the table even with --mind");
  c.flag(o.json, "--json", "print JSON instead");
  c.flag(o.by_day, "--by-day", "add the values of each day");
  c.option(o.at, "--at", "K", "the k of ndcg@k and hr@k", cli::range(1, 1e9));
  c.choice(o.ties, "--ties", {"last", "first", "expected"},
           "of equal scores rank the later or the earlier higher, or average over all orders");
  c.option(o.bootstrap.resamples, "--bootstrap", "N", "resamples behind the intervals; 0 for none", cli::range(0, 1e6));
  c.option(o.bootstrap.confidence, "--confidence", "P", "share of resamples inside an interval",
           cli::above(0) | cli::below(1));
  c.option(o.compare, "--compare", "SYSTEM", "add the paired difference of every other system to this one");
  c.option(o.dataset, "--dataset", "NAME",
           "what to call the data; otherwise the behavior's digest or the truth's path");
  c.text_output(o.output);
  c.common(o.common, cli::threads | cli::seed);
  c.example("eval-rank kred-1.nd kred-2.nd popular.nd --compare popularity");
  c.example("eval-rank --mind truth.txt prediction.txt");
  c.see_also("rank-score(1), kg-eval(1)");
}

void validate(const Options& o) {
  if (o.mind && o.inputs.size() != 2) throw UsageError("--mind takes two files, truth.txt and prediction.txt");
  if (o.mind && o.by_day) throw UsageError("--by-day: MIND's official pair holds no times");
  if (o.mind && !o.compare.empty()) throw UsageError("--compare: MIND's official pair holds one system only");
  if (o.table && o.json) throw UsageError("--table and --json exclude each other");
}

// The runs, all of the same impressions, and what to call those.
struct Judged {
  std::string dataset;
  std::vector<Run> runs;
};

Ties ties_of(const Options& o) {
  return o.ties == "last" ? Ties::last : o.ties == "first" ? Ties::first : Ties::expected;
}

Judged judge_mind(const Options& o, std::span<const Column> columns, cli::Context& ctx) {
  const Bytes truth = read_all(o.inputs[0]), prediction = read_all(o.inputs[1]);
  const MindPair pair(truth.text(), shown(o.inputs[0]), prediction.text(), shown(o.inputs[1]));
  Evaluation e = evaluate(pair.blocks(), columns, ties_of(o), o.common.threads);
  auto warn = [&](int64_t n, const char* what) {
    if (n > 0) ctx.log.warn(std::to_string(n) + what);
  };
  warn(pair.missing(), " lines of the truth have no prediction: every candidate was given rank 1");
  warn(pair.surplus(), " lines of the prediction lie beyond the truth and were ignored");
  warn(e.skipped.single_class, " impressions of a single class were skipped; the official script stops at them");
  return {shown(o.inputs[0]), {{shown(o.inputs[1]), {}, std::move(e), {}}}};
}

// The digests of what a file scored, which must be the same for all files of a table.
std::string scored(const File<Scores>& file) {
  std::string digests;
  for (const Input& input : file.meta.inputs)
    if (input.role == "behavior" || input.role == "candidates")
      digests += (digests.empty() ? "" : ", ") + input.role + " " + hex(input.digest);
  return digests.empty() ? "no behavior" : digests;
}

void require_same_rows(const File<Scores>& file, const File<Scores>& first) {
  if (scored(file) != scored(first))
    throw Error(file.path, "scores " + scored(file) + ", but " + first.path + " scores " + scored(first));
  if (!std::ranges::equal(file->score.offsets, first->score.offsets) || !std::ranges::equal(file->label, first->label))
    throw Error(file.path, "has other candidates or labels than " + first.path);
}

Judged judge_scores(const Options& o, std::span<const Column> columns) {
  Judged judged;
  std::vector<File<Scores>> files;
  for (const std::string& path : o.inputs) {
    files.push_back(load<Scores>(path));
    const File<Scores>& file = files.back();
    require_same_rows(file, files[0]);
    const Impressions all{file->score.offsets, file->score.values, file->label, file->time};
    const json::Value *system = file.meta.options.find("system"), *seed = file.meta.options.find("seed");
    Run run;
    run.system = system && system->string() ? *system->string() : shown(path);
    if (seed && seed->integer()) run.seed = *seed->integer();
    run.evaluation = evaluate(all, columns, ties_of(o), o.common.threads);
    if (o.by_day) run.days = evaluate_days(all, columns, ties_of(o), o.common.threads);
    judged.runs.push_back(std::move(run));
  }
  judged.dataset = scored(files[0]);
  return judged;
}

int run(const Options& o, cli::Context& ctx) {
  Sink out(o.output);
  const bool official = o.mind && !o.table && !o.json;
  const std::vector<Column> columns = official ? official_columns() : metrics::columns(o.at);
  const Judged judged = o.mind ? judge_mind(o, columns, ctx) : judge_scores(o, columns);

  Bootstrap bootstrap = o.bootstrap;
  bootstrap.seed = o.common.seed;
  const bool intervals = bootstrap.resamples > 0 && !official;
  const Report report =
      make_report(judged.runs, columns, intervals ? &bootstrap : nullptr, o.compare, o.common.threads);

  const std::string dataset = o.dataset.empty() ? judged.dataset : o.dataset;
  out.write(official ? official_text(judged.runs[0].evaluation)
            : o.json ? to_json(report, dataset).pretty() + "\n"
                     : table(report, dataset));
  out.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "eval-rank", nd::declare, nd::validate, nd::run);
}
