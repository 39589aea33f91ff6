// What each protocol may draw, exactly on small logs and by frequency on a larger one.
#include "lib/data/click_negatives.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/data/windows.h"
#include "tests/lib/data/small_clicks.h"
#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

using test::clicks_of;
using test::Read;

constexpr int64_t kHour = 3600;

class ClickNegatives : public testing::Test {
 protected:
  Candidates sample(const Clicks& log, std::vector<int32_t> instances, const ClickSampling& sampling,
                    uint64_t seed = 1) {
    Candidates out = sample_candidates(log, instances, sampling, seed, "log.nd", skips);
    EXPECT_EQ(out.problem(), "");
    for (int64_t i = 0; i < out.size(); ++i) check(log, out, i);
    return out;
  }
  // What holds for every protocol.
  static void check(const Clicks& log, const Candidates& c, int64_t row) {
    const int32_t instance = c.impression[row], user = user_of(log, instance);
    std::set<int32_t> seen, clicked(log.article[user].begin(), log.article[user].end());
    int64_t positives = 0;
    for (int64_t k = c.candidate.offsets[row]; k < c.candidate.offsets[row + 1]; ++k) {
      const int32_t article = c.candidate.values[k];
      EXPECT_TRUE(seen.insert(article).second) << "article " << article << " comes twice";
      if (c.label[k] == kClicked) {
        ++positives;
        EXPECT_EQ(article, log.article.values[instance]);
      } else {
        EXPECT_FALSE(clicked.contains(article)) << "the user clicked " << article;
      }
    }
    EXPECT_EQ(positives, 1);
  }
  static std::set<int32_t> negatives(const Candidates& c, int64_t row = 0) {
    std::set<int32_t> out;
    for (int64_t k = c.candidate.offsets[row]; k < c.candidate.offsets[row + 1]; ++k)
      if (c.label[k] == kNotClicked) out.insert(c.candidate.values[k]);
    return out;
  }
  Skips skips{0};
};

using Set = std::set<int32_t>;

// User 0 clicked 0, 1 and 2, at hours 9, 10 and 11; article 9 is clicked by nobody.
Clicks small() {
  return clicks_of(10, {{{0, 9 * kHour}, {1, 10 * kHour}, {2, 11 * kHour}},
                        {{3, 2 * kHour}, {3, 9 * kHour}},                    // lives from 2 to 9
                        {{4, 13 * kHour}},                                   // lives at 13
                        {{5, 1 * kHour}, {6, 11 * kHour}, {5, 20 * kHour}},  // 5 from 1 to 20, 6 at 11
                        {{7, 1 * kHour}, {8, 30 * kHour}}});
}

