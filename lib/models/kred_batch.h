// Puts the distinct articles and entities of a step together, with indices both ways, in the step's arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/models/distinct.h"
#include "lib/models/kred.h"
#include "lib/models/kred_data.h"
#include "lib/tensor/arena.h"

namespace nd {

class KredBatcher {
 public:
  KredBatcher(const Kred& model, const KredData& data);

  // These heads (rows of data.head_entity, distinct), as entities() takes them.
  EntityBatch entities(Arena& arena, std::span<const int32_t> heads);
  // These articles (rows of the corpus, distinct), as articles() takes them. With `heads` the batch's entities are the
  // distinct heads it links, written there, and its links count among those; without, links count among all heads.
  ArticleBatch articles(Arena& arena, std::span<const int32_t> articles, std::vector<int32_t>* heads);

 private:
  const Kred& model_;
  const KredData& data_;
  Distinct heads_, tails_, relations_;
};

}  // namespace nd
