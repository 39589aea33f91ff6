// Which of an article's entity links are worth keeping, and one link per entity.
#pragma once

#include <cstdint>

#include "formats/corpus.h"

namespace nd {

struct LinkFilterOptions {
  double min_confidence = 0.9;  // smallest that is kept (KRED, section 3.1: above 0.9)
  int64_t max_links = 0;        // of one article, 0 for all
};

struct LinkCoverage {
  int64_t mentions = 0;  // links as ingested: one per entity and field
  // Each mention that was dropped, under the first reason in this order.
  int64_t low_confidence = 0, not_in_graph = 0, without_vector = 0;
  int64_t merged = 0;      // mentions that became part of another's link
  int64_t over_limit = 0;  // links
  int64_t links = 0;       // kept
  int64_t entities = 0, entities_in_graph = 0, entities_with_vector = 0, entities_kept = 0;
  int64_t articles = 0, articles_without_mentions = 0, articles_without_links = 0;
};

// The same articles with their links filtered and merged: one link per entity, whose frequency is the sum over the
// fields, whose position is the title where it occurs there, whose first occurrence and type are those of that position
// (the type is the first known one) and whose confidence is the largest. Links are ordered by position (title first),
// frequency (most first), first occurrence (unknown last) and entity id; past max_links they are dropped. Entities
// without a link go. graph_entities and vector_entities are ids that an entity must be among, null when it need not.
Corpus filter_links(const Corpus& corpus, const LinkFilterOptions& options, const Strings* graph_entities,
                    const Strings* vector_entities, LinkCoverage& coverage);

}  // namespace nd
