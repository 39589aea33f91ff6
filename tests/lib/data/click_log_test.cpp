// Clicks in any order become sequences; articles keep the first that is told of them.
#include "lib/data/click_log.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

constexpr int64_t kSecond = 1000000;

struct Row {
  const char* user;
  const char* article;
  int64_t micros;
  int32_t session = -1;
};

ClickLog log_of(const std::vector<Row>& rows, Repeats repeats = Repeats::keep) {
  ArticleBuilder articles;
  ClickBuilder clicks;
  for (const Row& r : rows) clicks.add(clicks.add_user(r.user), articles.add(r.article), r.micros, r.session);
  ClickLog log = take_log(articles, clicks, repeats, false);
  EXPECT_EQ(log.clicks.problem(), "");
  EXPECT_EQ(log.corpus.problem(), "");
  return log;
}

// "u1: a@5 b@7; u2: ..."
std::string told(const ClickLog& log) {
  std::string out;
  for (int64_t u = 0; u < log.clicks.size(); ++u) {
    out += (u ? "; " : "") + std::string(log.clicks.user_id[u]) + ":";
    for (int64_t i = log.clicks.article.offsets[u]; i < log.clicks.article.offsets[u + 1]; ++i)
      out += " " + std::string(log.corpus.id[log.clicks.article.values[i]]) + "@" + std::to_string(log.clicks.time[i]);
  }
  return out;
}

TEST(ClickLog, ClicksAreSortedByTimeWithinUsersOfFirstAppearance) {
  const ClickLog log = log_of(
      {{"u2", "a", 9 * kSecond}, {"u1", "b", 3 * kSecond}, {"u2", "c", 4 * kSecond}, {"u1", "a", 3 * kSecond + 1}});
  EXPECT_EQ(told(log), "u2: c@4 a@9; u1: b@3 a@3");
  EXPECT_EQ(log.counts.out_of_order, 1);
  EXPECT_EQ(log.counts.equal_times, 0);
}

TEST(ClickLog, FractionsOfSecondsOrderAndAreThenDropped) {
  EXPECT_EQ(told(log_of({{"u", "a", 2 * kSecond + 900}, {"u", "b", 2 * kSecond + 100}})), "u: b@2 a@2");
}

TEST(ClickLog, EqualTimesKeepTheOrderOfTheLog) {
  std::vector<Row> rows;
  static const char* names[] = {"h", "c", "f", "a", "e", "b", "g", "d"};
  for (int i = 0; i < 64; ++i) rows.push_back({"u", names[i % 8], (i / 32) * kSecond});
  const ClickLog log = log_of(rows);
  EXPECT_EQ(log.counts.equal_times, 62);
  for (int64_t i = 0; i < 64; ++i) EXPECT_EQ(log.corpus.id[log.clicks.article.values[i]], names[i % 8]);
}

TEST(ClickLog, RepeatsGoOrStay) {
  const std::vector<Row> rows = {
      {"u", "a", 5 * kSecond}, {"u", "a", 2 * kSecond}, {"v", "a", 3 * kSecond}, {"u", "b", 4 * kSecond}};
  const ClickLog first = log_of(rows, Repeats::first), all = log_of(rows);
  EXPECT_EQ(told(first), "u: a@2 b@4; v: a@3");  // the first by time, not in the file
  EXPECT_EQ(told(all), "u: a@2 b@4 a@5; v: a@3");
  EXPECT_EQ(first.counts.repeats, 1);
  EXPECT_EQ(all.counts.repeats, 1);
}

TEST(ClickLog, SessionsStayWithTheirClicks) {
  const ClickLog log = log_of({{"u", "a", 2 * kSecond, 7}, {"u", "b", 1 * kSecond, -1}});
  EXPECT_EQ(log.clicks.session[0], -1);
  EXPECT_EQ(log.clicks.session[1], 7);
}

TEST(ClickLog, ArticlesKeepTheFirstThatIsTold) {
  ArticleBuilder articles;
  articles.add("a");
  const int32_t b = articles.add("b");
  articles.tell(b, {.title = "", .category = "news"});
  articles.tell(b, {.title = "One", .category = "sports", .published = 7});
  articles.tell(b, {.title = "Two", .body = "text", .published = 8});
  EXPECT_FALSE(articles.has_text(0));
  EXPECT_TRUE(articles.has_text(b));
  const Corpus corpus = articles.take();
  EXPECT_EQ(corpus.problem(), "");
  EXPECT_EQ(corpus.title[1], "One");
  EXPECT_EQ(corpus.body[1], "text");
  EXPECT_EQ(corpus.category[0], -1);
  EXPECT_EQ(corpus.category_name[corpus.category[1]], "news");
  EXPECT_EQ(corpus.published[0], -1);
  EXPECT_EQ(corpus.published[1], 7);
}

TEST(ClickLog, LinksOfOneEntityAreOneLink) {
  ArticleBuilder articles;
  const int32_t a = articles.add("a"), b = articles.add("b");
  articles.link(b, {.entity = "Oslo", .type = "location", .frequency = 3});
  articles.link(a, {.entity = "Kari", .type = ""});
  articles.link(b, {.entity = "Kari", .type = "person", .position = 0, .first = 4});
  articles.link(b, {.entity = "Oslo", .type = "entity", .frequency = 9});
  const Corpus corpus = articles.take();
  EXPECT_EQ(corpus.problem(), "");
  ASSERT_EQ(corpus.link_entity[0].size(), 1u);
  ASSERT_EQ(corpus.link_entity[1].size(), 2u);
  EXPECT_EQ(corpus.entity_id[corpus.link_entity[1][0]], "Oslo");
  EXPECT_EQ(corpus.link_frequency[1], 3);
  EXPECT_EQ(corpus.link_type[0], -1);
  EXPECT_EQ(corpus.link_first[2], 4);
}

TEST(ClickLog, ClicksOnArticlesWithoutTextCanBeLeftOut) {
  const auto fill = [](ArticleBuilder& articles, ClickBuilder& clicks) {
    for (const Row& r : std::vector<Row>{{"u", "a", 1}, {"v", "b", 2}, {"v", "a", 3}})
      clicks.add(clicks.add_user(r.user), articles.add(r.article), r.micros, -1);
  };
  ArticleBuilder articles;
  ClickBuilder clicks;
  fill(articles, clicks);
  articles.tell(1, {.title = "B"});
  const ClickLog log = take_log(articles, clicks, Repeats::keep, true);
  EXPECT_EQ(told(log), "v: b@0");
  EXPECT_EQ(log.counts.without_text, 2);
  EXPECT_EQ(log.without_text, 1);
  EXPECT_EQ(log.corpus.size(), 2);
  ArticleBuilder none;
  fill(none, clicks);
  EXPECT_ND_ERROR(take_log(none, clicks, Repeats::keep, true), "--only-with-text leaves nothing");
}

}  // namespace
}  // namespace nd
