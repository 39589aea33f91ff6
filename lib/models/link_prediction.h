// Link prediction: how high the true tail of (head, relation, ?) and the true head of (?, relation, tail) rank among
// all entities, by the distance |h + r − t| of TransE. Filtered (Bordes et al. 2013): other answers that are true in
// any split do not count against the tested one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "formats/kg.h"
#include "formats/vectors.h"
#include "lib/io/json.h"

namespace nd {

// One query's answer among the candidates. Rank 1 + better would be optimistic, 1 + better + equal pessimistic; the
// realistic rank is their mean, which is what a random order of equals gives on average (Sun et al., ACL 2020).
struct LinkRank {
  int64_t better = 0, equal = 0;  // other candidates that are closer, and just as close
};
struct LinkRanks {
  std::vector<LinkRank> head_raw, head, tail_raw, tail;  // one per triple ranked; head, tail are filtered

  int64_t triples = 0;     // in the split
  int64_t unknown = 0;     // not ranked: an entity or the relation has no vector
  int64_t unseen = 0;      // ranked, though an entity or the relation is in no training triple
  int64_t candidates = 0;  // entities of the graph that have a vector
};

// Ranks the triples [begin, end) of the graph. norm is l1 or l2; vectors are matched by id. Distances of the answer and
// of its rivals are the same bits where the vectors are, and a distance that is not a number is the worst. `progress`,
// when set, is told how many triples are done, from one thread only. Error when no entity of the graph has a vector,
// when there are no relation vectors, or when no triple can be ranked.
LinkRanks rank_links(const Kg& kg, int64_t begin, int64_t end, const Vectors& vectors, const std::string& norm,
                     const std::function<void(int64_t)>& progress = {});

enum class Ties : uint8_t { realistic, optimistic, pessimistic };

struct LinkSummary {
  int64_t queries = 0;
  int64_t ties = 0;                         // queries whose answer has equals
  double mrr = 0;                           // mean of 1 / rank
  double mr = 0;                            // mean rank
  double hits1 = 0, hits3 = 0, hits10 = 0;  // share of ranks of at most 1, 3, 10
};
LinkSummary summarise(const std::vector<LinkRank>& ranks, Ties ties);

// All of it for machines: {"filtered":{"both":{...},"head":{...},"tail":{...}},"raw":{...},"triples":...}, each side
// with its realistic summary and inside it "optimistic" and "pessimistic"; and as a table for people.
json::Value link_json(const LinkRanks& ranks);
std::string link_table(const LinkRanks& ranks);

}  // namespace nd
