#include "lib/data/newsroom_graph.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

enum Relation : int64_t { is_of_topic, has_trait, leans, is_of_kind, carrier, first_other };

constexpr uint64_t unknown_in = 50;  // one entity in so many has no triples

int side(int64_t bits, int bit) { return (bits >> bit & 1) != 0 ? 1 : -1; }
int64_t bit(int side, int bit) { return side > 0 ? int64_t{1} << bit : 0; }

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
  if (options_.relations < first_other + options_.neighbours - 1)
    throw UsageError("--relations " + std::to_string(options_.relations) + ": expected at least " +
                     std::to_string(first_other + options_.neighbours - 1) + " for --neighbours " +
                     std::to_string(options_.neighbours));
  if (options_.others < 2) throw UsageError("--others " + std::to_string(options_.others) + ": expected at least 2");
  hubs_ = options_.entities + options_.others;
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
  const auto hub = [&](int trait, int side) { return hubs_ + 2 * trait + (side > 0); };
  if (node >= hubs_) return;
  if (node >= options_.entities) {
    triples.push_back({node, is_of_kind, hub(2, side(node, 0))});
    return;
  }
  if (random_.below(unknown_in, node, 0) == 0) return;
  const Entity e = traits(node);
  triples.push_back({node, is_of_topic, hub(3, -1) + e.topic});
  triples.push_back({node, has_trait, hub(0, e.trait)});
  triples.push_back({node, leans, hub(1, e.leaning)});

  RandomSequence draw(random_.bits(node, 2), "neighbours");
  const auto neighbour = [&](int kind) {
    // The others' kind is the lowest bit of their number.
    const int64_t first = options_.entities + (side(options_.entities, 0) != kind);
    return first + 2 * static_cast<int64_t>(draw.below((options_.entities + options_.others - first + 1) / 2));
  };
  triples.push_back({node, carrier, neighbour(e.hidden)});
  const int64_t others = options_.neighbours - 1, relations = options_.relations - first_other;
  const int64_t start = static_cast<int64_t>(relations > 0 ? draw.below(relations) : 0);
  for (int64_t i = 0; i < others; ++i) {
    const bool against = draw.uniform() * 2 < 1 + 1.0 / static_cast<double>(others);
    triples.push_back({node, first_other + (start + i) % relations, neighbour(against ? -e.hidden : e.hidden)});
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
