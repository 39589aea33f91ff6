// The log of single clicks: it is one, and each cause moves the clicks as it says and no others.
#include "lib/data/newsroom_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

Options small() {
  Options o;
  o.articles = 1200;
  o.users = 120;
  o.impressions = 10;
  o.graph.entities = 256;
  o.graph.others = 64;
  return o;
}

// With one cause of this strength, and nothing else.
log::Options planted(log::Cause cause, double strength) {
  log::Options o;
  o.clicks = 30;
  o.strength = {};
  o.strength[cause] = strength;
  return o;
}

TEST(NewsroomLog, HoldsEachUsersClicksInOrderOnLiveArticlesOnce) {
  const Newsroom room(small());
  log::Options options;
  options.clicks = 30;
  const Log log(room, options), again(room, options);
  int64_t clicks = 0;
  for (int64_t u = 0; u < room.options().users; ++u) {
    std::set<int32_t> read;
    int64_t before = INT64_MIN;
    const auto of_user = log.clicks(u);
    for (const log::Click& c : of_user) {
      EXPECT_GE(c.second, before);
      before = c.second;
      EXPECT_TRUE(read.insert(c.article).second);
      EXPECT_LE(room.published(c.article) * 86400, static_cast<double>(c.second));
      EXPECT_LT(c.second, room.options().days * 86400);
    }
    clicks += static_cast<int64_t>(of_user.size());
    EXPECT_TRUE(std::ranges::equal(of_user, again.clicks(u), {}, &log::Click::article, &log::Click::article));
  }
  EXPECT_NEAR(static_cast<double>(clicks) / static_cast<double>(room.options().users), 30, 3);
}

TEST(NewsroomLog, RefusesNumbersOfClicksThatMakeNone) {
  const Newsroom room(small());
  for (const int64_t bad : {-1, 0, 100001}) EXPECT_THROW(Log(room, log::Options{.clicks = bad}), UsageError) << bad;
}

// What the clicks have of each cause on average, when `cause` is planted with this strength. All values are -1 to 1.
log::Terms mean_values(log::Cause cause, double strength) {
  const Newsroom room(small());
  const Log log(room, planted(cause, strength));
  log::Options ones = planted(cause, 0);
  ones.strength.fill(1);
  const Log value(room, ones);
  log::Terms sum{};
  double n = 0;
  for (int64_t u = 0; u < room.options().users; ++u) {
    const auto clicks = log.clicks(u);
    for (size_t i = 0; i < clicks.size(); ++i, ++n) {
      const auto t = value.terms(u, std::span(clicks).first(i), clicks[i].second, clicks[i].article);
      for (size_t c = 0; c < log::causes; ++c) sum[c] += t[c];
    }
  }
  for (double& s : sum) s /= n;
  return sum;
}

TEST(NewsroomLog, EachCauseMovesItsOwnClicks) {
  const log::Terms none = mean_values(log::topic, 0);
  for (int c = 0; c < log::causes; ++c) {
    const log::Terms with = mean_values(static_cast<log::Cause>(c), 3);
    for (size_t other = 0; other < log::causes; ++other) {
      if (static_cast<int>(other) == c) EXPECT_GT(with[other], none[other] + 0.3) << c;
      else EXPECT_NEAR(with[other], none[other], 0.12) << c << " moves " << other;
    }
  }
}

TEST(NewsroomLog, HourWantsEachTopicHalfOfTheDay) {
  const Newsroom room(small());
  const Log log(room, planted(log::hour, 1));
  for (int64_t a = 0; a < 50; ++a) {
    double sum = 0;
    for (int64_t h = -24; h < 0; ++h) sum += log.terms(0, {}, h * 3600, a)[log::hour];
    EXPECT_EQ(sum, 0) << a;
    EXPECT_EQ(log.terms(0, {}, -1, a)[log::hour], log.terms(0, {}, 86399, a)[log::hour]);
  }
}

TEST(NewsroomLog, RecencyTurnsThreeHoursAfterTheLastReading) {
  const Newsroom room(small());
  const Log log(room, planted(log::recency, 1));
  const std::vector<log::Click> before = {{.article = 0, .second = 900}, {.article = 1, .second = 1000}};
  for (int32_t a = 2; a < 40; ++a) {
    const double soon = log.story(a).topic % 2 == 0 ? 1 : -1;
    EXPECT_EQ(log.terms(0, before, 1000 + 3 * 3600, a)[log::recency], soon);
    EXPECT_EQ(log.terms(0, before, 1001 + 3 * 3600, a)[log::recency], -soon);
    EXPECT_EQ(log.terms(0, {}, 1000, a)[log::recency], 0);
  }
}

TEST(NewsroomLog, LeadOfTheLastArticleDecidesWhichWishIsMet) {
  const Newsroom room(small());
  const Log log(room, planted(log::lead, 1));
  for (int32_t last = 1; last < 20; ++last) {
    const std::vector<log::Click> before = {{.article = 0, .second = 0}, {.article = last, .second = 1}};
    EXPECT_EQ(log.terms(0, before, 2, 30)[log::lead], log.story(last).lead * log.story(30).wish);
  }
  EXPECT_EQ(log.terms(0, {}, 2, 30)[log::lead], 0);
}

}  // namespace
}  // namespace nd::newsroom
