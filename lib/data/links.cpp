#include "lib/data/links.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

#include "lib/data/interner.h"

namespace nd {
namespace {

struct Link {
  int32_t entity, type;
  uint8_t position;
  int32_t frequency, first;
  float confidence;
};

// Which entities of the corpus are among these ids.
std::vector<bool> known(const Strings& entity_id, const Strings* ids, int64_t& count) {
  std::vector<bool> out(static_cast<size_t>(entity_id.size()), ids == nullptr);
  count = entity_id.size();
  if (!ids) return out;
  const Vocabulary among(*ids);
  count = 0;
  for (int64_t e = 0; e < entity_id.size(); ++e)
    if (among.find(entity_id[e]) >= 0) {
      out[static_cast<size_t>(e)] = true;
      ++count;
    }
  return out;
}

// Joins another mention of the same entity to its link.
void merge(Link& link, const Link& mention) {
  const bool nearer = mention.position < link.position;
  const bool earlier =
      mention.position == link.position && mention.first >= 0 && (link.first < 0 || mention.first < link.first);
  if (nearer || earlier) link.first = mention.first;
  if (link.type < 0 || (nearer && mention.type >= 0)) link.type = mention.type;
  link.position = std::min(link.position, mention.position);
  link.frequency = static_cast<int32_t>(std::min<int64_t>(int64_t{link.frequency} + mention.frequency, INT32_MAX - 1));
  link.confidence = std::max(link.confidence, mention.confidence);
}

}  // namespace

Corpus filter_links(const Corpus& corpus, const LinkFilterOptions& options, const Strings* graph_entities,
                    const Strings* vector_entities, LinkCoverage& coverage) {
  coverage = {.mentions = corpus.link_type.size(), .entities = corpus.entity_id.size(), .articles = corpus.size()};
  const auto in_graph = known(corpus.entity_id, graph_entities, coverage.entities_in_graph);
  const auto with_vector = known(corpus.entity_id, vector_entities, coverage.entities_with_vector);
  // Confidences are stored as floats: 0.9 itself must pass a limit of 0.9.
  const auto min_confidence = static_cast<float>(options.min_confidence);

  // Ids compare as their ranks do; comparing the texts for every pair of links would cost more.
  std::vector<int32_t> by_id(static_cast<size_t>(corpus.entity_id.size())), rank(by_id.size());
  for (size_t e = 0; e < by_id.size(); ++e) by_id[e] = static_cast<int32_t>(e);
  std::ranges::sort(by_id, {}, [&](int32_t e) { return corpus.entity_id[e]; });
  for (size_t r = 0; r < by_id.size(); ++r) rank[static_cast<size_t>(by_id[r])] = static_cast<int32_t>(r);

  StringsBuilder entity_id, entity_label;
  std::vector<int32_t> kept_row(by_id.size(), -1);  // of each entity in the new corpus
  std::vector<int64_t> seen_in(by_id.size(), -1);   // last article an entity was met in, and its link there
  std::vector<size_t> link_of(by_id.size());
  RaggedBuilder<int32_t> link_entity;
  std::vector<int32_t> link_type, link_frequency, link_first;
  std::vector<uint8_t> link_position;
  std::vector<float> link_confidence;

  std::vector<Link> links;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    links.clear();
    const int64_t begin = corpus.link_entity.offsets[i], end = corpus.link_entity.offsets[i + 1];
    for (int64_t k = begin; k < end; ++k) {
      const Link mention{corpus.link_entity.values[k], corpus.link_type[k],  corpus.link_position[k],
                         corpus.link_frequency[k],     corpus.link_first[k], corpus.link_confidence[k]};
      const auto e = static_cast<size_t>(mention.entity);
      if (mention.confidence < min_confidence) {
        ++coverage.low_confidence;
      } else if (!in_graph[e]) {
        ++coverage.not_in_graph;
      } else if (!with_vector[e]) {
        ++coverage.without_vector;
      } else if (seen_in[e] == i) {
        merge(links[link_of[e]], mention);
        ++coverage.merged;
      } else {
        seen_in[e] = i;
        link_of[e] = links.size();
        links.push_back(mention);
      }
    }
    std::ranges::sort(links, {}, [&](const Link& l) {
      return std::tuple(l.position, -l.frequency, l.first < 0 ? INT32_MAX : l.first,
                        rank[static_cast<size_t>(l.entity)]);
    });
    if (options.max_links > 0 && static_cast<int64_t>(links.size()) > options.max_links) {
      coverage.over_limit += static_cast<int64_t>(links.size()) - options.max_links;
      links.resize(static_cast<size_t>(options.max_links));
    }
    for (const Link& l : links) {
      int32_t& row = kept_row[static_cast<size_t>(l.entity)];
      if (row < 0) {
        row = static_cast<int32_t>(entity_id.size());
        entity_id.push(corpus.entity_id[l.entity]);
        entity_label.push(corpus.entity_label[l.entity]);
      }
      link_entity.push(row);
      link_type.push_back(l.type);
      link_position.push_back(l.position);
      link_frequency.push_back(l.frequency);
      link_first.push_back(l.first);
      link_confidence.push_back(l.confidence);
    }
    link_entity.end_row();
    coverage.links += static_cast<int64_t>(links.size());
    coverage.articles_without_mentions += begin == end;
    coverage.articles_without_links += links.empty();
  }
  coverage.entities_kept = entity_id.size();

  Corpus out = corpus;
  out.entity_id = entity_id.take();
  out.entity_label = entity_label.take();
  out.link_entity = link_entity.take();
  out.link_type = std::move(link_type);
  out.link_position = std::move(link_position);
  out.link_frequency = std::move(link_frequency);
  out.link_first = std::move(link_first);
  out.link_confidence = std::move(link_confidence);
  return out;
}

}  // namespace nd
