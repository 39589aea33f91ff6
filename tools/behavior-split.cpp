// behavior-split: cuts a click log into a part to learn from and a part to judge by.
// Reads:  a behavior.
// Writes: two behaviors.
#include <string>
#include <vector>

#include "lib/cli/command.h"
#include "lib/data/split.h"
#include "lib/io/kind_file.h"
#include "lib/io/source.h"
#include "tools/meta.h"

namespace {

using namespace nd;

struct Options {
  std::string behavior, train, valid;
  SplitOptions split;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("cut a click log into a part to learn from and a part to judge by");
  c.describe("Refuses a split that leaks: that lets the first part tell what was clicked in the second.");
  c.input(o.behavior, "BEHAVIOR", "behavior, or -");
  c.output_option(o.train, "--train-out", "FILE", "behavior to learn from", cli::required);
  c.output_option(o.valid, "--valid-out", "FILE", "behavior to judge by", cli::required);
  c.choice(o.split.by, "--by", {"auto", "time", "impression", "user"},
           "hold out the last days, or impressions or users by a hash of their ids; auto: the last days where the log "
           "spans two days or more, else impressions");
  c.option(o.split.days, "--days", "N", "by time: days held out", cli::range(1, 36500));
  c.option(o.split.fraction, "--fraction", "P", "by impression or user: the part held out",
           cli::above(0) | cli::below(1));
  c.common(o.common, cli::seed | cli::compress);
  c.example("behavior-split behavior.nd --train-out train.nd --valid-out valid.nd");
  c.see_also("mind-ingest(1), neg-sample(1), kred-train(1)");
}

void validate(const Options& o) {
  if (o.train == o.valid) throw UsageError("--train-out and --valid-out name one file, expected two");
  cli::refuse_terminal(o.train);
  cli::refuse_terminal(o.valid);
}

int run(const Options& o, cli::Context& ctx) {
  const auto log = load<Behavior>(o.behavior);
  const Split split = split_behavior(*log, o.split, o.common.seed, shown(o.behavior));
  ctx.log.info(split.how);
  ctx.log.info("split", {{"train", split.train.size()},
                         {"valid", split.valid.size()},
                         {"valid_clicks", split.clicks},
                         {"already_in_history", split.clicks_in_history},
                         {"valid_users", split.valid.user_id.size()},
                         {"new_users", split.new_users}});
  const std::vector<Input> inputs{log.as("behavior"), input_of(log, "corpus")};
  save(o.train, split.train, meta_of(ctx, inputs), o.common.compress);
  save(o.valid, split.valid, meta_of(ctx, inputs), o.common.compress);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return nd::cli::main<Options>(argc, argv, "behavior-split", declare, validate, run); }
