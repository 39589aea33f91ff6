// Lines as the descriptions of the data set have them. The real files were never seen.
#include "lib/data/adressa.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "lib/data/article_lists.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

constexpr const char* kView =
    R"({"eventId":1061078430,"city":"trondheim","activeTime":18,"url":"http://adressa.no/a.ece?x=1","time":1483225227,)"
    R"("userId":"cx:1","sessionStart":true,"sessionStop":false,"id":"a1","title":"Snø i Åre: Rosenborg \"vant\"",)"
    R"("category1":"sport|fotball|rosenborg","canonicalUrl":"http://adressa.no/a.ece","publishtime":"2016-12-31T23:00:00.000Z",)"
    R"("profile":[{"item":"rosenborg","groups":[{"group":"taxonomy","weight":0.99,"count":1},)"
    R"({"group":"entity","weight":0.4,"count":2},{"group":"company","weight":0.75,"count":4}]},)"
    R"({"item":"sport","groups":[{"group":"category","weight":1.0,"count":1}]},)"
    R"({"item":"Kari Nordmann","groups":[{"group":"person","weight":7.5,"count":0}]},{"item":5},{"groups":[]}]})";

class Adressa : public testing::Test {
 protected:
  void read(const std::string& text) {
    put(folder / "20170101", text);
    reader.read(folder / "20170101", skips);
  }
  // A line of these members, with a comma where it is needed.
  static std::string line(std::initializer_list<const char*> members) {
    std::string out = "{";
    for (const char* m : members) out += (out.size() > 1 ? "," : "") + std::string(m);
    return out + "}\n";
  }
  ClickLog log() { return take_log(reader.articles, reader.clicks, Repeats::keep, false); }

  TemporaryFolder folder;
  Skips skips{100};
  AdressaReader reader;
};

constexpr const char* kArticle = R"("id":"a","title":"A","category1":"nyheter")";

TEST_F(Adressa, ViewOfAnArticleIsAClick) {
  read(kView);
  const ClickLog l = log();
  EXPECT_EQ(l.corpus.problem() + l.clicks.problem(), "");
  EXPECT_EQ(l.clicks.user_id[0], "cx:1");
  EXPECT_EQ(l.clicks.time[0], 1483225227);
  EXPECT_EQ(l.corpus.id[0], "a1");
  EXPECT_EQ(l.corpus.title[0], "Snø i Åre: Rosenborg \"vant\"");
  EXPECT_EQ(l.corpus.url[0], "http://adressa.no/a.ece");
  EXPECT_EQ(l.corpus.published[0], 1483225200);
  EXPECT_EQ(l.corpus.category_name[0], "sport");
  EXPECT_EQ(l.corpus.subcategory_name[0], "rosenborg");
}

TEST_F(Adressa, EntitiesOfTheProfileAreLinks) {
  read(kView);
  const Corpus c = log().corpus;
  ASSERT_EQ(c.link_entity[0].size(), 2u);
  EXPECT_EQ(c.entity_id[0], "rosenborg");
  EXPECT_EQ(c.type_name[c.link_type[0]], "company");
  EXPECT_EQ(c.link_confidence[0], 0.75f);
  EXPECT_EQ(c.link_frequency[0], 4);
  EXPECT_EQ(c.link_position[0], 0);  // in the title, in code points and whatever its case
  EXPECT_EQ(c.link_first[0], 11);
  EXPECT_EQ(c.entity_id[1], "Kari Nordmann");
  EXPECT_EQ(c.link_confidence[1], 1);
  EXPECT_EQ(c.link_frequency[1], 1);
  EXPECT_EQ(c.link_position[1], 1);
  EXPECT_EQ(c.link_first[1], -1);
}

