// The measures of one impression: cases worked by hand, and an oracle that tries every order of ties.
#include "lib/metrics/measures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "lib/io/error.h"
#include "tests/lib/metrics/random_impressions.h"

namespace nd::metrics {
namespace {

double value(const char* name, std::vector<float> scores, std::vector<uint8_t> labels, Ties ties = Ties::last) {
  const Column column = column_named(name);
  Ranker ranker(ties);
  return column.measure->of_impression(ranker.rank(scores, labels), column.k);
}

// Clicks stand at ranks 2 and 4 of 5.
TEST(Measures, AgreeWithAHandWorkedImpression) {
  const std::vector<float> scores = {0.9f, 0.8f, 0.5f, 0.3f, 0.1f};
  const std::vector<uint8_t> labels = {0, 1, 0, 1, 0};
  EXPECT_DOUBLE_EQ(value("auc", scores, labels), 3.0 / 6);
  EXPECT_DOUBLE_EQ(value("mrr", scores, labels), (1.0 / 2 + 1.0 / 4) / 2);
  EXPECT_DOUBLE_EQ(value("mrr_first", scores, labels), 1.0 / 2);
  const double ideal = 1 + 1 / std::log2(3.0);
  EXPECT_DOUBLE_EQ(value("ndcg@5", scores, labels), (1 / std::log2(3.0) + 1 / std::log2(5.0)) / ideal);
  EXPECT_DOUBLE_EQ(value("ndcg@3", scores, labels), 1 / std::log2(3.0) / ideal);
  EXPECT_DOUBLE_EQ(value("ndcg@1", scores, labels), 0);
  EXPECT_DOUBLE_EQ(value("hr@1", scores, labels), 0);
  EXPECT_DOUBLE_EQ(value("hr@2", scores, labels), 1);
}

TEST(Measures, AreOneForAPerfectRankingAndAucIsZeroForTheReverse) {
  const std::vector<uint8_t> labels = {1, 1, 0, 0};
  for (const char* name : {"auc", "mrr_first", "ndcg@1", "ndcg@5", "ndcg@1000000000", "hr@1"})
    EXPECT_DOUBLE_EQ(value(name, {4, 3, 2, 1}, labels), 1) << name;
  EXPECT_DOUBLE_EQ(value("mrr", {4, 3, 2, 1}, labels), 0.75);
  EXPECT_DOUBLE_EQ(value("auc", {1, 2, 3, 4}, labels), 0);
}

// The ideal of nDCG@k has min(k, clicks) clicks on top, not all of them.
TEST(Measures, NdcgOfMoreClicksThanKCanReachOne) {
  EXPECT_DOUBLE_EQ(value("ndcg@2", {5, 4, 3, 2, 1}, {1, 1, 1, 0, 0}), 1);
}

TEST(Measures, TieRulesPlaceEqualScoresAsTheySay) {
  const std::vector<float> scores = {1, 1, 1, 0};
  const std::vector<uint8_t> labels = {1, 0, 0, 0};
  EXPECT_DOUBLE_EQ(value("mrr", scores, labels, Ties::first), 1);
  EXPECT_DOUBLE_EQ(value("mrr", scores, labels, Ties::last), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value("mrr", scores, labels, Ties::expected), (1 + 1.0 / 2 + 1.0 / 3) / 3);
  EXPECT_DOUBLE_EQ(value("hr@2", scores, labels, Ties::expected), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value("mrr", scores, {0, 1, 0, 0}, Ties::against), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value("mrr", scores, labels, Ties::against), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value("mrr", scores, {1, 0, 1, 0}, Ties::against), (1.0 / 2 + 1.0 / 3) / 2);
  for (const Ties ties : {Ties::first, Ties::last, Ties::expected, Ties::against})
    EXPECT_DOUBLE_EQ(value("auc", scores, labels, ties), 2.0 / 3);
}

// D-HAN's protocol (dhan.md 1.11): one click, rank 1 + scores above + scores equal.
TEST(Measures, OneClickRanksBehindAllThatIsNotBelowIt) {
  const std::vector<uint8_t> labels = {0, 0, 1, 0, 0, 0};
  for (const auto& [scores, rank] : std::vector<std::pair<std::vector<float>, double>>{
           {{1, 2, 9, 3, 4, 5}, 1}, {{1, 9, 9, 3, 4, 5}, 2}, {{10, 9, 9, 9, 4, 5}, 4}, {{7, 7, 7, 7, 7, 7}, 6}}) {
    EXPECT_DOUBLE_EQ(value("mrr", scores, labels, Ties::against), 1 / rank);
    for (const int k : {1, 5, 10}) {
      const std::string at = std::to_string(k);
      EXPECT_DOUBLE_EQ(value(("hr@" + at).c_str(), scores, labels, Ties::against), rank <= k);
      EXPECT_DOUBLE_EQ(value(("ndcg@" + at).c_str(), scores, labels, Ties::against),
                       rank <= k ? 1 / std::log2(rank + 1) : 0);
    }
  }
}

TEST(Measures, TiesOfAClickWithSomethingElseAreRecognised) {
  for (const Ties ties : {Ties::first, Ties::last, Ties::expected, Ties::against}) {
    Ranker ranker(ties);
    const auto tied = [&](std::vector<float> scores, std::vector<uint8_t> labels) {
      return ranker.rank(scores, labels).tied;
    };
    EXPECT_TRUE(tied({1, 1, 0}, {1, 0, 0}));
    EXPECT_FALSE(tied({2, 1, 1}, {1, 0, 0}));
    EXPECT_FALSE(tied({1, 1, 0}, {1, 1, 0}));
    std::vector<float> many(40, 1.0f);
    std::vector<uint8_t> labels(40, 1);
    many[0] = 2;
    labels[0] = 0;
    EXPECT_FALSE(tied(many, labels));
    many[0] = 1;
    EXPECT_TRUE(tied(many, labels));
  }
}

TEST(Measures, TieRulesHaveNames) {
  EXPECT_EQ(ties_named("last"), Ties::last);
  EXPECT_EQ(ties_named("first"), Ties::first);
  EXPECT_EQ(ties_named("expected"), Ties::expected);
  EXPECT_EQ(ties_named("against"), Ties::against);
  EXPECT_THROW(ties_named("best"), Error);
}

TEST(Measures, CountMinusZeroAsZero) {
  EXPECT_DOUBLE_EQ(value("auc", {0.0f, -0.0f}, {1, 0}), 0.5);
  EXPECT_DOUBLE_EQ(value("mrr", {0.0f, -0.0f}, {1, 0}, Ties::first), 1);
}

// Definitions by their words, for one total order of candidates.
double plain(const std::string& name, const std::vector<uint8_t>& ranked, int64_t k) {
  double sum = 0, best = 0, ideal = 0;
  int64_t clicks = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (!ranked[i]) continue;
    const double rank = static_cast<double>(i) + 1;
    ++clicks;
    if (name == "mrr") sum += 1 / rank;
    if (name == "mrr_first") best = std::max(best, 1 / rank);
    if (name == "hr" && rank <= static_cast<double>(k)) best = 1;
    if (name == "ndcg" && rank <= static_cast<double>(k)) sum += 1 / std::log2(rank + 1);
    if (clicks <= k) ideal += 1 / std::log2(static_cast<double>(clicks) + 1);
  }
  if (name == "mrr") return sum / static_cast<double>(clicks);
  return name == "ndcg" ? sum / ideal : best;
}

double plain_auc(std::span<const float> scores, std::span<const uint8_t> labels) {
  double won = 0, pairs = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    for (size_t j = 0; j < scores.size(); ++j)
      if (labels[i] == 1 && labels[j] == 0) {
        won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
        ++pairs;
      }
  return won / pairs;
}

// Every permutation of the candidates that sorts the scores, with its labels.
std::vector<std::vector<uint8_t>> all_orders(std::span<const float> scores, std::span<const uint8_t> labels) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<std::vector<uint8_t>> out;
  do {
    bool sorted = true;
    for (size_t i = 1; i < order.size(); ++i) sorted &= scores[order[i - 1]] >= scores[order[i]];
    if (!sorted) continue;
    out.emplace_back();
    for (const size_t i : order) out.back().push_back(labels[i]);
  } while (std::next_permutation(order.begin(), order.end()));
  return out;
}

