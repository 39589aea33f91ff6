// The entities of an artificial newsroom and the knowledge graph around them.
//
// Nodes are numbered: first the entities that articles name, then the neighbours that only the graph names, then a few
// hubs (one per topic, two per trait). What matters to clicks is where a trait can be seen:
//
//   entity --topic------> hub of its topic        so all entities of a kind lie together: an entity's own vector says
//   entity --trait------> hub of its trait        its topic, its trait and its leaning
//   entity --leaning----> hub of its leaning
//   entity --carrier----> neighbour --kind--> hub     the neighbour is of the entity's hidden kind
//   entity --others-----> neighbours --kind--> hubs   of either kind, on the whole rather of the other one, so that
//                                                     all neighbours together say little about the hidden kind
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/tensor/random.h"

namespace nd::newsroom {

struct GraphOptions {
  int64_t topics = 8;
  int64_t entities = 4096;  // that articles name
  int64_t others = 512;     // that only the graph names
  int64_t relations = 16;
  int64_t neighbours = 10;  // others an entity is related to, the one behind the carrier included
  int64_t types = 8;
};

// What clicks may depend on. Sides are -1 or +1.
struct Entity {
  int topic = 0;
  int trait = 1;      // cause entity
  int hidden = 1;     // cause neighbour
  int leaning = 1;    // cause distillation
  int type_side = 1;  // cause type: types in the lower or the upper half
  int64_t rank = 0;   // from the best known entity of these traits (0) to the least known
};

struct Triple {
  int64_t head, relation, tail;
};

class Graph {
 public:
  // UsageError when the numbers make no graph.
  Graph(const GraphOptions& options, uint64_t seed);

  // entity in [0, entities) <-> its traits. rank in [0, ranks()).
  Entity traits(int64_t entity) const;
  int64_t find(const Entity& traits) const;
  int64_t ranks() const { return ranks_; }
  // In [0, types). The graph does not say it.
  int64_t type(int64_t entity) const;

  int64_t nodes() const { return hubs_ + 6 + options_.topics; }
  // Replaces `triples` by those whose head is the node. One entity in fifty has none: the graph does not know it.
  void triples_of(int64_t node, std::vector<Triple>& triples) const;

  // A number of its own for each node (below the next power of two), in no order.
  uint64_t number(int64_t node) const;
  std::string node_id(int64_t node) const { return "Q" + std::to_string(number(node) + 1); }
  std::string relation_id(int64_t relation) const { return "P" + std::to_string(relation + 1); }

 private:
  GraphOptions options_;
  Random random_;
  int64_t ranks_, hubs_;
  int bits_;
};

}  // namespace nd::newsroom
