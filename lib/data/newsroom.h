// An artificial newsroom: articles, readers and clicks that obey known causes.
//
// Real click logs never say why somebody clicked, so nobody can tell whether a model learnt what it claims to learn.
// Here every click is drawn from a sum of causes of known strength, and each cause can be seen by one part of a model
// only (see Cause). Everything is a pure function of the options and the number of an article, user or impression: the
// newsroom can have any size and is written in one pass.
//
//   newsroom.h        what happens in it: articles, users, clicks
//   newsroom_graph.h  its entities and the knowledge graph around them
//   newsroom_text.h   its language: words, names, titles, abstracts
//   newsroom_files.h  the raw files it is written to
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/data/newsroom_graph.h"
#include "lib/tensor/random.h"

namespace nd::newsroom {

// Why users click: term of the logit = strength x taste of the user (-1 or +1) x value of the article (in [-1, 1]).
enum Cause {
  topic,      // its topic: each user likes some topics. The words say it, and so does any document vector
  entity,     // the mean trait of its entities. An entity's own vector says it
  neighbour,  // the mean hidden kind of its entities. Only the neighbour behind the carrier relation says it:
              // KRED's first layer (kgat, eqs 1-3)
  position,   // how many of its entities are in the title. Only the context of a mention says it: second layer (eq 4)
  frequency,  // how many of its entities are named repeatedly. Likewise
  type,       // the mean side of its entities' types. Likewise: the graph does not say it
  distillation,  // the mean leaning of those of its entities that are of its topic. The others rather lean the other
                 // way, so that the plain mean is a bad guide: third layer (eqs 5-7)
  popularity,    // what everybody likes: taste 1, value a standard normal number of the article
};
inline constexpr int causes = 8;
inline constexpr std::array<const char*, causes> cause_names = {"topic",     "entity", "neighbour",    "position",
                                                                "frequency", "type",   "distillation", "popularity"};
using Terms = std::array<double, causes>;

struct Options {
  uint64_t seed = 1;
  int64_t articles = 6000, users = 3000, impressions = 20000;
  int64_t days = 7;         // of impressions
  int64_t dev_days = 1;     // the last of them, held out
  int64_t past_days = 7;    // before the first impression, when the histories were clicked
  int64_t candidates = 12;  // articles shown in an impression
  int64_t history = 14;     // clicks of a user before the first impression, on average
  int64_t mentions = 6;     // entities of an article, on average
  double zipf = 0.5;        // how unevenly entities are named: 0 all alike, 1 Zipf's law
  GraphOptions graph;
  Terms strength = {1};
};

// An entity in an article, and how often title and abstract name it.
struct Mention {
  int64_t entity = 0;
  int in_title = 0, in_abstract = 0;
};

struct Article {
  int topic = 0, subtopic = 0;
  bool has_abstract = true;
  std::vector<Mention> mentions;  // distinct entities; one article in twenty has none
  Terms value = {};               // of each cause but topic
};

struct Impression {
  int64_t user = 0;
  double time = 0;                 // days since the beginning of the first day
  std::vector<int32_t> candidate;  // articles, distinct
  std::vector<uint8_t> clicked;    // one per candidate; at least one is 1 and one is 0
};

class Newsroom {
 public:
  // Keeps the values of all articles and the histories of all users; memory does not depend on the impressions.
  // UsageError when the options make no newsroom.
  explicit Newsroom(const Options& options);

  const Options& options() const { return options_; }
  const Graph& graph() const { return graph_; }

  // Articles are numbered in the order they are published.
  Article article(int64_t article) const;
  int64_t published_before(double time) const;
  // When it was published: days since the beginning of the first day of impressions, so may be negative.
  double published(int64_t article) const;

  // Impressions are numbered in the order of time.
  Impression impression(int64_t impression) const;
  int64_t first_dev_impression() const;
  // Articles the user clicked before the first day, oldest first; may be empty, may hold repeats.
  std::span<const int32_t> history(int64_t user) const;

  // Why the user would click the article: the terms of the logit.
  Terms terms(int64_t user, int64_t article) const;

  // One label per article. Popularity: which quarter, 0 to 3, of the order by appeal (topic, entity traits, noise).
  // Local: 1 for the 12 % of most local interest (hidden kinds, types, noise).
  std::vector<uint8_t> popularity_labels() const;
  std::vector<uint8_t> local_labels() const;

 private:
  double logit(int64_t user, int64_t article) const;
  // `count` distinct articles published before `time`, fresh ones rather than old ones.
  std::vector<int32_t> shown(double time, int64_t count, RandomSequence& draw) const;
  // Draws `clicks` of the shown articles one after another, each by the softmax of the logits of those left.
  std::vector<uint8_t> click(int64_t user, std::span<const int32_t> shown, int64_t clicks, RandomSequence& draw) const;
  std::vector<double> scores(const Terms& weight, double topic_weight, const char* stream) const;

  Options options_;
  Graph graph_;
  Random taste_;
  std::vector<int32_t> topic_;                    // [articles]
  std::vector<std::array<float, causes>> value_;  // [articles]
  std::vector<int64_t> history_offset_;           // [users + 1]
  std::vector<int32_t> history_;
};

}  // namespace nd::newsroom