bool both_classes(std::span<const uint8_t> labels) {
  return std::count(labels.begin(), labels.end(), 1) % static_cast<int64_t>(labels.size()) != 0;
}

TEST(Measures, ExpectedTiesAreTheMeanOverAllOrders) {
  const ImpressionTable table = random_impressions(1, 60, 6, 3);
  const Impressions all = table.view();
  Ranker ranker(Ties::expected);
  for (int64_t i = 0; i < all.size(); ++i) {
    if (!both_classes(all.labels_of(i))) continue;
    const auto orders = all_orders(all.scores_of(i), all.labels_of(i));
    for (const char* name : {"mrr", "mrr_first", "ndcg@1", "ndcg@3", "hr@1", "hr@2", "hr@4"}) {
      const Column column = column_named(name);
      double mean = 0;
      for (const auto& ranked : orders)
        mean += plain(std::string(column.measure->name), ranked, column.k) / static_cast<double>(orders.size());
      const Ranking ranking = ranker.rank(all.scores_of(i), all.labels_of(i));
      EXPECT_NEAR(column.measure->of_impression(ranking, column.k), mean, 1e-12) << name << " impression " << i;
    }
  }
}

// Long lists with many clicks take another way to their ranks than short ones.
TEST(Measures, AgreeWithTheirDefinitionsForListsOfAnyLength) {
  for (const int64_t most : {6, 40, 200}) {
    const ImpressionTable table = random_impressions(2, 200, most, 9);
    const Impressions all = table.view();
    for (const Ties ties : {Ties::last, Ties::first, Ties::against}) {
      Ranker ranker(ties);
      for (int64_t i = 0; i < all.size(); ++i) {
        const auto scores = all.scores_of(i);
        const auto labels = all.labels_of(i);
        if (!both_classes(labels)) continue;
        std::vector<size_t> order(scores.size());
        std::iota(order.begin(), order.end(), size_t{0});
        if (ties == Ties::last) std::reverse(order.begin(), order.end());
        if (ties == Ties::against) std::ranges::stable_sort(order, {}, [&](size_t o) { return labels[o]; });
        std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
        std::vector<uint8_t> ranked;
        for (const size_t o : order) ranked.push_back(labels[o]);
        const Ranking ranking = ranker.rank(scores, labels);
        EXPECT_NEAR(auc(ranking, 0), plain_auc(scores, labels), 1e-12);
        for (const char* name : {"mrr", "mrr_first", "ndcg@5", "ndcg@300", "hr@3"}) {
          const Column column = column_named(name);
          EXPECT_NEAR(column.measure->of_impression(ranking, column.k),
                      plain(std::string(column.measure->name), ranked, column.k), 1e-12)
              << name << " impression " << i;
        }
      }
    }
  }
}

