// Other people's logs: as told, as guessed, and what of them cannot be used.
#include "lib/data/click_text.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

class ClickTextTest : public testing::Test {
 protected:
  ClickLog read(std::string_view clicks, const ClickTextOptions& options = {}, std::string_view articles = "",
                const std::string& article_columns = "") {
    columns.clear();
    put(folder / "clicks", clicks);
    put(folder / "articles", articles);
    const TellColumns tell = [&](const std::string&, const std::string& map) { columns += map + "\n"; };
    ClickText text(options, tell);
    if (!articles.empty()) ArticleLists(article_columns, tell).read(folder / "articles", text.articles, skips);
    text.read(folder / "clicks", skips);
    filtered = text.filtered;
    return take_log(text.articles, text.clicks, Repeats::keep, false);
  }
  TemporaryFolder folder;
  Skips skips{1000};
  std::string columns;
  int64_t filtered = 0;
};

TEST_F(ClickTextTest, GuessesAHeaderAndTheUnit) {
  const ClickLog log = read(
      "user\tsession\tarticle\ttime\nu1\ts9\ta\t1506826800026\nu1\t\tb\t1506826801702\nu2\ts9\ta\t1506826804207\n");
  EXPECT_EQ(columns, "user=user,article=article,time=time:ms,session=session\n");
  EXPECT_EQ(log.clicks.size(), 2);
  EXPECT_EQ(log.clicks.time[1], 1506826801);
  EXPECT_EQ(log.clicks.session[0], 0);
  EXPECT_EQ(log.clicks.session[1], -1);
  EXPECT_EQ(log.clicks.session[2], 0);
  EXPECT_EQ(skips.total(), 0);
}

TEST_F(ClickTextTest, TakesColumnsByNumberWithoutAHeader) {
  const ClickLog log =
      read("u1,a,2016-06-08T19:10:32Z\nu1,b,2016-06-08T19:10:33Z\n", {.columns = "user=1,article=2,time=3"});
  EXPECT_EQ(columns, "user=1,article=2,time=3:iso\n");
  EXPECT_EQ(log.clicks.clicks(), 2);
  EXPECT_EQ(log.clicks.time[0], 1465413032);
}

TEST_F(ClickTextTest, ReadsTextsFromTheClicksThemselves) {
  const ClickLog log = read(
      "{\"uid\":5,\"doc\":{\"id\":\"a\",\"head\":\"Snø\"},\"ts\":10,\"body\":\"\",\"section\":\"news\"}\n"
      "{\"uid\":6,\"doc\":{\"id\":\"a\"},\"ts\":11,\"body\":\"Long.\",\"section\":\"sports\"}\n",
      {.columns = "article=doc.id,title=doc.head"});
  EXPECT_EQ(columns, "user=uid,article=doc.id,time=ts:s,title=doc.head,body=body,category=section\n");
  EXPECT_EQ(log.corpus.title[0], "Snø");
  EXPECT_EQ(log.corpus.body[0], "Long.");
  EXPECT_EQ(log.corpus.category_name[log.corpus.category[0]], "news");
  EXPECT_EQ(log.clicks.user_id[1], "6");
}

TEST_F(ClickTextTest, FiltersRowsByAnyOfAFieldsValuesAndAllFields) {
  const std::string text =
      "user,article,time,event,lang\nu,a,1,VIEW,no\nu,b,2,LIKE,no\nu,c,3,FOLLOW,no\nu,d,4,VIEW,en\n";
  EXPECT_EQ(read(text, {.where = {"event=VIEW"}}).clicks.clicks(), 2);
  EXPECT_EQ(read(text, {.where = {"event=VIEW", "event=LIKE", "lang=no"}}).clicks.clicks(), 2);
  EXPECT_EQ(filtered, 2);
  EXPECT_EQ(skips.total(), 0);
  EXPECT_ND_ERROR(read(text, {.where = {"event=OPEN"}}),
                  "has no row that can be used (4 rows are other than --where wants them)");
  EXPECT_ND_ERROR(read(text, {.where = {"kind=OPEN"}}), "clicks:1: has no column kind");
  EXPECT_THROW(read(text, {.where = {"event"}}), UsageError);
  EXPECT_THROW(read(text, {.where = {"=VIEW"}}), UsageError);
}

