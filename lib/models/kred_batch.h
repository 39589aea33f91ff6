// Puts the distinct articles and entities of a step together, with indices both ways, in the step's arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/models/kred.h"
#include "lib/models/kred_data.h"
#include "lib/tensor/arena.h"

namespace nd {

// Numbers rows 0, 1, 2, ... in the order they are first asked for.
class Distinct {
 public:
  explicit Distinct(int64_t rows) : place_(static_cast<size_t>(rows), -1) {}
  int32_t operator()(int32_t row) {
    int32_t& p = place_[row];
    if (p < 0) {
      p = static_cast<int32_t>(rows_.size());
      rows_.push_back(row);
    }
    return p;
  }
  const std::vector<int32_t>& rows() const { return rows_; }
  void clear() {
    for (int32_t row : rows_) place_[row] = -1;
    rows_.clear();
  }

 private:
  std::vector<int32_t> place_, rows_;
};

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
