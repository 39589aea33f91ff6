#include "lib/models/kred_batch.h"

#include <algorithm>
#include <numeric>

#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// Heads' neighbours lie anywhere: those of this many heads ahead are asked for.
constexpr int64_t kAhead = 8, kLine = 64 / sizeof(int32_t);

}  // namespace

KredBatcher::KredBatcher(const Kred& model, const KredData& data)
    : model_(model),
      data_(data),
      heads_(data.heads()),
      tails_(data.frozen().entity_x.rows),
      relations_(data.frozen().relation_x.rows) {}

EntityBatch KredBatcher::entities(Arena& arena, std::span<const int32_t> heads) {
  EntityBatch batch;
  batch.count = static_cast<int64_t>(heads.size());
  auto entity = arena.array<int32_t>(batch.count);
  auto offsets = arena.array<int64_t>(batch.count + 1);
  offsets[0] = 0;
  for (int64_t i = 0; i < batch.count; ++i) {
    const int32_t h = heads[i];
    entity[i] = data_.head_entity[h];
    offsets[i + 1] = offsets[i] + data_.neighbour_offsets[h + 1] - data_.neighbour_offsets[h];
  }
  batch.entity = entity.data();
  batch.neighbours = make_segments(arena, offsets);

  const int64_t n = offsets[batch.count];
  batch.tails_repeat = data_.tails_repeat;
  auto tail = arena.array<int32_t>(n), relation = arena.array<int32_t>(n);
  tails_.clear();
  relations_.clear();
  // Where neighbours are many more than relations, all relations are taken, and nothing has to be counted in order.
  const int64_t all = data_.frozen().relation_x.rows;
  const bool distinct = all > n / 4;
  const auto fill = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (i + kAhead < batch.count) {
        const int64_t next = data_.neighbour_offsets[heads[i + kAhead]];
        const int64_t last = std::max(next, data_.neighbour_offsets[heads[i + kAhead] + 1] - 1);
        for (int64_t j = next; j < last + kLine; j += kLine) {  // they may end in one line more
          __builtin_prefetch(data_.neighbour_tail.data() + std::min(j, last));
          __builtin_prefetch(data_.neighbour_relation.data() + std::min(j, last));
        }
      }
      int64_t j = data_.neighbour_offsets[heads[i]];
      for (int64_t at = offsets[i]; at < offsets[i + 1]; ++at, ++j) {
        tail[at] = batch.tails_repeat ? tails_(data_.neighbour_tail[j]) : data_.neighbour_tail[j];
        relation[at] = distinct ? relations_(data_.neighbour_relation[j]) : data_.neighbour_relation[j];
      }
    }
  };
  if (batch.tails_repeat || distinct) fill(0, batch.count);
  else parallel_ranges(batch.count, 128, fill);
  if (batch.tails_repeat) {
    batch.tails = arena.copy(tails_.rows()).data();
    batch.tail = make_index(arena, tail, static_cast<int64_t>(tails_.rows().size()));
  } else {
    batch.tails = tail.data();
    batch.tail = identity(n);
  }
  auto relations = arena.array<int32_t>(distinct ? static_cast<int64_t>(relations_.rows().size()) : all);
  if (distinct) std::copy(relations_.rows().begin(), relations_.rows().end(), relations.begin());
  else std::iota(relations.begin(), relations.end(), 0);
  batch.relations = relations.data();
  batch.relation = make_index(arena, relation, static_cast<int64_t>(relations.size()));
  return batch;
}

ArticleBatch KredBatcher::articles(Arena& arena, std::span<const int32_t> articles, std::vector<int32_t>* heads) {
  ArticleBatch batch;
  batch.count = static_cast<int64_t>(articles.size());
  auto document = arena.array<int32_t>(batch.count);
  for (int64_t i = 0; i < batch.count; ++i) document[i] = data_.article_document[articles[i]];
  batch.article = document.data();
  if (!model_.uses_entities()) return batch;

  auto offsets = arena.array<int64_t>(batch.count + 1);
  auto empty = arena.array<float>(batch.count);
  offsets[0] = 0;
  for (int64_t i = 0; i < batch.count; ++i) {
    const int32_t a = articles[i];
    const int64_t begin = data_.link_offsets[a], end = data_.link_offsets[a + 1];
    offsets[i + 1] = offsets[i] + end - begin;
    empty[i] = begin == end ? 1.0f : 0.0f;
    for (int64_t l = begin; l < end; l += kLine) {  // articles come in no order: their links are asked for ahead
      __builtin_prefetch(data_.link_head.data() + l);
      __builtin_prefetch(data_.link_frequency.data() + l);
      __builtin_prefetch(data_.link_type.data() + l);
      __builtin_prefetch(data_.link_position.data() + l);
    }
  }
  batch.empty = empty.data();
  batch.links = make_segments(arena, offsets);

  const int64_t n = offsets[batch.count];
  auto entity = arena.array<int32_t>(n), position = arena.array<int32_t>(n), frequency = arena.array<int32_t>(n),
       type = arena.array<int32_t>(n);
  heads_.clear();
  const auto fill = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t l = data_.link_offsets[articles[i]];
      for (int64_t at = offsets[i]; at < offsets[i + 1]; ++at, ++l) {
        const int32_t h = data_.link_head[l];
        // Without neighbours an entity is its raw vector; else a row of what entities() made.
        entity[at] = !model_.uses_neighbours() ? data_.head_entity[h] : heads ? heads_(h) : h;
        position[at] = data_.link_position[l];
        frequency[at] = data_.link_frequency[l];
        type[at] = data_.link_type[l];
      }
    }
  };
  if (heads)  // counted in their order
    fill(0, batch.count);
  else parallel_ranges(batch.count, 32, fill);
  if (!model_.uses_neighbours()) {
    batch.entity = {n, data_.frozen().entity_x.rows, entity.data()};
  } else if (heads) {
    *heads = heads_.rows();
    batch.entity = make_index(arena, entity, static_cast<int64_t>(heads->size()));
  } else {
    batch.entity = {n, data_.heads(), entity.data()};
  }
  if (model_.options().model == "kred" && model_.options().context) {
    // By row, as gradients read it, only where there will be gradients.
    const auto index = [&](std::span<const int32_t> row, int64_t rows) {
      return heads ? make_index(arena, row, rows) : Index{n, rows, row.data()};
    };
    batch.position = index(position, 2);
    batch.frequency = index(frequency, model_.options().frequencies);
    batch.type = index(type, model_.shape().types + 1);
  }
  return batch;
}

}  // namespace nd