TEST_F(Adressa, LinesWithoutAnArticleAreCountedNotSkipped) {
  std::string text = kView + std::string("\n");
  for (int i = 0; i < 500; ++i) text += line({R"("userId":"cx:2","url":"http://adressa.no/","time":1483225300)"});
  text += line({R"("userId":"cx:2","id":"a2","title":"No category","time":1483225300)"});
  text += line({R"("userId":"cx:2","id":null,"title":"x","category1":"x","time":1483225300)"});
  text += line({kArticle, R"("time":1483225300)"});
  read(text);
  EXPECT_EQ(reader.counts.lines, 504);
  EXPECT_EQ(reader.counts.no_article, 502);
  EXPECT_EQ(reader.counts.no_user, 1);
  EXPECT_EQ(skips.total(), 0);
  EXPECT_EQ(log().clicks.clicks(), 1);
}

TEST_F(Adressa, SessionsBeginWhereALineSaysSo) {
  const char* user = R"("userId":"u")";
  read(line({user, kArticle, R"("time":1)"}) +                      // first line of the user
       line({user, R"("time":2,"sessionStart":true,"url":"/")"}) +  // on the front page
       line({R"("userId":"v","time":2)", kArticle}) + line({user, kArticle, R"("time":3)"}) +
       line({user, kArticle, R"("time":4,"sessionStart":false)"}) +
       line({user, kArticle, R"("time":5,"sessionStart":true)"}));
  const ClickLog l = log();
  const auto& session = l.clicks.session;
  EXPECT_EQ((std::vector<int32_t>(session.begin(), session.end())), (std::vector<int32_t>{0, 1, 1, 3, 2}));
}

TEST_F(Adressa, BadLinesAreSkippedByCause) {
  read(std::string("{\"userId\":\n[1]\n\n") + line({kArticle, R"("userId":"u")"}) +
       line({kArticle, R"("userId":"u","time":"1483225227")"}) + line({kArticle, R"("userId":"u","time":-1)"}) +
       line({kArticle, R"("userId":"u","time":1483225227000)"}) + "{\"id\":\"\xff\"}\n" + kView);
  std::string said;
  for (const std::string& l : skips.report()) said += l + "\n";
  for (const char* cause :
       {"2 rows skipped: the line is no JSON object (first: ", "/20170101:1)", "1 row skipped: the text is not UTF-8",
        "2 rows skipped: the time is missing or no whole number", "1 row skipped: the time is before 1970",
        "1 row skipped: the time is in 2100 or later"})
    EXPECT_NE(said.find(cause), std::string::npos) << cause << " in " << said;
  EXPECT_EQ(log().clicks.clicks(), 1);
}

TEST_F(Adressa, FactsComeFromTheFirstViewThatHasThem) {
  read(line({kArticle, R"("userId":"u","time":1)"}) +
       line({R"("id":"a","title":"Other","category1":"sport","userId":"u","time":2)",
             R"("profile":[{"item":"Oslo","groups":[{"group":"location","weight":0.5,"count":1}]}])"}) +
       line({kArticle, R"("userId":"u","time":3)",
             R"("profile":[{"item":"Bergen","groups":[{"group":"location","weight":0.5,"count":1}]}])"}));
  const Corpus c = log().corpus;
  EXPECT_EQ(c.title[0], "A");
  EXPECT_EQ(c.entity_id.size(), 1);
  EXPECT_EQ(c.entity_id[0], "Oslo");
}

TEST_F(Adressa, WhatAListTellsStandsAndIsCompleted) {
  put(folder / "articles", "article,title,body\nb,Unread,x\na,,Body of a.\n");
  ArticleLists("", [](const std::string&, const std::string&) {}).read(folder / "articles", reader.articles, skips);
  read(line({kArticle, R"("userId":"u","time":1)"}));
  const ClickLog l = log();
  EXPECT_EQ(l.corpus.size(), 2);
  EXPECT_EQ(l.clicks.article.values[0], 1);
  EXPECT_EQ(l.corpus.title[1], "A");
  EXPECT_EQ(l.corpus.body[1], "Body of a.");
  EXPECT_EQ(l.corpus.category_name[l.corpus.category[1]], "nyheter");
}

TEST_F(Adressa, OddProfilesGiveNoLinks) {
  for (const char* profile :
       {R"("profile":7)", R"("profile":[7,null,"x"])", R"("profile":{"item":"x"})",
        R"("profile":[{"item":"x","groups":"person"}])", R"("profile":[{"item":"","groups":[{"group":"person"}]}])",
        R"("profile":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]])"})
    read(line({kArticle, R"("userId":"u","time":1)", profile}));
  EXPECT_EQ(skips.total(), 0);
  EXPECT_EQ(log().corpus.entity_id.size(), 0);
}

TEST_F(Adressa, FilesWithoutLinesAreErrors) {
  EXPECT_ND_ERROR(read(""), "/20170101: is empty, expected one JSON object a line");
  EXPECT_ND_ERROR(read("null\ntext\n"), "/20170101: has no line that is a JSON object");
}

TEST_F(Adressa, FoldersAreReadByName) {
  const std::string week = folder / "week";
  std::filesystem::create_directory(week);
  EXPECT_ND_ERROR(day_files(std::vector<std::string>{week}), "/week: is a folder without files");
  for (const char* name : {"20170102", "20170101", ".hidden"}) put(week + "/" + name, name);
  std::filesystem::create_directory(week + "/inner");
  put(folder / "20160101", "12345");
  const std::vector<std::string> given = {folder / "20160101", week};
  const DayFiles files = day_files(given);
  EXPECT_EQ(files.paths, (std::vector<std::string>{folder / "20160101", week + "/20170101", week + "/20170102"}));
  EXPECT_EQ(files.bytes, 5u + 16u);
  EXPECT_EQ(day_files(std::vector<std::string>{week, "-"}).bytes, 0u);
}

}  // namespace
}  // namespace nd