TEST_F(ClickTextTest, BadRowsAreCountedByCause) {
  const ClickLog log =
      read("user\tarticle\ttime\n\ta\t5\nu\t\t5\nu\ta\t\nu\ta\t-5\nu\ta\t1506826800026\nu\ta\tsoon\nu\ta\t5\n",
           {.columns = "time=time:s"});
  EXPECT_EQ(log.clicks.clicks(), 1);
  std::string said;
  for (const std::string& line : skips.report()) said += line + "\n";
  for (const char* cause :
       {"1 row skipped: the user is missing (first: ", "1 row skipped: the article is missing (first: ",
        "2 rows skipped: the time is missing or not a time (first: ", "1 row skipped: the time is before 1970 (first: ",
        "1 row skipped: the time is in 2100 or later (first: "})
    EXPECT_NE(said.find(cause), std::string::npos) << cause << " in " << said;
  EXPECT_NE(said.find("clicks:2)"), std::string::npos);
}

TEST_F(ClickTextTest, LogWithoutAnyUsableRowIsAnError) {
  EXPECT_ND_ERROR(read("user\tarticle\ttime\n"), "clicks: has no row that can be used (only a header)");
  EXPECT_ND_ERROR(read("user\tarticle\ttime\nu\ta\tsoon\n"),
                  "has no row that can be used (1 row skipped: the time is missing");
  EXPECT_ND_ERROR(read("a\tb\n1\t2\n"),
                  "clicks:1: no column could be found for the user; say which, as in --columns user=1");
  EXPECT_ND_ERROR(read("user\tb\n1\t2\n"), "found for the article; say which");
  EXPECT_ND_ERROR(read("user\tarticle\n1\t2\n"),
                  "found for the time; say which, as in --columns user=1,article=2,time=3:s (the "
                  "first line has user, article)");
}

TEST_F(ClickTextTest, ArticleListsTellOfArticlesClickedOrNot) {
  const ClickLog log = read("user\tarticle\ttime\nu\tb\t5\nu\tc\t6\n", {},
                            "a\tnews\tOne\tText of one.\nb\tsports\tTwo\tText of two.\nb\tsports\tAgain\t\n",
                            "article=1,category=2,title=3,body=4");
  EXPECT_EQ(columns, "article=1,title=3,body=4,category=2\nuser=user,article=article,time=time:s\n");
  EXPECT_EQ(log.corpus.size(), 3);
  EXPECT_EQ(log.corpus.id[2], "c");
  EXPECT_EQ(log.corpus.title[1], "Two");
  EXPECT_EQ(log.without_text, 1);
  EXPECT_EQ(log.clicks.article.values[0], 1);
  EXPECT_EQ(skips.report().at(0), "1 row skipped: the article came before (first: " + folder.path() + "/articles:3)");
}

TEST_F(ClickTextTest, ArticleListsMayBeGuessedAndTellTheTimeOfPublication) {
  const ClickLog log =
      read("user\tarticle\ttime\nu\tb\t5\n", {}, "contentId,title,text,published\nb,T,\"x, y\",2016-06-08\na,S,,\n");
  EXPECT_EQ(log.corpus.body[0], "x, y");
  EXPECT_EQ(log.corpus.published[0], 1465344000);
  EXPECT_EQ(log.corpus.published[1], -1);
  EXPECT_ND_ERROR(read("user\tarticle\ttime\nu\tb\t5\n", {}, "x,title\n1,T\n"),
                  "articles:1: no column could be found for the article; say which, as in --article-columns");
}

}  // namespace
}  // namespace nd
