// What KRED reads: articles with their vectors and links, entities with their vectors and neighbours, all as rows of
// frozen matrices, put together from the files that hold them by id.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/behavior.h"
#include "formats/corpus.h"
#include "formats/kg.h"
#include "formats/vectors.h"
#include "lib/io/json.h"
#include "lib/models/kred.h"

namespace nd {

// Which triples of an entity are its neighbourhood N_h (kred.md 1.1).
struct NeighbourOptions {
  int64_t most = 20;              // N
  std::string pick = "random";    // of more than `most`: "random", "first", or by "degree" of the tail
  bool with_replacement = false;  // always `most` draws, as the authors' code does
  bool undirected = false;        // triples also count backwards, under the same relation
  bool resample = false;          // draw anew every epoch

  json::Value to_json() const;
  static NeighbourOptions from_json(const json::Value& value);
};

// What did not join, for the user to see.
struct KredCoverage {
  int64_t articles = 0, without_vector = 0, without_entity = 0;
  int64_t links = 0, links_without_vector = 0;
  int64_t entities = 0, without_neighbours = 0;  // distinct linked entities with a vector
  int64_t triples_without_vector = 0;
};

class KredData {
 public:
  // `entities` and `kg` may be null where the model uses none. `types` is the vocabulary of the type table; types
  // outside it share one more row. Throws Error (without a path) when a join leaves nothing: no article has a vector,
  // no link an entity vector, no linked entity a triple; or when an article links an entity twice.
  KredData(const Corpus& corpus, const Vectors& documents, const Vectors* entities, const Kg* kg, const Strings& types,
           int64_t frequencies, const NeighbourOptions& neighbours, uint64_t seed);

  // Draws every neighbourhood for an epoch, from (seed, entity id, epoch). The constructor has done it for epoch 0.
  void choose_neighbours(int64_t epoch);

  const KredCoverage& coverage() const { return coverage_; }
  const KredFrozen& frozen() const { return frozen_; }
  int64_t articles() const { return static_cast<int64_t>(article_document.size()); }
  int64_t heads() const { return static_cast<int64_t>(head_entity.size()); }

  std::vector<int32_t> article_document;  // [articles] row of frozen.document_x
  // Links by article, in corpus order without those that have no vector.
  std::vector<int64_t> link_offsets;                              // [articles + 1]
  std::vector<int32_t> link_head;                                 // row of head_entity
  std::vector<int32_t> link_position, link_frequency, link_type;  // rows of the context tables
  // Distinct linked entities, in corpus order.
  std::vector<int32_t> head_entity;  // row of frozen.entity_x
  std::vector<int32_t> head_corpus;  // row of corpus.entity_id
  // Chosen neighbours by head.
  std::vector<int64_t> neighbour_offsets;
  std::vector<int32_t> neighbour_tail;      // row of frozen.entity_x
  std::vector<int32_t> neighbour_relation;  // row of frozen.relation_x
  // Whether more than a third of the neighbours of a few heads (the first kFewHeads) are tails seen before among them.
  bool tails_repeat = false;
  static constexpr int64_t kFewHeads = 2048;

 private:
  void join_documents(const Corpus& corpus, const Vectors& documents);
  void join_links(const Corpus& corpus, const Vectors& entities, const Strings& types, int64_t frequencies);
  void see_whether_tails_repeat();
  void join_graph(const Corpus& corpus, const Vectors& entities, const Kg& kg);

  KredFrozen frozen_;
  KredCoverage coverage_;
  NeighbourOptions neighbours_;
  uint64_t seed_;
  // Keep what frozen_ points at.
  Matrix document_x_, relation_x_;
  Arena tables_;
  // All triples of each head, before choosing.
  std::vector<int64_t> triple_offsets_;
  std::vector<int32_t> triple_tail_, triple_relation_;
  std::vector<uint64_t> head_key_;      // hash of the entity's id
  std::vector<int32_t> entity_degree_;  // by row of entity_x
};

// Which of the corpus' articles a behavior shows or has in a history.
std::vector<bool> articles_of(const Behavior& behavior, int64_t corpus_size);

// Types that occur in the links of the articles with used[article] true, in corpus order: what training can learn.
Strings types_of(const Corpus& corpus, const std::vector<bool>& used);

}  // namespace nd