TEST(Measures, ConstantScoresAreRecognised) {
  Ranker ranker(Ties::last);
  EXPECT_TRUE(ranker.rank(std::vector<float>{2, 2, 2}, std::vector<uint8_t>{0, 1, 0}).constant);
  EXPECT_FALSE(ranker.rank(std::vector<float>{2, 2, 1}, std::vector<uint8_t>{0, 1, 0}).constant);
  const std::vector<uint8_t> many(20, 1);
  EXPECT_TRUE(ranker.rank(std::vector<float>(20, 3.0f), many).constant);
}

TEST(Measures, AreListedInDisplayOrderWithAMeaning) {
  std::vector<std::string> names;
  const std::vector<int64_t> cutoffs = {5, 10};
  for (const Column& column : columns(cutoffs)) names.push_back(column.name());
  const std::vector<std::string> expected = {"auc",    "auc_pooled", "mrr",  "mrr_first",
                                             "ndcg@5", "ndcg@10",    "hr@5", "hr@10"};
  EXPECT_EQ(names, expected);
  for (const Measure& m : measures()) {
    EXPECT_FALSE(m.meaning.empty());
    EXPECT_NE(m.of_impression == nullptr, m.of_all == nullptr) << m.name;
  }
}

TEST(Measures, UnknownNamesAreRefused) {
  for (const char* name :
       {"", "map", "ndcg", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@5x", "auc@5", "hr@99999999999999999999"})
    EXPECT_THROW(column_named(name), Error) << name;
}

TEST(PooledAuc, AgreesWithTheDefinitionOverAllRows) {
  for (const int64_t levels : {2, 5, 1000}) {
    const ImpressionTable table = random_impressions(3, 40, 9, levels);
    EXPECT_NEAR(auc_pooled(table.view()).value, plain_auc(table.scores, table.labels), 1e-12);
  }
}

TEST(PooledAuc, OrdersNegativeAndInfiniteScoresAndMinusZero) {
  const float inf = std::numeric_limits<float>::infinity();
  ImpressionTable table;
  table.scores = {-inf, -5.5f, -1e-30f, -0.0f, 0.0f, 1e-30f, 7, inf};
  table.labels = {0, 1, 0, 1, 0, 1, 0, 1};
  table.offsets = {0, 3, 8};
  EXPECT_NEAR(auc_pooled(table.view()).value, plain_auc(table.scores, table.labels), 1e-12);
}

TEST(PooledAuc, UsesSingleClassImpressionsButNoUnlabelledOnes) {
  ImpressionTable table;
  table.scores = {3, 2, 1, 9, 4};
  table.labels = {1, 1, 0, 255, 0};
  table.offsets = {0, 2, 3, 5};
  EXPECT_DOUBLE_EQ(auc_pooled(table.view()).value, 1);
}

TEST(PooledAuc, IsNaNWithoutBothClasses) {
  ImpressionTable table;
  EXPECT_TRUE(std::isnan(auc_pooled(table.view()).value));
  table.scores = {1, 2};
  table.labels = {0, 0};
  table.offsets = {0, 2};
  EXPECT_TRUE(std::isnan(auc_pooled(table.view()).value));
}

// influence = derivative by the impression's weight: compared with what doubling one impression of many does.
TEST(PooledAuc, InfluenceIsWhatCountingAnImpressionAgainChanges) {
  const ImpressionTable table = random_impressions(4, 400, 9, 50);
  const Impressions all = table.view();
  const Estimate pooled = auc_pooled(all);
  EXPECT_NEAR(std::accumulate(pooled.influence.begin(), pooled.influence.end(), 0.0), 0, 1e-6);
  for (int64_t i = 0; i < 20; ++i) {
    ImpressionTable more = table;
    for (const float s : all.scores_of(i)) more.scores.push_back(s);
    for (const uint8_t l : all.labels_of(i)) more.labels.push_back(l);
    more.offsets.push_back(static_cast<int64_t>(more.scores.size()));
    const double change = auc_pooled(more.view()).value - pooled.value;
    EXPECT_NEAR(pooled.influence[static_cast<size_t>(i)], change, 2e-5) << "influence of impression " << i;
  }
}

}  // namespace
}  // namespace nd::metrics
