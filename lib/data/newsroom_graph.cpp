#include "lib/data/newsroom_graph.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

enum Relation : int64_t { has_trait, leans, is_of_topic, is_of_kind, carrier, first_distractor };

// Several hubs a trait, so that vectors trained on the graph show it clearly among everything else.
constexpr int64_t hubs_of_trait = 2, hubs_of_kind = 8;
constexpr uint64_t unknown_in = 50;  // one entity in so many has no triples

int side(int64_t bits, int bit) { return (bits >> bit & 1) != 0 ? 1 : -1; }
int64_t bit(int side, int place) { return side > 0 ? int64_t{1} << place : 0; }

}  // namespace

Graph::Graph(const GraphOptions& options, uint64_t seed) : options_(options), random_(seed, "graph") {
  if (options_.topics < 2) throw UsageError("--topics " + std::to_string(options_.topics) + ": expected at least 2");
  ranks_ = options_.entities / (16 * options_.topics);
  if (ranks_ < 1)
    throw UsageError("--entities " + std::to_string(options_.entities) + ": expected at least 16 for each of the " +
                     std::to_string(options_.topics) + " topics");
  if (options_.types < 2 || options_.types > 26)
    throw UsageError("--types " + std::to_string(options_.types) + ": expected 2 to 26");
  if (options_.neighbours < 1)
    throw UsageError("--neighbours " + std::to_string(options_.neighbours) + ": expected at least 1");
  // Then no two triples of an entity are the same.
  if (options_.relations < first_distractor + options_.neighbours - 1)
    throw UsageError("--relations " + std::to_string(options_.relations) + ": expected at least " +
                     std::to_string(first_distractor + options_.neighbours - 1) + " for --neighbours " +
                     std::to_string(options_.neighbours));
  if (options_.others < 2) throw UsageError("--others " + std::to_string(options_.others) + ": expected at least 2");
  hubs_ = options_.entities + options_.others;
  kind_hubs_ = hubs_ + (4 + options_.topics) * hubs_of_trait;
  nodes_ = kind_hubs_ + 2 * hubs_of_kind;
  bits_ = std::bit_width(static_cast<uint64_t>(nodes()));
}

Entity Graph::traits(int64_t entity) const {
  const int64_t cell = entity >> 4;
  return {.topic = static_cast<int>(cell % options_.topics),
          .trait = side(entity, 0),
          .hidden = side(entity, 1),
          .leaning = side(entity, 2),
          .type_side = side(entity, 3),
          .rank = cell / options_.topics};
}

int64_t Graph::find(const Entity& e) const {
  return (e.rank * options_.topics + e.topic) << 4 | bit(e.trait, 0) | bit(e.hidden, 1) | bit(e.leaning, 2) |
         bit(e.type_side, 3);
}

int64_t Graph::type(int64_t entity) const {
  const int64_t lower = options_.types / 2;
  if (side(entity, 3) < 0) return static_cast<int64_t>(random_.below(lower, entity, 1));
  return lower + static_cast<int64_t>(random_.below(options_.types - lower, entity, 1));
}

void Graph::triples_of(int64_t node, std::vector<Triple>& triples) const {
  triples.clear();
  if (node >= hubs_) return;
  if (node >= options_.entities) {
    const int64_t first = kind_hubs_ + (side(node, 0) > 0 ? hubs_of_kind : 0);
    for (int64_t i = 0; i < hubs_of_kind; ++i) triples.push_back({node, is_of_kind, first + i});
    return;
  }
  if (random_.below(unknown_in, static_cast<uint64_t>(node), 0) == 0) return;
  const Entity e = traits(node);
  const auto relate = [&](Relation relation, int64_t place) {
    for (int64_t i = 0; i < hubs_of_trait; ++i) triples.push_back({node, relation, hubs_ + place * hubs_of_trait + i});
  };
  relate(has_trait, e.trait > 0 ? 1 : 0);
  relate(leans, e.leaning > 0 ? 3 : 2);
  relate(is_of_topic, 4 + e.topic);

  RandomSequence draw(random_.bits(static_cast<uint64_t>(node), 2), "neighbours");
  // The kind of an "other" is the lowest bit of its number.
  const auto other = [&](int kind) {
    const int64_t first = options_.entities + (side(options_.entities, 0) != kind ? 1 : 0);
    return first + 2 * static_cast<int64_t>(draw.below(static_cast<uint64_t>(hubs_ - first + 1) / 2));
  };
  triples.push_back({node, carrier, other(e.hidden)});
  const int64_t distractors = options_.neighbours - 1, relations = options_.relations - first_distractor;
  if (distractors == 0) return;
  const auto start = static_cast<int64_t>(draw.below(static_cast<uint64_t>(relations)));
  const double against = 0.5 + 0.5 / static_cast<double>(distractors);
  for (int64_t i = 0; i < distractors; ++i) {
    const int kind = draw.uniform() < against ? -e.hidden : e.hidden;
    triples.push_back({node, first_distractor + (start + i) % relations, other(kind)});
  }
}

uint64_t Graph::number(int64_t node) const {
  // An odd factor and a shift of the high bits onto the low ones permute the numbers below 2^bits.
  const uint64_t mask = (uint64_t{1} << bits_) - 1;
  uint64_t n = static_cast<uint64_t>(node);
  for (int round = 0; round < 3; ++round) {
    n = (n * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & mask;
    n ^= n >> ((bits_ + 1) / 2);
  }
  return n;
}

}  // namespace nd::newsroom
