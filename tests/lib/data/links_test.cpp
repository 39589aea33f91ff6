#include "lib/data/links.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace nd {
namespace {

struct Mention {
  std::string entity;
  uint8_t position;
  int32_t frequency = 1, first = 0;
  float confidence = 1;
  int32_t type = 0;
};
using Texts = std::vector<std::string>;

Strings strings(const Texts& texts) {
  StringsBuilder out;
  for (const auto& t : texts) out.push(t);
  return out.take();
}

// Entities Q0 to Q9, types A to C; nothing else matters here.
Corpus corpus_of(const std::vector<std::vector<Mention>>& articles) {
  Corpus c;
  StringsBuilder ids, empty, labels, entities;
  for (int e = 0; e < 10; ++e) {
    entities.push("Q" + std::to_string(e));
    labels.push("label " + std::to_string(e));
  }
  RaggedBuilder<int32_t> link_entity;
  std::vector<int32_t> type, frequency, first;
  std::vector<uint8_t> position;
  std::vector<float> confidence;
  for (const auto& mentions : articles) {
    ids.push("N" + std::to_string(ids.size()));
    empty.push("");
    for (const Mention& m : mentions) {
      link_entity.push(std::stoi(m.entity.substr(1)));
      type.push_back(m.type);
      position.push_back(m.position);
      frequency.push_back(m.frequency);
      first.push_back(m.first);
      confidence.push_back(m.confidence);
    }
    link_entity.end_row();
  }
  const size_t n = articles.size();
  c.id = ids.take();
  c.title = c.abstract = c.body = c.url = empty.take();
  c.category = c.subcategory = std::vector<int32_t>(n, -1);
  c.published = std::vector<int64_t>(n, -1);
  c.entity_id = entities.take();
  c.entity_label = labels.take();
  c.type_name = strings({"A", "B", "C"});
  c.link_entity = link_entity.take();
  c.link_type = std::move(type);
  c.link_position = std::move(position);
  c.link_frequency = std::move(frequency);
  c.link_first = std::move(first);
  c.link_confidence = std::move(confidence);
  return c;
}

struct Filtered {
  Corpus corpus;
  LinkCoverage coverage;
};
Filtered filter(const std::vector<std::vector<Mention>>& articles, const LinkFilterOptions& options = {},
                const Strings* graph = nullptr, const Strings* vectors = nullptr) {
  Filtered out;
  out.corpus = filter_links(corpus_of(articles), options, graph, vectors, out.coverage);
  EXPECT_EQ(out.corpus.problem(), "");
  return out;
}

// Ids of the links of one article, in their order.
Texts links(const Corpus& c, int64_t article) {
  Texts out;
  for (const int32_t e : c.link_entity[article]) out.emplace_back(c.entity_id[e]);
  return out;
}

TEST(Links, OfTitleAndBodyBecomeOne) {
  // In the title with two occurrences, in the abstract with three, in the body with one.
  const auto [c, coverage] =
      filter({{{"Q1", 1, 3, 4, 0.95f, 1}, {"Q1", 0, 2, 40, 0.92f, 2}, {"Q1", 1, 1, 2, 0.99f, 1}}});
  ASSERT_EQ(links(c, 0), (Texts{"Q1"}));
  EXPECT_EQ(c.link_position[0], 0);
  EXPECT_EQ(c.link_frequency[0], 6);
  EXPECT_EQ(c.link_first[0], 40);  // in the title
  EXPECT_EQ(c.link_type[0], 2);
  EXPECT_EQ(c.link_confidence[0], 0.99f);
  EXPECT_EQ(coverage.mentions, 3);
  EXPECT_EQ(coverage.merged, 2);
  EXPECT_EQ(coverage.links, 1);
}

TEST(Links, OfTheBodyAloneKeepTheEarliestKnownOccurrenceAndType) {
  const auto [c, coverage] = filter({{{"Q1", 1, 1, -1, 1, -1}, {"Q1", 1, 1, 9, 1, 2}, {"Q1", 1, 1, 5, 1, 1}}});
  EXPECT_EQ(c.link_position[0], 1);
  EXPECT_EQ(c.link_first[0], 5);
  EXPECT_EQ(c.link_type[0], 2);
}

TEST(Links, AreOrderedByPositionFrequencyFirstOccurrenceAndId) {
  const std::vector<std::vector<Mention>> article{{{"Q9", 1, 9, 0},
                                                   {"Q8", 0, 1, -1},
                                                   {"Q7", 0, 1, 30},
                                                   {"Q3", 0, 1, 6},
                                                   {"Q2", 0, 1, 6},
                                                   {"Q1", 0, 2, 50},
                                                   {"Q0", 1, 10, 99}}};
  EXPECT_EQ(links(filter(article).corpus, 0), (Texts{"Q1", "Q2", "Q3", "Q7", "Q8", "Q0", "Q9"}));
  const auto [c, coverage] = filter(article, {.max_links = 3});
  EXPECT_EQ(links(c, 0), (Texts{"Q1", "Q2", "Q3"}));
  EXPECT_EQ(coverage.over_limit, 4);
}

TEST(Links, BelowTheConfidenceAreGoneBeforeTheyAreMerged) {
  const auto [c, coverage] = filter({{{"Q1", 0, 5, 0, 0.89f}, {"Q1", 1, 2, 3, 0.9f}}, {{"Q2", 0, 1, 0, 0.5f}}});
  EXPECT_EQ(links(c, 0), (Texts{"Q1"}));  // 0.9 itself stays
  EXPECT_EQ(c.link_frequency[0], 2);
  EXPECT_EQ(c.link_position[0], 1);
  EXPECT_EQ(links(c, 1), (Texts{}));
  EXPECT_EQ(coverage.low_confidence, 2);
  EXPECT_EQ(coverage.articles_without_mentions, 0);
  EXPECT_EQ(coverage.articles_without_links, 1);
}

TEST(Links, MustBeKnownToTheGraphAndHaveAVector) {
  const Strings graph = strings({"Q1", "Q2", "other"}), vectors = strings({"Q2", "Q3"});
  const auto [c, coverage] = filter({{{"Q1", 0}, {"Q2", 0}}, {{"Q3", 0}, {"Q4", 1}}, {}}, {}, &graph, &vectors);
  EXPECT_EQ(links(c, 0), (Texts{"Q2"}));
  EXPECT_EQ(links(c, 1), (Texts{}));
  EXPECT_EQ(coverage.not_in_graph, 2);
  EXPECT_EQ(coverage.without_vector, 1);
  EXPECT_EQ(coverage.entities, 10);
  EXPECT_EQ(coverage.entities_in_graph, 2);
  EXPECT_EQ(coverage.entities_with_vector, 2);
  EXPECT_EQ(coverage.articles, 3);
  EXPECT_EQ(coverage.articles_without_mentions, 1);
  EXPECT_EQ(coverage.articles_without_links, 2);
}

TEST(Links, LeaveOnlyEntitiesInUseAndTheArticlesAsTheyWere) {
  const auto [c, coverage] = filter({{{"Q5", 0}}, {{"Q2", 0}, {"Q5", 1}}});
  ASSERT_EQ(c.entity_id.size(), 2);
  EXPECT_EQ(c.entity_id[0], "Q5");
  EXPECT_EQ(c.entity_label[0], "label 5");
  EXPECT_EQ(c.entity_label[1], "label 2");
  EXPECT_EQ(coverage.entities_kept, 2);
  EXPECT_EQ(c.id[1], "N1");
  EXPECT_EQ(c.type_name.size(), 3);
}

TEST(Links, DoNotOverflowTheirFrequency) {
  const auto [c, coverage] = filter({{{"Q1", 0, 2000000000}, {"Q1", 1, 2000000000}}});
  EXPECT_EQ(c.link_frequency[0], INT32_MAX - 1);
}

}  // namespace
}  // namespace nd
