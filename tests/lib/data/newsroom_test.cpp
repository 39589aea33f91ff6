#include "lib/data/newsroom.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "lib/data/newsroom_text.h"
#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

Options small() {
  Options o;
  o.articles = 1500;
  o.users = 300;
  o.impressions = 4000;
  o.strength = {1, 1, 1, 1, 1, 1, 1, 0.5};
  return o;
}

std::u32string decoded(std::string_view text) {
  std::u32string points;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = bytes == 1 ? lead : lead & (0x7F >> bytes);
    for (int k = 1; k < bytes; ++k) point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    points += point;
    i += bytes;
  }
  return points;
}

TEST(NewsroomGraph, FindIsTheInverseOfTraits) {
  const Graph graph({.entities = 640}, 1);
  for (int64_t e = 0; e < 640; ++e) EXPECT_EQ(graph.find(graph.traits(e)), e);
}

TEST(NewsroomGraph, NodesHaveDifferentIdsAndTriplesAreDifferent) {
  const Graph graph({}, 1);
  std::set<std::string> ids;
  std::set<std::tuple<int64_t, int64_t, int64_t>> seen;
  std::vector<Triple> triples;
  int64_t count = 0;
  for (int64_t node = 0; node < graph.nodes(); ++node) {
    ids.insert(graph.node_id(node));
    graph.triples_of(node, triples);
    for (const Triple& t : triples) {
      EXPECT_EQ(t.head, node);
      EXPECT_LT(t.tail, graph.nodes());
      seen.insert({t.head, t.relation, t.tail});
    }
    count += static_cast<int64_t>(triples.size());
  }
  EXPECT_EQ(static_cast<int64_t>(ids.size()), graph.nodes());
  EXPECT_EQ(static_cast<int64_t>(seen.size()), count);
}

// Learns from the triples alone what the comment on Graph promises: which relation carries the hidden kind, and that
// neighbours taken together do not show it. Kinds are told apart by the hubs they share.
TEST(NewsroomGraph, OnlyTheCarrierShowsTheHiddenKind) {
  const GraphOptions options{.entities = 4096};
  const Graph graph(options, 3);
  std::vector<Triple> triples, hubs;
  std::vector<double> agreement(static_cast<size_t>(options.relations)), uses(agreement.size());
  int64_t plus_hub = -1, unknown = 0;
  double together = 0;
  for (int64_t e = 0; e < options.entities; ++e) {
    graph.triples_of(e, triples);
    unknown += triples.empty();
    for (const Triple& t : triples) {
      if (t.tail < options.entities || t.tail >= options.entities + options.others) continue;
      graph.triples_of(t.tail, hubs);
      ASSERT_FALSE(hubs.empty());
      if (plus_hub < 0) plus_hub = hubs[0].tail;
      const int product = (hubs[0].tail == plus_hub ? 1 : -1) * graph.traits(e).hidden;
      agreement[t.relation] += product;
      ++uses[t.relation];
      together += product;
    }
  }
  int carriers = 0;
  for (size_t r = 0; r < uses.size(); ++r) {
    if (uses[r] == 0) continue;
    const double mean = std::abs(agreement[r] / uses[r]);
    carriers += mean == 1;
    EXPECT_TRUE(mean == 1 || mean < 0.5) << "relation " << r << " agrees " << mean;
  }
  EXPECT_EQ(carriers, 1);
  EXPECT_LT(std::abs(together / std::sqrt(options.entities * 4.0)), 4) << "neighbours together lean to one side";
  EXPECT_NEAR(static_cast<double>(unknown) / options.entities, 0.02, 0.01);
}

TEST(Newsroom, ValuesAreThoseOfTheMentions) {
  const Newsroom room(small());
  int without = 0;
  for (int64_t i = 0; i < 300; ++i) {
    const Article a = room.article(i);
    Terms sum = {};
    double own = 0;
    for (const Mention& m : a.mentions) {
      const Entity e = room.graph().traits(m.entity);
      EXPECT_GE(m.in_title + m.in_abstract, 1);
      EXPECT_TRUE(a.has_abstract || m.in_abstract == 0);
      const bool low = room.graph().type(m.entity) < room.options().graph.types / 2;
      EXPECT_EQ(e.type_side, low ? -1 : 1);
      sum[entity] += e.trait;
      sum[neighbour] += e.hidden;
      sum[type] += e.type_side;
      sum[position] += m.in_title > 0 ? 1 : -1;
      sum[frequency] += m.in_title + m.in_abstract >= 2 ? 1 : -1;
      if (e.topic == a.topic) sum[distillation] += e.leaning, ++own;
    }
    without += a.mentions.empty();
    const double n = std::max<double>(1, static_cast<double>(a.mentions.size()));
    for (Cause c : {entity, neighbour, type, position, frequency}) EXPECT_NEAR(a.value[c], sum[c] / n, 1e-12);
    EXPECT_NEAR(a.value[distillation], sum[distillation] / std::max(1.0, own), 1e-12);
  }
  EXPECT_GT(without, 3);
  EXPECT_LT(without, 40);
}

