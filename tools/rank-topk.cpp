// Lists the best articles for users.
// Reads params, behavior (for the users' histories), corpus and what the model was trained with.
// Writes TSV: user, rank, article, score.
#include <charconv>

#include "lib/cli/command.h"
#include "lib/data/pool.h"
#include "lib/io/kind_file.h"
#include "lib/io/sink.h"
#include "lib/models/kred_file.h"
#include "tools/compute.h"
#include "tools/kred_log.h"

namespace nd {
namespace {

struct Options {
  KredPaths files;
  std::string behavior, params, pool, output = "-";
  std::vector<std::string> users;
  int64_t best = 10;
  bool seen = false;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("list the best articles for users");
  c.describe("A user is the history of their latest impression in BEHAVIOR. Articles of that history are left out.");
  c.input(o.behavior, "BEHAVIOR", "impressions of the users");
  c.input_option(o.params, "--params", "FILE", "trained model", cli::required);
  c.input_option(o.files.corpus, "--corpus", "FILE", "articles", cli::required);
  c.input_option(o.files.documents, "--documents", "FILE", "article vectors", cli::required);
  c.input_option(o.files.entities, "--entities", "FILE", "entity vectors the model was trained with");
  c.input_option(o.files.kg, "--kg", "FILE", "graph the model was trained with");
  c.input_option(o.pool, "--pool", "FILE", "article ids to choose from, one a line; default: the whole corpus");
  c.option(o.users, "--user", "ID", "list for this user only; may be given several times");
  c.option(o.best, "--best", "N", "articles per user", cli::range(1, 1000000));
  c.flag(o.seen, "--seen", "list articles of the user's own history too");
  c.text_output(o.output);
  c.common(o.common, cli::threads | cli::device | cli::tf32);
  c.example(
      "rank-topk today.nd --params kred.nd --corpus corpus.nd --documents documents.nd --entities entities.nd "
      "--kg kg.nd --best 5");
  c.see_also("rank-score(1), kred-encode(1)");
}

void validate(const Options&) {}

int run(const Options& o, cli::Context& ctx) {
  compute_with(o.common);
  OpenKred kred(o.params, o.files);
  tell_coverage(ctx.log, kred.data->coverage());
  const auto behavior = load<Behavior>(o.behavior);
  require_same(behavior, "corpus", kred.files.corpus);
  const Corpus& corpus = *kred.files.corpus;
  const std::vector<int32_t> pool = o.pool.empty() ? whole_pool(corpus) : read_pool(o.pool, corpus);
  const UserHistories users = latest_histories(behavior, o.users);
  const auto best = kred.ranker().top(users.history, pool, o.best, !o.seen);

  Sink sink(o.output);
  for (size_t u = 0; u < best.size(); ++u)
    for (size_t r = 0; r < best[u].article.size(); ++r) {
      char score[32];
      const auto end = std::to_chars(score, score + sizeof score, best[u].score[r]).ptr;
      sink.write(std::string(users.id[static_cast<int64_t>(u)]) + "\t" + std::to_string(r + 1) + "\t" +
                 std::string(corpus.id[best[u].article[r]]) + "\t" + std::string(score, end) + "\n");
    }
  sink.commit();
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "rank-topk", nd::declare, nd::validate, nd::run);
}
