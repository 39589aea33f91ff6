// neg-sample: fixes what each click is ranked against.
// Reads:  a behavior, and optionally others to exclude clicks of or to count in.
// Writes: candidates.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/negatives.h"
#include "lib/io/kind_file.h"
#include "lib/io/source.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::string behavior, from, output, by = "impression";
  std::vector<std::string> exclude;
  int64_t negatives = 5;
  NegativeOptions sampling;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("draw the articles that each click is ranked against");
  c.describe(
      "One row per click: the clicked article among articles its user did not click. To test, exclude the clicks of "
      "all "
      "other files; to train, of none, or the absence of an article would give away that it is clicked later. Trainers "
      "draw their own negatives and need no such file.");
  c.input(o.behavior, "BEHAVIOR", "behavior, or -");
  c.output(o.output);
  c.choice(o.by, "--by", {"impression", "corpus", "popularity", "recent"},
           "not clicked in the same impression, any article, in proportion to its clicks, or shown lately");
  c.option(o.negatives, "--negatives", "N", "articles drawn for each click",
           cli::range(1, 1000000) | cli::short_name('n'));
  c.input_option(o.exclude, "--exclude", "BEHAVIOR", "never draw what the user clicked in this file either; repeat it");
  c.input_option(o.from, "--from", "BEHAVIOR", "where popularity and recent count, if not in the file itself");
  c.option(o.sampling.window_hours, "--window", "HOURS", "how long recent looks back", cli::range(1, 876000));
  c.common(o.common, cli::seed | cli::compress);
  c.example("neg-sample test.nd --by recent -n 50 --exclude train.nd -o candidates.nd");
  c.see_also("behavior-split(1), kred-train(1), rank-score(1), nightdesk(7)");
}

void validate(const Options& o) {
  if (!o.from.empty() && o.by != "popularity" && o.by != "recent")
    throw UsageError("--from is for --by popularity and --by recent");
}

int run(const Options& o, cli::Context& ctx) {
  const auto rows = load<Behavior>(o.behavior);
  std::vector<Input> inputs{rows.as("behavior"), input_of(rows, "corpus")};
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

  NegativeOptions sampling = o.sampling;
  sampling.source = negative_source(o.by);
  const NegativeSampler sampler(*rows, sampling, o.common.seed, exclude, o.from.empty() ? nullptr : &*others.back());
  int64_t short_rows = 0;
  const Candidates candidates = sample_candidates(*rows, sampler, o.negatives, o.common.seed, short_rows);
  if (candidates.size() == 0) throw Error(shown(o.behavior), "has no clicks, expected labelled impressions");
  if (short_rows > 0)
    ctx.log.warn(std::to_string(short_rows) + " of " + std::to_string(candidates.size()) +
                 " rows have fewer negatives than asked: the corpus has no more that their users did not click");
  ctx.log.info("drawn", {{"clicks", candidates.size()}, {"candidates", candidates.label.size()}});
  save(o.output, candidates, meta_of(ctx, std::move(inputs)), o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "neg-sample", declare, validate, run); }
