// neg-sample: fixes what each click is ranked against.
// Reads:  a behavior, and optionally others to exclude clicks of or to count in; or clicks.
// Writes: candidates.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/click_negatives.h"
#include "lib/data/negatives.h"
#include "lib/io/kind_file.h"
#include "lib/io/source.h"
#include "tools/meta.h"
#include "tools/window_options.h"

namespace {

using namespace nd;

struct Options {
  std::string log, from, output, by, split = "test";
  std::vector<std::string> exclude;
  int64_t negatives = 0, window_hours = 0;
  WindowOptions windows;
  cli::Common common{.max_skip = 0};
};

void declare(cli::Command& c, Options& o) {
  c.summary("draw the articles that each click is ranked against");
  c.describe(
      "Of a behavior, one row per click: the clicked article among articles its user did not click. To test, exclude "
      "the "
      "clicks of all other files; to train, of none, or the absence of an article would give away that it is clicked "
      "later. Trainers draw their own negatives and need no such file.");
  c.describe(
      "Of clicks, one row per user: the newest click, or for validation the one before it, among articles the user "
      "never clicked. All systems are to be judged on one such file.");
  c.input(o.log, "LOG", "behavior or clicks, or -");
  c.output(o.output);
  c.choice(o.by, "--by", {"impression", "corpus", "recent", "uniform", "popularity", "live", "all-live"},
           "of a behavior: not clicked in the same impression (default), any article, in proportion to its clicks, or "
           "shown lately; of clicks: uniform (default), popularity, live at that time, or all that are live");
  c.option(o.negatives, "--negatives", "N", "articles drawn for each click; 0: 5 of a behavior, 99 of clicks",
           cli::range(0, 1000000) | cli::short_name('n'));
  c.option(o.window_hours, "--window", "HOURS",
           "how long recent looks back; how far live looks back and ahead; 0: 48 for recent, 1 for live",
           cli::range(0, 876000));
  c.choice(o.split, "--split", {"test", "valid"}, "of clicks: which windows");
  declare_windows(c, o.windows);
  c.input_option(o.exclude, "--exclude", "BEHAVIOR", "never draw what the user clicked in this file either; repeat it");
  c.input_option(o.from, "--from", "BEHAVIOR", "where popularity and recent count, if not in the file itself");
  c.common(o.common, cli::seed | cli::max_skip | cli::compress);
  c.example("neg-sample test.nd --by recent -n 50 --exclude train.nd -o candidates.nd");
  c.example("neg-sample clicks.nd --by live --split valid -o valid.nd");
  c.see_also("behavior-split(1), click-ingest(1), kred-train(1), rank-score(1)");
}

void validate(const Options& o) {
  if (!o.from.empty() && o.by != "popularity" && o.by != "recent")
    throw UsageError("--from is for --by popularity and --by recent");
}

Candidates of_clicks(const Options& o, const File<Clicks>& clicks, std::vector<Input>& inputs, cli::Context& ctx) {
  if (!o.exclude.empty() || !o.from.empty())
    throw UsageError("--exclude and --from are for a behavior, not for clicks");
  ClickSampling sampling{.source = click_source(o.by.empty() ? "uniform" : o.by)};
  if (o.negatives > 0) sampling.negatives = o.negatives;
  if (o.window_hours > 0) sampling.window_hours = o.window_hours;
  inputs = {clicks.as("clicks"), input_of(clicks, "corpus")};
  const Windows windows = windows_of(*clicks, o.windows, shown(o.log));
  tell_windows(ctx.log, windows);
  Skips skips(o.common.max_skip);
  Candidates out = sample_candidates(*clicks, windows.of(o.split), sampling, o.common.seed, shown(o.log), skips);
  for (const std::string& line : skips.report()) ctx.log.warn(line);
  if (out.size() == 0) throw Error(shown(o.log), "leaves no click with enough articles to be ranked against");
  return out;
}

Candidates of_behavior(const Options& o, const File<Behavior>& rows, std::vector<Input>& inputs, cli::Context& ctx) {
  inputs = {rows.as("behavior"), input_of(rows, "corpus")};
  std::vector<File<Behavior>> others;
  std::vector<const Behavior*> exclude;
  const auto open = [&](const std::string& path, const char* role) {
    others.push_back(load<Behavior>(path));
    require_same_input(rows, others.back(), "corpus");
    inputs.push_back(others.back().as(role));
  };
  others.reserve(o.exclude.size() + 1);
  for (const std::string& path : o.exclude) {
    open(path, "exclude");
    exclude.push_back(&*others.back());
  }
  if (!o.from.empty()) open(o.from, "from");

  NegativeOptions sampling{.source = negative_source(o.by.empty() ? "impression" : o.by)};
  if (o.window_hours > 0) sampling.window_hours = o.window_hours;
  const int64_t negatives = o.negatives > 0 ? o.negatives : 5;
  const NegativeSampler sampler(*rows, sampling, o.common.seed, exclude, o.from.empty() ? nullptr : &*others.back());
  int64_t short_rows = 0;
  Candidates out = sample_candidates(*rows, sampler, negatives, o.common.seed, short_rows);
  if (out.size() == 0) throw Error(shown(o.log), "has no clicks, expected labelled impressions");
  if (short_rows > 0)
    ctx.log.warn(std::to_string(short_rows) + " of " + std::to_string(out.size()) +
                 " rows have fewer negatives than asked: the corpus has no more that their users did not click");
  return out;
}

int run(const Options& o, cli::Context& ctx) {
  const Container log = open_one_of({Behavior::kind, Clicks::kind}, o.log);
  std::vector<Input> inputs;
  const Candidates candidates = log.meta().kind == Clicks::kind
                                    ? of_clicks(o, from_container<Clicks>(log), inputs, ctx)
                                    : of_behavior(o, from_container<Behavior>(log), inputs, ctx);
  ctx.log.info("drawn", {{"clicks", candidates.size()}, {"candidates", candidates.label.size()}});
  save(o.output, candidates, meta_of(ctx, std::move(inputs)), o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "neg-sample", declare, validate, run); }
