#include "lib/models/transe_batch.h"

#include "lib/tensor/parallel.h"

namespace nd {
namespace {

constexpr int64_t kMostTries = 100;  // for a replacement that is no triple: a relation may hold for nearly all

}  // namespace

void TripleSet::build(const Kg& kg, int64_t triples) {
  size_t size = 64;
  while (size < 2 * static_cast<size_t>(triples)) size *= 2;
  slots_.assign(size, 0);
  for (int64_t i = 0; i < triples; ++i) {
    const uint64_t wanted = key(kg.head[i], kg.relation[i], kg.tail[i]);
    slots_[find(wanted)] = wanted;
  }
}

bool TripleSet::has(int32_t head, int32_t relation, int32_t tail) const {
  return slots_[find(key(head, relation, tail))] != 0;
}

void TripleSet::prefetch(int32_t head, int32_t relation, int32_t tail) const {
  __builtin_prefetch(&slots_[(key(head, relation, tail) >> 20) & (slots_.size() - 1)]);
}

uint64_t TripleSet::key(int32_t head, int32_t relation, int32_t tail) {
  const uint64_t ends = static_cast<uint64_t>(static_cast<uint32_t>(head)) << 32 | static_cast<uint32_t>(tail);
  return Random::mix(ends ^ Random::mix(static_cast<uint32_t>(relation))) | 1;
}

// Where it is, or would be.
size_t TripleSet::find(uint64_t wanted) const {
  for (size_t at = wanted >> 20;; ++at) {
    const size_t slot = at & (slots_.size() - 1);
    if (slots_[slot] == 0 || slots_[slot] == wanted) return slot;
  }
}

TranseDraws::TranseDraws(const Kg& kg, int64_t triples, const TranseOptions& options)
    : kg(kg),
      options(options),
      sides(options.seed, "side"),
      negatives(options.seed, "negatives"),
      tail_share(tail_shares(kg, triples, options.corrupt)) {
  std::vector<bool> has_triple(static_cast<size_t>(kg.entity_id.size()), false);
  for (int64_t i = 0; i < triples; ++i) has_triple[kg.head[i]] = has_triple[kg.tail[i]] = true;
  for (size_t e = 0; e < has_triple.size(); ++e)
    if (has_triple[e]) seen.push_back(static_cast<int32_t>(e));
  if (options.filter) known.build(kg, triples);
}

TransePlace::TransePlace(const TranseDraws& draws)
    : draws_(draws), entities_(draws.kg.entity_id.size()), relations_(draws.kg.relation_id.size()) {}

void TransePlace::prepare(std::span<const int64_t> triples, int64_t epoch, int64_t begin) {
  tails_.clear();
  heads_.clear();
  for (const int64_t triple : triples) {
    const double tail_share = draws_.tail_share[draws_.kg.relation[triple]];
    const bool tail = draws_.sides.uniform(triple, epoch) < tail_share;
    (tail ? tails_ : heads_).push_back(triple);
  }

  const int64_t count = static_cast<int64_t>(triples.size()), each = draws_.options.chunk;
  const auto chunks_of = [each](const auto& side) { return (static_cast<int64_t>(side.size()) + each - 1) / each; };
  arena_.reset();
  anchor_ = arena_.array<int32_t>(count);
  relation_ = arena_.array<int32_t>(count);
  answer_ = arena_.array<int32_t>(count);
  sign_ = arena_.array<float>(count);
  chunk_ = arena_.array<int64_t>(chunks_of(tails_) + chunks_of(heads_) + 1);
  triples_ = chunks_ = 0;
  chunk_[0] = 0;
  add_side(tails_, draws_.kg.head, draws_.kg.tail, 1.0f);
  add_side(heads_, draws_.kg.tail, draws_.kg.head, -1.0f);
  draw_replacements(epoch, begin);
  batch_ = {anchor_, relation_, sign_, answer_, chunk_, replacement_, draws_.options.negatives};
  find_rows();
}

void TransePlace::add_side(const std::vector<int64_t>& triples, const Array<int32_t>& anchor,
                           const Array<int32_t>& answer, float sign) {
  int64_t in_chunk = 0;
  for (const int64_t triple : triples) {
    anchor_[triples_] = anchor[triple];
    relation_[triples_] = draws_.kg.relation[triple];
    sign_[triples_] = sign;
    answer_[triples_] = answer[triple];
    ++triples_;
    if (++in_chunk % draws_.options.chunk == 0) chunk_[++chunks_] = static_cast<int64_t>(triples_);
  }
  if (in_chunk % draws_.options.chunk != 0) chunk_[++chunks_] = static_cast<int64_t>(triples_);
}

// Replacement j of the batch is a pure function of (seed, epoch, the batch's first position, j).
void TransePlace::draw_replacements(int64_t epoch, int64_t begin) {
  constexpr int64_t kGrain = 256;
  const auto count = static_cast<int64_t>(chunks_) * draws_.options.negatives;
  replacement_ = arena_.array<int32_t>(count);
  const uint64_t when = static_cast<uint64_t>(epoch) << 40 | static_cast<uint64_t>(begin);
  const auto draw = [&](int64_t j, int64_t attempt) {
    const uint64_t which = static_cast<uint64_t>(attempt) << 32 | static_cast<uint64_t>(j);
    return draws_.seen[draws_.negatives.below(draws_.seen.size(), which, when)];
  };
  // Where replacements are filtered each chunk is one triple.
  const auto triple_of = [&](int64_t j, auto&& ask) {
    const int64_t i = j / draws_.options.negatives;
    const int32_t kept = anchor_[i], drawn = replacement_[j];
    return sign_[i] > 0 ? ask(kept, relation_[i], drawn) : ask(drawn, relation_[i], kept);
  };
  const TripleSet& known = draws_.known;
  parallel_ranges(count, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t j = first; j < last; ++j) replacement_[j] = draw(j, 0);
    if (!draws_.options.filter) return;
    for (int64_t j = first; j < last; ++j)
      triple_of(j, [&](int32_t head, int32_t relation, int32_t tail) { known.prefetch(head, relation, tail); });
    const auto is_triple = [&](int32_t head, int32_t relation, int32_t tail) {
      return known.has(head, relation, tail);
    };
    for (int64_t j = first; j < last; ++j)
      for (int64_t attempt = 1; attempt < kMostTries && triple_of(j, is_triple); ++attempt)
        replacement_[j] = draw(j, attempt);
  });
}

// An entity's gradients are where it is anchor, answer or replacement, a relation's where the query is.
void TransePlace::find_rows() {
  entities_.clear();
  relations_.clear();
  const auto triples = static_cast<int64_t>(triples_), drawn = static_cast<int64_t>(replacement_.size());
  const auto entity = arena_.array<int32_t>(2 * triples + drawn), relation = arena_.array<int32_t>(triples);
  for (int64_t i = 0; i < triples; ++i) entity[i] = entities_(anchor_[i]);
  for (int64_t i = 0; i < triples; ++i) entity[triples + i] = entities_(answer_[i]);
  for (int64_t j = 0; j < drawn; ++j) entity[2 * triples + j] = entities_(replacement_[j]);
  for (int64_t i = 0; i < triples; ++i) relation[i] = relations_(relation_[i]);
  const auto gradients = [this](std::span<const int32_t> place, const Distinct& rows) {
    const auto count = static_cast<int64_t>(rows.rows().size());
    return RowGradients{{}, make_index(arena_, place, count), arena_.copy(rows.rows()), {}, nullptr};
  };
  of_entities_ = gradients(entity, entities_);
  of_relations_ = gradients(relation, relations_);
  of_relations_.sign = sign_;
}

}  // namespace nd
