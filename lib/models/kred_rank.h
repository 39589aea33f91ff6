// KRED in use: article vectors for a corpus, and scores for impressions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/behavior.h"
#include "formats/candidates.h"
#include "lib/models/kred.h"
#include "lib/models/kred_batch.h"
#include "lib/models/kred_data.h"

namespace nd {

class KredRanker {
 public:
  // `max_history`: the most recent clicks that make a user, kred.md 1.4.
  KredRanker(Kred& model, const KredData& data, int64_t max_history);

  // Vectors of these articles (rows of the corpus, distinct) [articles, article_dim]. Entity vectors are made once,
  // for the entities that are linked there; `table_seconds`, when given, gets what that took. A vector does not depend
  // on the other articles asked for.
  std::vector<float> encode(std::span<const int32_t> articles, double* table_seconds = nullptr);

  // Eq. (6) for each link of an article and eq. (3) for each neighbour of its entity, to be looked at.
  struct Attention {
    std::vector<float> link;       // by link of the asked articles, in order
    std::vector<float> neighbour;  // by chosen neighbour of every head of the data
  };
  Attention attention(std::span<const int32_t> articles);

  // Scores of candidates.values, for impressions of `behavior` named by `impression`.
  std::vector<float> score(const Behavior& behavior, std::span<const int32_t> impression,
                           const Ragged<int32_t>& candidate);
  // The same for the behavior's own candidates.
  std::vector<float> score(const Behavior& behavior);

  // The best `k` of `pool` (distinct rows of the corpus) for each history, best first; ties go to the earlier of the
  // pool. Articles in the history itself are left out where `skip_seen`.
  struct Best {
    std::vector<int32_t> article;
    std::vector<float> score;
  };
  std::vector<Best> top(const Ragged<int32_t>& histories, std::span<const int32_t> pool, int64_t k, bool skip_seen);

 private:
  struct Encoded;
  // e_N, and its share of eq. (5) where the model has one, as rows of all heads; empty where the model has none.
  struct EntityTable {
    Mat vectors, keys;
  };
  EntityTable entity_table(Arena& arena, std::span<const int32_t> articles);
  // Vectors of a block of articles.
  Var articles(Tape& tape, std::span<const int32_t> block, const EntityTable& table,
               KredAttention* attention = nullptr);
  Var users(Tape& tape, const Encoded& encoded, const Ragged<int32_t>& histories, std::span<const int32_t> rows);

  Kred& model_;
  const KredData& data_;
  KredBatcher batcher_;
  int64_t max_history_;
};

}  // namespace nd
