// KRED's inputs put together: which row of which matrix every article, link and neighbour is.
#include "lib/models/kred_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lib/io/error.h"
#include "tests/lib/models/kred_world.h"

namespace nd {
namespace {

using namespace kred_world;
using Rows = std::vector<int32_t>;

Strings strings(const std::vector<std::string>& list) {
  StringsBuilder b;
  for (const std::string& s : list) b.push(s);
  return b.take();
}

Matrix zeros(int64_t rows, int64_t cols) {
  return {std::vector<float>(static_cast<size_t>(rows * cols), 0.0f), rows, cols};
}

// Articles N0 (links Q0, Q1), N1 (Q2, Q1) and N2 (none), whose ids stand in another order in every file.
struct Small {
  Corpus corpus;
  Vectors documents{strings({"N2", "N0", "N1"}), zeros(3, 4), {}, {}};
  Vectors entities{strings({"Q2", "X", "Q0", "Q1"}), zeros(4, 4), strings({"r0", "r1"}), zeros(2, 4)};
  // Q1 -r1-> Q0, Q0 -r0-> X, Q1 -r0-> X, X -r1-> Q1
  Kg kg{strings({"Q1", "Q0", "X"}), strings({"r1", "r0"}), Rows{0, 1, 0, 2},
        Rows{0, 1, 1, 0},           Rows{1, 2, 2, 0},      std::vector<int64_t>{2, 3, 4}};
  Strings types = strings({"T1", "T0"});  // what the model knows; T2 it does not