// What an ablation without attention is left with: the leanings that do not count stand against those that do, by half.
TEST(Newsroom, LeaningsThatDoNotCountStandAgainstThoseThatDo) {
  Options o = small();
  o.articles = 6000;
  const Newsroom room(o);
  double own = 0, others = 0;
  for (int64_t i = 0; i < o.articles; ++i) {
    const Article a = room.article(i);
    for (const Mention& m : a.mentions) {
      const Entity e = room.graph().traits(m.entity);
      (e.topic == a.topic ? own : others) += e.leaning * a.value[distillation];
    }
  }
  EXPECT_NEAR(others / own, -0.5, 0.1);
}

TEST(NewsroomText, OccurrencesAreCodePointsOfTheirOwnText) {
  const Newsroom room(small());
  const Language language(room);
  bool beyond_basic_plane = false, accented = false;
  for (int64_t i = 0; i < 400; ++i) {
    const Article a = room.article(i);
    for (const bool title : {true, false}) {
      const Text text = title ? language.title(i, a) : language.abstract(i, a);
      EXPECT_EQ(text.text.empty(), !title && !a.has_abstract);
      const std::u32string points = decoded(text.text);
      std::vector<int> times(a.mentions.size());
      int64_t end = 0;
      for (const Occurrence& o : text.occurrences) {
        const std::u32string surface = decoded(o.surface);
        EXPECT_EQ(points.substr(static_cast<size_t>(o.offset), surface.size()), surface);
        EXPECT_GE(o.offset, end);
        end = o.offset + static_cast<int64_t>(surface.size());
        ++times[o.mention];
      }
      for (size_t m = 0; m < times.size(); ++m)
        EXPECT_EQ(times[m], title ? a.mentions[m].in_title : a.mentions[m].in_abstract);
      for (char32_t p : points) beyond_basic_plane |= p > 0xFFFF, accented |= p > 0x7F && p < 0x250;
    }
  }
  EXPECT_TRUE(beyond_basic_plane);
  EXPECT_TRUE(accented);
}

TEST(NewsroomText, TopicsHaveWordsOfTheirOwn) {
  const Newsroom room(small());
  const Language language(room);
  // Words that stand in titles of one topic only, counted by how often they are used.
  std::map<std::string, std::set<int>> topics;
  std::map<std::string, int> uses;
  for (int64_t i = 0; i < 1000; ++i) {
    const Article a = room.article(i);
    std::string word;
    for (char c : language.abstract(i, a).text + " ") {
      if (c != ' ') {
        word += c;
        continue;
      }
      topics[word].insert(a.topic);
      ++uses[word];
      word.clear();
    }
  }
  int of_one = 0, all = 0;
  for (const auto& [word, count] : uses) {
    all += count;
    if (count >= 10 && topics[word].size() == 1) of_one += count;
  }
  EXPECT_GT(of_one, all / 10);
}

TEST(Newsroom, ImpressionsAreOrderedAndShowWhatIsPublished) {
  const Newsroom room(small());
  double time = 0;
  for (int64_t i = 0; i < room.options().impressions; ++i) {
    const Impression impression = room.impression(i);
    EXPECT_GE(impression.time, time - 1e-9);
    time = impression.time;
    EXPECT_EQ(time >= static_cast<double>(room.options().days - room.options().dev_days),
              i >= room.first_dev_impression());
    EXPECT_EQ(std::set<int32_t>(impression.candidate.begin(), impression.candidate.end()).size(), 12u);
    for (int32_t a : impression.candidate) EXPECT_LT(room.published(a), time);
    const auto clicks = std::count(impression.clicked.begin(), impression.clicked.end(), 1);
    EXPECT_GE(clicks, 1);
    EXPECT_LT(clicks, 12);
  }
}

TEST(Newsroom, HistoriesEndBeforeTheFirstDay) {
  const Newsroom room(small());
  int64_t clicks = 0, empty = 0;
  for (int64_t user = 0; user < room.options().users; ++user) {
    for (int32_t a : room.history(user)) EXPECT_LT(room.published(a), 0);
    clicks += static_cast<int64_t>(room.history(user).size());
    empty += room.history(user).empty();
  }
  EXPECT_NEAR(static_cast<double>(clicks) / 300, 14, 1.5);
  EXPECT_GT(empty, 0);
}

