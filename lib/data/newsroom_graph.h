// The entities of an artificial newsroom and the knowledge graph around them.
//
// Nodes are numbered: first the entities that articles name, then the "others" that only the graph names, then a few
// hubs. What matters to clicks is where a property can be seen:
//
//   entity --topic, trait, leaning--> hubs of that topic, trait, leaning   so entities that have them in common lie
//                                     together: an entity's own vector shows them
//   other  --kind-------------------> hubs of its kind                     likewise
//   entity --carrier----------------> an other of the entity's hidden kind
//   entity --distractors------------> others of both kinds, so many more of the opposite one that neither the entity's
//                                     vector (TransE puts it at the mean of what its neighbours ask for) nor the plain
//                                     mean of its neighbours shows the hidden kind
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/tensor/random.h"

namespace nd::newsroom {

struct GraphOptions {
  int64_t topics = 8;
  int64_t entities = 1024;  // that articles name
  int64_t others = 1024;    // that only the graph names
  int64_t relations = 16;
  int64_t neighbours = 4;  // others an entity is related to, one of them by the carrier
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

  int64_t nodes() const { return nodes_; }
  // Replaces `triples` by those whose head is the node. One entity in fifty has none: the graph does not know it.
  void triples_of(int64_t node, std::vector<Triple>& triples) const;

  // A number of its own for each node (below the next power of two), in no order.
  uint64_t number(int64_t node) const;
  std::string node_id(int64_t node) const { return "Q" + std::to_string(number(node) + 1); }
  std::string relation_id(int64_t relation) const { return "P" + std::to_string(relation + 1); }

 private:
  GraphOptions options_;
  Random random_;
  int64_t ranks_, hubs_, kind_hubs_, nodes_;
  int bits_;
};

}  // namespace nd::newsroom