  Small() {
    corpus.id = strings({"N0", "N1", "N2"});
    corpus.entity_id = strings({"Q0", "Q1", "Q2"});
    corpus.type_name = strings({"T0", "T1", "T2"});
    corpus.link_entity = {Rows{0, 1, 2, 1}, std::vector<int64_t>{0, 2, 4, 4}};
    corpus.link_type = Rows{0, 1, -1, 2};
    corpus.link_position = std::vector<uint8_t>{0, 1, 0, 1};
    corpus.link_frequency = Rows{1, 20, 21, 3};
    corpus.link_first = Rows{0, 0, 0, 0};
    corpus.link_confidence = std::vector<float>(4, 1.0f);
  }
  KredData data(const NeighbourOptions& neighbours = {}) const {
    return KredData(corpus, documents, &entities, &kg, types, 20, neighbours, 3);
  }
};

const World& world() {
  static const World w;
  return w;
}
KredData of_the_world(const NeighbourOptions& neighbours) {
  return KredData(world().corpus, world().documents, &world().entities, &world().kg, world().corpus.type_name, 20,
                  neighbours, 3);
}
int64_t degree_of(const KredData& data, int64_t head) {
  return data.neighbour_offsets[head + 1] - data.neighbour_offsets[head];
}

TEST(KredData, JoinsByIdWhateverTheOrderOfTheFiles) {
  const KredData data = Small().data();
  EXPECT_EQ(data.article_document, (Rows{1, 2, 0}));
  EXPECT_EQ(data.link_offsets, (std::vector<int64_t>{0, 2, 4, 4}));
  EXPECT_EQ(data.link_head, (Rows{0, 1, 2, 1}));
  EXPECT_EQ(data.head_entity, (Rows{2, 3, 0}));
}

// Eq. (4): the title is row 0 and the body row 1; counts from 1 to 20, larger ones as 20, from row 0; a type the model
// does not know, or nobody does, is the row behind all others.
TEST(KredData, GivesEveryLinkItsRowsOfTheContextTables) {
  const KredData data = Small().data();
  EXPECT_EQ(data.link_position, (Rows{0, 1, 0, 1}));
  EXPECT_EQ(data.link_frequency, (Rows{0, 19, 19, 2}));
  EXPECT_EQ(data.link_type, (Rows{1, 0, 2, 2}));
}

TEST(KredData, NeighboursAreTheTailsOfTheTriplesWhoseHeadAnEntityIs) {
  const KredData data = Small().data();
  EXPECT_EQ(data.neighbour_offsets, (std::vector<int64_t>{0, 1, 3, 3}));
  EXPECT_EQ(data.neighbour_tail, (Rows{1, 2, 1}));
  EXPECT_EQ(data.neighbour_relation, (Rows{0, 1, 0}));
  EXPECT_EQ(data.coverage().without_neighbours, 1);
}

TEST(KredData, UndirectedTriplesCountForTheirTailsToo) {
  const KredData data = Small().data({.undirected = true});
  EXPECT_EQ(data.neighbour_offsets, (std::vector<int64_t>{0, 2, 5, 5}));
  EXPECT_EQ(data.neighbour_tail, (Rows{3, 1, 2, 1, 1}));
  EXPECT_EQ(data.neighbour_relation, (Rows{1, 0, 1, 0, 1}));
}

TEST(KredData, PicksTheFirstNeighboursOrThoseOfTheHighestDegree) {
  EXPECT_EQ(Small().data({.most = 1, .pick = "first"}).neighbour_tail, (Rows{1, 2}));
  EXPECT_EQ(Small().data({.most = 1, .pick = "degree"}).neighbour_tail,
            (Rows{1, 1}));  // X is in three triples, Q0 in two
}

// Two entities with the same forty neighbours, of which each takes twenty.
TEST(KredData, EveryEntityDrawsItsOwnNeighboursWhateverOthersThereAre) {
  constexpr int32_t kTails = 40;
  std::vector<std::string> ids{"Q0", "Q1"};
  Rows head, relation, tail;
  for (int32_t t = 0; t < kTails; ++t) {
    ids.push_back("X" + std::to_string(t));
    for (int32_t h : {0, 1}) {
      head.push_back(h);
      relation.push_back(0);
      tail.push_back(2 + t);
    }
  }
  Small small;
  small.entities = {strings(ids), zeros(2 + kTails, 4), strings({"r"}), zeros(1, 4)};
  const auto n = static_cast<int64_t>(head.size());
  small.kg = {strings(ids), strings({"r"}), head, relation, tail, std::vector<int64_t>{n, n, n}};
  const auto drawn = [](const KredData& data, int64_t h) {
    return Rows(data.neighbour_tail.begin() + data.neighbour_offsets[h],
                data.neighbour_tail.begin() + data.neighbour_offsets[h + 1]);
  };
  const KredData both = small.data();
  ASSERT_EQ(both.heads(), 2);
  const Rows zero = drawn(both, 0), one = drawn(both, 1);
  EXPECT_EQ(zero.size(), 20u);
  EXPECT_EQ(std::set<int32_t>(zero.begin(), zero.end()).size(), 20u);
  EXPECT_NE(zero, one);

  small.corpus.link_entity = {Rows{2, 1, 2, 1}, std::vector<int64_t>{0, 2, 4, 4}};  // nobody links Q0 any more
  const KredData alone = small.data();
  ASSERT_EQ(alone.heads(), 1);
  EXPECT_EQ(drawn(alone, 0), one);
}

TEST(KredData, TakesAtMostTheNeighboursAskedForAndTheSameOnesAgain) {
  const KredData all = of_the_world({.most = 1000}), few = of_the_world({.most = 3}), again = of_the_world({.most = 3});
  for (int64_t h = 0; h < few.heads(); ++h) EXPECT_EQ(degree_of(few, h), std::min<int64_t>(degree_of(all, h), 3));
  EXPECT_EQ(few.neighbour_tail, again.neighbour_tail);
  EXPECT_NE(few.neighbour_tail, of_the_world({.most = 3, .pick = "first"}).neighbour_tail);
}

TEST(KredData, DrawsNeighboursAnewEachEpochOnlyWhenAsked) {
  KredData fixed = of_the_world({.most = 3}), fresh = of_the_world({.most = 3, .resample = true});
  const auto kept = fixed.neighbour_tail, drawn = fresh.neighbour_tail;
  fixed.choose_neighbours(2);
  fresh.choose_neighbours(2);
  EXPECT_EQ(kept, fixed.neighbour_tail);
  EXPECT_NE(drawn, fresh.neighbour_tail);
}

TEST(KredData, WithReplacementAlwaysDrawsAsManyAsAskedFor) {
  const KredData data = of_the_world({.most = 7, .with_replacement = true});
  for (int64_t h = 0; h < data.heads(); ++h) EXPECT_TRUE(degree_of(data, h) == 0 || degree_of(data, h) == 7);
}

TEST(KredData, SaysWhatDoesNotJoin) {
  const World& w = world();
  const auto build = [&](const Corpus& c, const Vectors& d, const Vectors& e, const Kg& k) {
    KredData(c, d, &e, &k, c.type_name, 20, {}, 1);
  };
  const auto told = [&](auto&& f) -> std::string {
    try {
      f();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  StringsBuilder others;
  for (int64_t i = 0; i < kEntities; ++i) others.push("X" + std::to_string(i));
  const Strings strange = others.take();
  Vectors documents = w.documents, entities = w.entities;
  documents.id = Strings{strange};
  documents.x.rows = documents.id.size();
  EXPECT_NE(told([&] { build(w.corpus, documents, w.entities, w.kg); }).find("no article"), std::string::npos);
  entities.id = strange;
  EXPECT_NE(told([&] { build(w.corpus, w.documents, entities, w.kg); }).find("no linked entity has a vector"),
            std::string::npos);
  Kg kg = w.kg;
  kg.entity_id = strange;
  EXPECT_NE(told([&] { build(w.corpus, w.documents, w.entities, kg); }).find("share no entity"), std::string::npos);
  Corpus twice = w.corpus;
  twice.link_entity = {std::vector<int32_t>(twice.link_entity.values.size(), 0), twice.link_entity.offsets};
  EXPECT_NE(told([&] { build(twice, w.documents, w.entities, w.kg); }).find("entity-link-filter"), std::string::npos);
}

}  // namespace
}  // namespace nd
