// Link prediction against plain loops in double precision, and on ties, gaps and overflow.
#include "lib/models/link_prediction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/models/small_graphs.h"

namespace nd {
namespace {

// Vectors for the entities and relations of a graph, listed in reverse, that row numbers may not be mistaken for ids.
Vectors vectors_for(const Kg& kg, int64_t dim, const std::function<float(int64_t, int64_t, bool)>& value) {
  StringsBuilder id, relation_id;
  std::vector<float> x, relation_x;
  for (int64_t e = kg.entity_id.size() - 1; e >= 0; --e) {
    id.push(kg.entity_id[e]);
    for (int64_t k = 0; k < dim; ++k) x.push_back(value(e, k, false));
  }
  for (int64_t r = kg.relation_id.size() - 1; r >= 0; --r) {
    relation_id.push(kg.relation_id[r]);
    for (int64_t k = 0; k < dim; ++k) relation_x.push_back(value(r, k, true));
  }
  return {id.take(), {x, kg.entity_id.size(), dim}, relation_id.take(), {relation_x, kg.relation_id.size(), dim}};
}

Kg random_graph(int64_t entities, int64_t relations, int64_t train, int64_t test) {
  RandomSequence random(1, "graph");
  std::set<std::array<int32_t, 3>> seen;
  std::vector<std::vector<Triple>> splits(3);
  for (const int64_t s : {0, 1, 2})
    while (static_cast<int64_t>(splits[s].size()) < (s == 0 ? train : test)) {
      // Few heads, so that queries have many other true answers.
      const Triple t{static_cast<int32_t>(random.below(entities / 8)), static_cast<int32_t>(random.below(relations)),
                     static_cast<int32_t>(random.below(entities))};
      if (seen.insert({t.head, t.relation, t.tail}).second) splits[s].push_back(t);
    }
  return graph(entities, relations, splits);
}

double distance(const Vectors& v, const Kg& kg, const Triple& t, bool l1) {
  const auto entity = [&](int64_t e) { return v.x[kg.entity_id.size() - 1 - e]; };
  const auto relation = v.relation_x[kg.relation_id.size() - 1 - t.relation];
  double d = 0;
  for (int64_t k = 0; k < v.dim(); ++k) {
    const double x = static_cast<double>(entity(t.head)[k]) + relation[k] - entity(t.tail)[k];
    d += l1 ? std::abs(x) : x * x;
  }
  return d;
}

TEST(LinkPrediction, AgreesWithPlainLoops) {
  const Kg kg = random_graph(200, 3, 900, 130);  // several panels, several blocks of queries
  const Random random(2, "vectors");
  const Vectors v = vectors_for(
      kg, 13, [&](int64_t i, int64_t k, bool r) { return static_cast<float>(random.normal(k, i + (r ? 1000 : 0))); });
  std::set<std::array<int32_t, 3>> known;
  for (int64_t i = 0; i < kg.size(); ++i) known.insert({kg.head[i], kg.relation[i], kg.tail[i]});
  for (const bool l1 : {false, true}) {
    const LinkRanks ranks = rank_links(kg, kg.split[1], kg.split[2], v, l1 ? "l1" : "l2");
    EXPECT_EQ(ranks.triples, 130);
    EXPECT_EQ(ranks.unknown, 0);
    EXPECT_EQ(ranks.candidates, 200);
    ASSERT_EQ(ranks.tail.size(), 130u);
    int64_t filtered_out = 0;
    for (int64_t q = 0; q < 130; ++q) {
      const int64_t i = kg.split[1] + q;
      const Triple t{kg.head[i], kg.relation[i], kg.tail[i]};
      const double answer = distance(v, kg, t, l1);
      LinkRank head_raw, head, tail_raw, tail;
      for (int32_t e = 0; e < 200; ++e) {
        const Triple heads{e, t.relation, t.tail}, tails{t.head, t.relation, e};
        const bool closer_head = e != t.head && distance(v, kg, heads, l1) < answer;
        const bool closer_tail = e != t.tail && distance(v, kg, tails, l1) < answer;
        head_raw.better += closer_head;
        tail_raw.better += closer_tail;
        head.better += closer_head && !known.count({e, t.relation, t.tail});
        tail.better += closer_tail && !known.count({t.head, t.relation, e});
      }
      EXPECT_EQ(ranks.head_raw[q].better, head_raw.better);
      EXPECT_EQ(ranks.head[q].better, head.better);
      EXPECT_EQ(ranks.tail_raw[q].better, tail_raw.better);
      EXPECT_EQ(ranks.tail[q].better, tail.better);
      EXPECT_EQ(ranks.head_raw[q].equal + ranks.tail_raw[q].equal + ranks.head[q].equal + ranks.tail[q].equal, 0);
      filtered_out += tail_raw.better - tail.better;
    }
    EXPECT_GT(filtered_out, 100) << "the graph must give the filter something to do";
  }
}

TEST(LinkPrediction, CountsEqualVectorsAsTies) {
  const Kg kg = random_graph(200, 2, 500, 60);
  const Random random(3, "vectors");
  // Five kinds of vectors among 200 entities.
  const Vectors v = vectors_for(
      kg, 30, [&](int64_t i, int64_t k, bool r) { return static_cast<float>(random.normal(k, r ? 1000 + i : i % 5)); });
  for (const std::string norm : {"l1", "l2"}) {
    const LinkRanks ranks = rank_links(kg, kg.split[1], kg.split[2], v, norm);
    for (const auto* side : {&ranks.head_raw, &ranks.tail_raw})
      for (const LinkRank& r : *side) {
        EXPECT_EQ(r.equal, 39);
        EXPECT_EQ(r.better % 40, 0);
      }
    int64_t fewer = 0;
    for (const LinkRank& r : ranks.tail) {
      EXPECT_LE(r.equal, 39);
      fewer += r.equal < 39;
    }
    EXPECT_GT(fewer, 30) << "other true answers are no ties";
  }
}

TEST(LinkPrediction, TakesWhatIsNotANumberForTheWorst) {
  const Kg kg = graph(4, 1, {{{0, 0, 1}}, {}, {{0, 0, 1}, {2, 0, 3}}});
  // Entities 2 and 3 are so far out that squares overflow, and infinity minus infinity is not a number.
  const Vectors v = vectors_for(kg, 2, [](int64_t i, int64_t k, bool r) {
    return r ? 0.0f : i < 2 ? static_cast<float>(i + k) : 3e38f;
  });
  const LinkRanks ranks = rank_links(kg, 1, 3, v, "l2");
  EXPECT_EQ(ranks.tail_raw[0].better, 1);  // entity 0 is closer to itself than 1
  EXPECT_EQ(ranks.tail_raw[0].equal, 0);
  EXPECT_EQ(ranks.tail_raw[1].better, 0);  // from there everything is as bad
  EXPECT_EQ(ranks.tail_raw[1].equal, 3);
}

TEST(LinkPrediction, CountsWhatHasNoVectorOrWasNeverSeen) {
  // e3 only in test; e4 and r1 without vectors.
  const Kg kg = graph(5, 2, {{{0, 0, 1}, {1, 0, 2}}, {}, {{0, 0, 2}, {3, 0, 2}, {4, 0, 1}, {0, 1, 1}}});
  Vectors v = vectors_for(kg, 3, [](int64_t i, int64_t k, bool) { return static_cast<float>(i * i + k); });
  StringsBuilder ids, relation_ids;
  for (const char* id : {"someone else", "e3", "e2", "e1", "e0"}) ids.push(id);
  for (const char* id : {"other", "r0"}) relation_ids.push(id);
  v.id = ids.take();
  v.relation_id = relation_ids.take();
  const LinkRanks ranks = rank_links(kg, 2, 6, v, "l2");
  EXPECT_EQ(ranks.triples, 4);
  EXPECT_EQ(ranks.unknown, 2);
  EXPECT_EQ(ranks.unseen, 1);
  EXPECT_EQ(ranks.candidates, 4);
  EXPECT_EQ(ranks.tail.size(), 2u);

  EXPECT_ND_ERROR(rank_links(kg, 4, 6, v, "l2"), "none of the 2 triples");
  v.relation_id = {};
  v.relation_x = {};
  EXPECT_ND_ERROR(rank_links(kg, 2, 6, v, "l2"), "none for relations");
  StringsBuilder strangers;
  for (const char* id : {"a", "b", "c", "d", "e"}) strangers.push(id);
  v.id = strangers.take();
  v.relation_id = kg.relation_id;
  v.relation_x = {std::vector<float>(6), 2, 3};
  EXPECT_ND_ERROR(rank_links(kg, 2, 6, v, "l2"), "no entity of the graph has a vector");
}

TEST(LinkPrediction, IsTheSameForAnyNumberOfThreads) {
  const Kg kg = random_graph(150, 3, 600, 200);
  const Random random(4, "vectors");
  const Vectors v = vectors_for(
      kg, 20, [&](int64_t i, int64_t k, bool r) { return static_cast<float>(random.normal(k, i + (r ? 1000 : 0))); });
  std::vector<std::string> reports;
  for (const int n : {1, 2, 7}) {
    set_threads(n);
    reports.push_back(link_json(rank_links(kg, 0, kg.size(), v, "l2")).dump());
  }
  set_threads(0);
  EXPECT_EQ(reports[0], reports[1]);
  EXPECT_EQ(reports[0], reports[2]);
}

TEST(LinkPrediction, SummarisesRanks) {
  const std::vector<LinkRank> ranks{{0, 0}, {2, 0}, {1, 4}, {20, 0}};  // the third: rank 2, 4 or 6
  const LinkSummary realistic = summarise(ranks, Ties::realistic);
  EXPECT_EQ(realistic.queries, 4);
  EXPECT_EQ(realistic.ties, 1);
  EXPECT_DOUBLE_EQ(realistic.mrr, (1 + 1.0 / 3 + 1.0 / 4 + 1.0 / 21) / 4);
  EXPECT_DOUBLE_EQ(realistic.mr, (1 + 3 + 4 + 21) / 4.0);
  EXPECT_DOUBLE_EQ(realistic.hits1, 0.25);
  EXPECT_DOUBLE_EQ(realistic.hits3, 0.5);
  EXPECT_DOUBLE_EQ(realistic.hits10, 0.75);
  const LinkSummary optimistic = summarise(ranks, Ties::optimistic), pessimistic = summarise(ranks, Ties::pessimistic);
  EXPECT_DOUBLE_EQ(optimistic.mr, (1 + 3 + 2 + 21) / 4.0);
  EXPECT_DOUBLE_EQ(optimistic.hits3, 0.75);
  EXPECT_DOUBLE_EQ(pessimistic.mr, (1 + 3 + 6 + 21) / 4.0);
  EXPECT_EQ(summarise({}, Ties::realistic).mrr, 0);
  for (const int32_t better : {0, 1, 2, 3, 8, 9, 10}) {
    const LinkSummary one = summarise({{better, 0}}, Ties::realistic);
    EXPECT_EQ(one.hits1, better < 1);
    EXPECT_EQ(one.hits3, better < 3);
    EXPECT_EQ(one.hits10, better < 10);
  }
}

TEST(LinkPrediction, ReportsForPeopleAndForMachines) {
  LinkRanks r;
  r.head = r.head_raw = {{0, 0}, {1, 2}};
  r.tail = r.tail_raw = {{0, 0}, {0, 0}};
  r.triples = 3;
  r.unknown = 1;
  r.candidates = 9;
  const json::Value report = link_json(r);
  EXPECT_EQ(report.find("filtered")->find("both")->find("queries")->number(), 4);
  EXPECT_EQ(report.find("filtered")->find("head")->find("mr")->number(), 2);
  EXPECT_EQ(report.find("raw")->find("head")->find("optimistic")->find("mr")->number(), 1.5);
  EXPECT_EQ(report.find("raw")->find("tail")->find("hits@1")->number(), 1);
  EXPECT_EQ(report.find("unknown")->number(), 1);
  const std::string table = link_table(r);
  EXPECT_NE(table.find("filtered, both sides        0.8333       1.50  0.7500  1.0000  1.0000"), std::string::npos)
      << table;
  EXPECT_NE(table.find("1 of 4 queries with ties; 3 triples, 1 not ranked"), std::string::npos) << table;
}

}  // namespace
}  // namespace nd