TEST_F(ClickNegatives, UniformTakesFromAllThatSomebodyElseClicked) {
  const Candidates all = sample(small(), {2}, {.source = ClickSource::uniform, .negatives = 6});
  EXPECT_EQ(negatives(all), (Set{3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(sample(small(), {2}, {.source = ClickSource::popularity, .negatives = 6}).candidate.values.size(), 7);
}

TEST_F(ClickNegatives, LiveArticlesAreThoseWhoseLifeMeetsTheWindow) {
  // Around hour 11: 5 and 6 live then; 3 died two hours before, 4 comes two hours later.
  const auto live = [&](int64_t hours) {
    return negatives(sample(small(), {2}, {.source = ClickSource::all_live, .window_hours = hours}));
  };
  EXPECT_EQ(live(1), (Set{5, 6}));
  EXPECT_EQ(live(2), (Set{3, 4, 5, 6}));
  EXPECT_EQ(live(10), (Set{3, 4, 5, 6, 7}));
  EXPECT_EQ(live(1000), (Set{3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(negatives(sample(small(), {2}, {.source = ClickSource::live, .window_hours = 2, .negatives = 4})),
            (Set{3, 4, 5, 6}));
}

TEST_F(ClickNegatives, InstancesGetTheirOwnTimesWhateverTheirOrder) {
  // Clicks 2 (hour 11), 5 (hour 13) and 7 (hour 11).
  const Candidates c = sample(small(), {2, 5, 7}, {.source = ClickSource::all_live, .window_hours = 2});
  ASSERT_EQ(c.size(), 3);
  EXPECT_EQ(negatives(c, 0), (Set{3, 4, 5, 6}));
  EXPECT_EQ(negatives(c, 1), (Set{2, 5, 6}));
  EXPECT_EQ(negatives(c, 2), (Set{0, 1, 2, 3, 4}));
}

TEST_F(ClickNegatives, WhatIsDrawnForAClickDependsOnNoOther) {
  std::vector<std::vector<Read>> users(50);
  for (int32_t u = 0; u < 50; ++u)
    for (int32_t i = 0; i < 12; ++i) users[static_cast<size_t>(u)].push_back({(u * 7 + i * 13) % 300, i * kHour + u});
  const Clicks log = clicks_of(300, users);
  std::vector<int32_t> last;
  for (int32_t u = 0; u < 50; ++u) last.push_back(u * 12 + 11 - u % 3);
  for (const ClickSource source :
       {ClickSource::uniform, ClickSource::popularity, ClickSource::live, ClickSource::all_live}) {
    const ClickSampling sampling{.source = source, .window_hours = 2, .negatives = 20};
    const Candidates all = sample(log, last, sampling);
    ASSERT_EQ(all.size(), 50);
    for (int64_t i = 0; i < 50; ++i) {
      const Candidates one = sample(log, {last[static_cast<size_t>(i)]}, sampling);
      EXPECT_TRUE(std::ranges::equal(one.candidate[0], all.candidate[i]));
    }
    EXPECT_TRUE(std::ranges::equal(sample(log, last, sampling).candidate.values, all.candidate.values));
    const bool drawn = source != ClickSource::all_live;
    EXPECT_EQ(negatives(sample(log, last, sampling, 2)) != negatives(all), drawn);
  }
}

TEST_F(ClickNegatives, AskingForMoreThanThereAreIsSeenAtOnce) {
  // 20,000 articles of one click each: looking for another one by chance would never end.
  std::vector<std::vector<Read>> users(200);
  std::vector<int32_t> last;
  for (int32_t u = 0; u < 200; ++u) {
    for (int32_t i = 0; i < 100; ++i) users[static_cast<size_t>(u)].push_back({u * 100 + i, i * kHour});
    if (u < 20) last.push_back(u * 100 + 99);
  }
  const Clicks log = clicks_of(20000, users);
  for (const ClickSource source : {ClickSource::uniform, ClickSource::popularity, ClickSource::live}) {
    skips = Skips(-1);
    const ClickSampling sampling{.source = source, .window_hours = 1000, .negatives = 19901};
    EXPECT_EQ(sample(log, last, sampling).size(), 0);
    EXPECT_EQ(skips.total(), 20);
  }
}

TEST_F(ClickNegatives, AreDrawnInTheProportionsOfTheirProtocol) {
  // Article a of 1..8 is clicked a times, by users of its own; user 0 clicks article 0 many times over.
  std::vector<std::vector<Read>> users(1);
  for (int i = 0; i < 4000; ++i) users[0].push_back({0, kHour});
  for (int32_t a = 1; a <= 8; ++a)
    for (int32_t i = 0; i < a; ++i) users.push_back({{a, kHour}});
  const Clicks log = clicks_of(9, users);
  std::vector<int32_t> instances(4000);
  for (int32_t i = 0; i < 4000; ++i) instances[static_cast<size_t>(i)] = i;
  const auto shares = [&](ClickSource source) {
    const Candidates c = sample(log, instances, {.source = source, .negatives = 1});
    std::map<int32_t, double> share;
    for (int64_t row = 0; row < c.size(); ++row) share[*negatives(c, row).begin()] += 1.0 / 4000;
    return share;
  };
  for (const ClickSource source : {ClickSource::uniform, ClickSource::live})
    for (const auto& [article, share] : shares(source)) EXPECT_NEAR(share, 1.0 / 8, 0.025) << article;
  for (const auto& [article, share] : shares(ClickSource::popularity))
    EXPECT_NEAR(share, article / 36.0, 0.035) << article;
}

TEST_F(ClickNegatives, PositiveStandsAnywhere) {
  const Clicks log = small();
  std::map<int64_t, int> places;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    const Candidates c = sample(log, {2}, {.negatives = 5}, seed);
    for (int64_t k = 0; k < 6; ++k) places[k] += c.label[k] == kClicked;
  }
  for (const auto& [place, times] : places) EXPECT_NEAR(times, 100, 40) << place;
}

TEST_F(ClickNegatives, TooSmallAPoolIsAnErrorOrACountedSkip) {
  EXPECT_ND_ERROR(sample(small(), {2}, {.negatives = 7}), "log.nd:3: fewer articles than asked for are there to rank");
  EXPECT_ND_ERROR(sample(small(), {10}, {.source = ClickSource::all_live}), "log.nd:11: fewer articles");
  skips = Skips(2);
  const Candidates c = sample(small(), {2, 10}, {.source = ClickSource::live, .window_hours = 2, .negatives = 4});
  EXPECT_EQ(std::vector<int32_t>(c.impression.begin(), c.impression.end()), (std::vector<int32_t>{2}));
  EXPECT_EQ(skips.total(), 1);
}

TEST_F(ClickNegatives, SourcesHaveNames) {
  EXPECT_EQ(click_source("all-live"), ClickSource::all_live);
  EXPECT_EQ(click_source("uniform"), ClickSource::uniform);
  EXPECT_THROW(click_source("impression"), UsageError);
}

}  // namespace
}  // namespace nd
