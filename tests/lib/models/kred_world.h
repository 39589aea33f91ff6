// A made-up newsroom small enough to compute by hand: articles without entities, entities without neighbours or with
// too many, a user without a history, types nobody knows and counts beyond the table all occur in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/tensor/random.h"

namespace nd::kred_world {

constexpr int64_t kArticles = 30, kEntities = 40, kRelations = 6, kTypes = 4, kCategories = 5;
constexpr int64_t kD = 17, kBase = 23, kHidden = 19, kWidth = 21, kBatches = 3, kUsers = 6;

// Everything KRED reads.
struct World {
  Corpus corpus;
  Vectors documents, entities;
  Kg kg;

  World() {
    RandomSequence r(7, "world");
    const auto strings = [](const char* letter, int64_t n) {
      StringsBuilder b;
      for (int64_t i = 0; i < n; ++i) b.push(letter + std::to_string(i));
      return b.take();
    };
    const auto matrix = [&](int64_t rows, int64_t cols) {
      std::vector<float> x(static_cast<size_t>(rows * cols));
      for (float& v : x) v = static_cast<float>(0.5 * r.normal());
      return Matrix{std::move(x), rows, cols};
    };
    corpus.id = strings("N", kArticles);
    corpus.entity_id = strings("Q", kEntities);
    corpus.type_name = strings("T", kTypes);
    RaggedBuilder<int32_t> links;
    std::vector<int32_t> type, frequency;
    std::vector<uint8_t> position;
    for (int64_t a = 0; a < kArticles; ++a) {
      std::vector<int32_t> all(kEntities);
      for (int32_t e = 0; e < kEntities; ++e) all[e] = e;
      shuffle(all, r);
      const int64_t n = a % 7 == 3 ? 0 : 1 + static_cast<int64_t>(r.below(6));  // some articles have no entity
      for (int64_t l = 0; l < n; ++l) {
        links.push(all[l]);
        type.push_back(static_cast<int32_t>(r.below(kTypes + 1)) - 1);
        frequency.push_back(1 + static_cast<int32_t>(r.below(30)));  // beyond the table too
        position.push_back(static_cast<uint8_t>(r.below(2)));
      }
      links.end_row();
    }
    const size_t m = type.size();
    corpus.link_entity = links.take();
    corpus.link_type = std::move(type);
    corpus.link_frequency = std::move(frequency);
    corpus.link_position = std::move(position);
    corpus.link_first = std::vector<int32_t>(m, 0);
    corpus.link_confidence = std::vector<float>(m, 1);
    documents = {corpus.id, matrix(kArticles, kBase), {}, {}};
    entities = {corpus.entity_id, matrix(kEntities, kD), strings("P", kRelations), matrix(kRelations, kD)};
    std::vector<int32_t> head, relation, tail;
    for (int32_t h = 0; h < kEntities; ++h)  // some entities have no neighbour, some more than are taken
      for (int64_t n = h % 5 == 2 ? 0 : static_cast<int64_t>(r.below(30)); n > 0; --n) {
        head.push_back(h);
        relation.push_back(static_cast<int32_t>(r.below(kRelations)));
        tail.push_back(static_cast<int32_t>(r.below(kEntities)));
      }
    const auto t = static_cast<int64_t>(head.size());
    kg = {corpus.entity_id,    entities.relation_id, std::move(head),
          std::move(relation), std::move(tail),      std::vector<int64_t>{t, t, t}};
  }
};

struct Batch {
  std::vector<std::vector<int32_t>> history, candidate;  // user2item
  std::vector<int32_t> document, label;                  // category
};

inline std::vector<Batch> batches() {
  RandomSequence r(8, "batches");
  std::vector<Batch> all(kBatches);
  for (Batch& b : all)
    for (int64_t u = 0; u < kUsers; ++u) {
      std::vector<int32_t> history(u == 2 ? 0 : 1 + r.below(7));  // one user has no history; repeats occur
      for (int32_t& a : history) a = static_cast<int32_t>(r.below(kArticles));
      std::vector<int32_t> candidate(2 + r.below(5));
      for (int32_t& a : candidate) a = static_cast<int32_t>(r.below(kArticles));
      b.history.push_back(history);
      b.candidate.push_back(candidate);
      b.document.push_back(static_cast<int32_t>(u * 4 + r.below(4)));
      b.label.push_back(static_cast<int32_t>(r.below(kCategories)));
    }
  return all;
}

}  // namespace nd::kred_world
