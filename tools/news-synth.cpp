// news-synth: writes an artificial newsroom whose clicks obey known causes.
// Reads nothing.
// Writes a folder of raw files: MIND's news and behaviors, a graph's triples, labels, document vectors; on request a
// log of clicks as Adressa and as anybody has it, with elements and word vectors.
#include "lib/cli/command.h"
#include "lib/data/newsroom_files.h"
#include "lib/data/newsroom_log_files.h"

namespace nd {
namespace {

struct Options {
  std::string folder, cause = "all", log_cause = "all";
  newsroom::Options room;
  newsroom::Extras extras;
  newsroom::log::Options log;
  cli::Common common;
};

// Every preset plants the topic, or there would be nothing to learn.
void plant(newsroom::Terms& strength, const std::string& cause) {
  using namespace newsroom;
  strength = {};
  strength[topic] = 1;
  const bool all = cause == "all";
  if (all || cause == "entity") strength[entity] = 1;
  if (all || cause == "neighbour") strength[neighbour] = 2;
  if (all || cause == "context") strength[position] = strength[frequency] = strength[type] = 1;
  if (all || cause == "distillation") strength[distillation] = 2;
}

void plant(newsroom::log::Terms& strength, const std::string& cause) {
  using namespace newsroom;
  const bool all = cause == "all";
  strength = {};
  strength[log::topic] = 1;
  if (all || cause == "hour") strength[log::hour] = 2;
  if (all || cause == "recency") strength[log::recency] = 2;
  if (all || cause == "element") strength[log::element] = 2;
  if (all || cause == "lead") strength[log::lead] = 2;
}

void declare_log(cli::Command& c, Options& o) {
  auto& s = o.log.strength;
  plant(s, o.log_cause);
  c.option(o.log.clicks, "--log-clicks", "N",
           "clicks of a user, on average, in a log for models that read them in order; 0: no log",
           cli::range(0, 100000));
  c.preset(o.log_cause, "--log-cause", {"none", "hour", "recency", "element", "lead", "all"},
           "plant this cause alone in the log, beside the topic; the strengths below change it",
           [&s](const std::string& word) { plant(s, word); });
  c.option(s[newsroom::log::topic], "--log-topic", "S", "strength in the log of: the article's topic");
  c.option(s[newsroom::log::hour], "--log-hour", "S", "of: topics that are wanted by day, or by night");
  c.option(s[newsroom::log::recency], "--log-recency", "S",
           "of: topics that are wanted soon after the last reading, or later");
  c.option(s[newsroom::log::element], "--log-element", "S", "of: persons and places, which only the elements tell");
  c.option(s[newsroom::log::lead], "--log-lead", "S", "of: the leading sentence of the article read last");
  c.option(o.log.sentences, "--log-sentences", "N",
           "sentences of a body in the log, at most, and at least a third of it", cli::range(2, 1000));
  c.option(o.log.word_dim, "--log-word-dim", "N", "width of the log's word vectors", cli::range(1, 4096));
}

void declare(cli::Command& c, Options& o) {
  auto& room = o.room;
  auto& graph = room.graph;
  auto& s = room.strength;
  plant(s, o.cause);
  c.summary("write an artificial newsroom whose clicks obey known causes");
  c.describe(
      "Articles that name entities of a knowledge graph, users with tastes, and a log of what they clicked, in the "
      "formats of real ones. A click's logit is a sum over causes, each the product of its strength, the user's taste "
      "and the article's value; each cause can be seen by one part of a model only, so leaving that part out must "
      "cost something. Words in the plural are counts, in the singular strengths.");
  c.output_option(o.folder, "--output", "FOLDER", "folder to write to, made when missing",
                  cli::required | cli::short_name('o'));
  c.preset(o.cause, "--cause", {"none", "entity", "neighbour", "context", "distillation", "all"},
           "plant this cause alone, beside the topic; the strengths below change it",
           [&s](const std::string& word) { plant(s, word); });
  c.option(s[newsroom::topic], "--topic", "S", "strength of: the article's topic");
  c.option(s[newsroom::entity], "--entity", "S", "of: a trait that an entity's own vector shows");
  c.option(s[newsroom::neighbour], "--neighbour", "S", "of: a trait that one neighbour of an entity shows");
  c.option(s[newsroom::position], "--position", "S", "of: entities in the title rather than the abstract");
  c.option(s[newsroom::frequency], "--frequency", "S", "of: entities named repeatedly");
  c.option(s[newsroom::type], "--type", "S", "of: entities' types");
  c.option(s[newsroom::distillation], "--distillation", "S", "of: a trait of just the entities of the topic");
  c.option(s[newsroom::popularity], "--popularity", "S", "of: what everybody likes");
  c.option(room.articles, "--articles", "N", "articles");
  c.option(room.users, "--users", "N", "users");
  c.option(room.impressions, "--impressions", "N", "impressions, training and dev together");
  c.option(room.candidates, "--candidates", "N", "articles shown in an impression");
  c.option(room.history, "--history", "N", "clicks of a user before the first impression, on average");
  c.option(room.days, "--days", "N", "days of impressions");
  c.option(room.dev_days, "--dev-days", "N", "the last of them, held out in dev/");
  c.option(room.past_days, "--past-days", "N", "days before them, when the histories were clicked");
  c.option(graph.topics, "--topics", "N", "topics (MIND's categories)");
  c.option(room.mentions, "--mentions", "N", "entities of an article, on average");
  c.option(room.zipf, "--zipf", "S", "how unevenly entities are named: 0 all alike, 1 Zipf's law", cli::range(0, 4));
  c.option(graph.entities, "--entities", "N", "entities that articles may name");
  c.option(graph.types, "--types", "N", "types of entities");
  c.option(graph.others, "--others", "N", "entities that only the graph names");
  c.option(graph.relations, "--relations", "N", "relations of the graph");
  c.option(graph.neighbours, "--neighbours", "N", "others an entity is related to");
  c.option(o.extras.kg_held_out, "--kg-held-out", "P", "share of the triples in kg/valid.txt, and in kg/test.txt",
           cli::range(0, 0.4));
  c.option(o.extras.vector_dim, "--vectors", "DIM",
           "also write document.vec, document vectors that know the topic only", cli::range(0, 100000));
  c.flag(o.extras.truth, "--truth", "also write truth.tsv, the terms of every candidate's logit");
  declare_log(c, o);
  c.common(o.common, cli::seed);
  c.example("news-synth --articles 500 --users 200 --impressions 1000 -o newsroom");
  c.example("news-synth --log-clicks 40 --log-cause lead -o newsroom");
  c.see_also("mind-ingest(1), kg-ingest(1), vector-ingest(1), adressa-ingest(1), click-ingest(1)");
}

void validate(const Options& o) {
  if (o.folder == "-") throw UsageError("-o -: expected a folder, since several files are written");
}

int run(const Options& o, cli::Context& ctx) {
  newsroom::Options room = o.room;
  room.seed = o.common.seed;
  const newsroom::Newsroom newsroom(room);
  newsroom::write_newsroom(newsroom, o.folder, o.extras);
  if (o.log.clicks > 0) newsroom::write_log(newsroom::Log(newsroom, o.log), o.folder + "/log");
  ctx.log.info("wrote", {{"folder", o.folder},
                         {"articles", room.articles},
                         {"impressions", newsroom.first_dev_impression()},
                         {"dev_impressions", room.impressions - newsroom.first_dev_impression()}});
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "news-synth", nd::declare, nd::validate, nd::run);
}