// Impressions with one click are draws from the softmax of the logits, so the sum of (clicked - probability) x term is
// a sum of independent numbers with mean zero, for every cause.
TEST(Newsroom, ClicksAreDrawnFromTheSoftmaxOfTheTerms) {
  const Newsroom room(small());
  Terms sum = {}, variance = {};
  for (int64_t i = 0; i < room.options().impressions; ++i) {
    const Impression impression = room.impression(i);
    if (std::count(impression.clicked.begin(), impression.clicked.end(), 1) != 1) continue;
    std::vector<Terms> terms;
    std::vector<double> p;
    for (int32_t a : impression.candidate) {
      terms.push_back(room.terms(impression.user, a));
      p.push_back(std::exp(std::accumulate(terms.back().begin(), terms.back().end(), 0.0)));
    }
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (size_t c = 0; c < causes; ++c) {
      double mean = 0, square = 0, clicked = 0;
      for (size_t k = 0; k < p.size(); ++k) {
        mean += p[k] / total * terms[k][c];
        square += p[k] / total * terms[k][c] * terms[k][c];
        clicked += impression.clicked[k] * terms[k][c];
      }
      sum[c] += clicked - mean;
      variance[c] += square - mean * mean;
    }
  }
  for (size_t c = 0; c < causes; ++c) {
    EXPECT_GT(variance[c], 0) << cause_names[c];
    EXPECT_LT(std::abs(sum[c]), 4 * std::sqrt(variance[c])) << cause_names[c];
  }
}

TEST(Newsroom, TermsAreStrengthTimesTasteTimesValue) {
  Options o = small();
  const Newsroom one(o);
  for (double& s : o.strength) s *= 3;
  o.strength[type] = 0;
  const Newsroom three(o);
  Terms tastes = {};
  for (int64_t user = 0; user < 300; ++user) {
    const Terms a = one.terms(user, 7), b = three.terms(user, 7);
    for (size_t c = 0; c < causes; ++c) EXPECT_NEAR(b[c], c == type ? 0 : 3 * a[c], 1e-9);
    for (size_t c = 0; c < causes; ++c) tastes[c] += a[c] > 0 ? 1 : -1;
  }
  // Half of the users like either side of a cause; of popularity all like the same.
  for (size_t c = 0; c < popularity; ++c) EXPECT_LT(std::abs(tastes[c]), 80) << cause_names[c];
  EXPECT_EQ(std::abs(tastes[popularity]), 300);
}

TEST(Newsroom, LabelsHaveTheirShares) {
  const Newsroom room(small());
  const auto popular = room.popularity_labels(), local = room.local_labels();
  for (uint8_t quarter = 0; quarter < 4; ++quarter)
    EXPECT_EQ(std::count(popular.begin(), popular.end(), quarter), 1500 / 4);
  EXPECT_EQ(std::count(local.begin(), local.end(), 1), 1500 * 12 / 100);
  // Local interest is planted in hidden kinds and types.
  double of_local = 0;
  for (int64_t i = 0; i < 1500; ++i)
    if (local[static_cast<size_t>(i)] == 1) of_local += room.article(i).value[neighbour] + room.article(i).value[type];
  EXPECT_GT(of_local / 180, 1.2);
}

TEST(Newsroom, OnlyTheSeedChangesWhatIsDrawn) {
  Options o = small();
  const Newsroom a(o), b(o);
  o.seed = 2;
  const Newsroom c(o);
  EXPECT_EQ(a.impression(17).candidate, b.impression(17).candidate);
  EXPECT_EQ(Language(a).title(3, a.article(3)).text, Language(b).title(3, b.article(3)).text);
  EXPECT_NE(a.impression(17).candidate, c.impression(17).candidate);
  EXPECT_NE(Language(a).title(3, a.article(3)).text, Language(c).title(3, c.article(3)).text);
}

TEST(Newsroom, OptionsThatMakeNoNewsroomAreRefused) {
  const auto refused = [](auto change) {
    Options o = small();
    change(o);
    EXPECT_THROW(Newsroom{o}, UsageError);
  };
  refused([](Options& o) { o.articles = 20; });
  refused([](Options& o) { o.users = 0; });
  refused([](Options& o) { o.candidates = 1; });
  refused([](Options& o) { o.dev_days = 8; });
  refused([](Options& o) { o.graph.entities = 100; });
  refused([](Options& o) { o.graph.relations = 7; });
  refused([](Options& o) { o.graph.types = 27; });
}

}  // namespace
}  // namespace nd::newsroom
