#include "lib/data/mind.h"

#include <gtest/gtest.h>

#include "lib/io/json.h"
#include "lib/tensor/random.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using Texts = std::vector<std::string>;

// A new file each time: writing over an old one waits for the disk.
void put_new(const std::string& path, std::string_view text) {
  std::filesystem::remove(path);
  put(path, text);
}

Texts texts(const Strings& column) {
  Texts out;
  for (int64_t i = 0; i < column.size(); ++i) out.emplace_back(column[i]);
  return out;
}
template <class T>
std::vector<T> row(const Ragged<T>& column, int64_t i) {
  return {column[i].begin(), column[i].end()};
}
template <class T>
std::vector<T> all(const Array<T>& column) {
  return {column.begin(), column.end()};
}

std::string entity(const std::string& id, const std::string& offsets, const std::string& confidence = "1.0",
                   const std::string& type = "P") {
  return R"({"Label": "Label of )" + id + R"(", "Type": ")" + type + R"(", "WikidataId": ")" + id +
         R"(", "Confidence": )" + confidence + R"(, "OccurrenceOffsets": )" + offsets + R"(, "SurfaceForms": ["x"]})";
}

struct News : testing::Test {
  Corpus read(const Texts& files, int64_t max_skip = 1000) {
    skips = Skips(max_skip);
    counts = {};
    Texts paths;
    for (const std::string& text : files) {
      paths.push_back(folder / ("news" + std::to_string(paths.size()) + ".tsv"));
      put_new(paths.back(), text);
    }
    Corpus corpus = read_mind_news(paths, skips, counts);
    EXPECT_EQ(corpus.problem(), "");
    return corpus;
  }
  std::string cause() const { return skips.report().empty() ? "" : skips.report().front(); }

  TemporaryFolder folder;
  Skips skips{1000};
  MindNewsCounts counts;
};

TEST_F(News, HasEightColumnsAndOneLinkPerEntityAndField) {
  const Corpus c = read({"N1\tsports\tgolf\tTitle\tAbstract\thttp://x\t[" + entity("Q1", "[3, 7]", "0.95") + ", " +
                         entity("Q2", "[]", "1", "G") + "]\t[" + entity("Q1", "[12]") + "]\n" +
                         "N2\tnews\tgolf\tOther\t\t\t\t[]\n"});
  EXPECT_EQ(texts(c.id), (Texts{"N1", "N2"}));
  EXPECT_EQ(texts(c.title), (Texts{"Title", "Other"}));
  EXPECT_EQ(texts(c.abstract), (Texts{"Abstract", ""}));
  EXPECT_EQ(texts(c.url), (Texts{"http://x", ""}));
  EXPECT_EQ(texts(c.category_name), (Texts{"sports", "news"}));
  EXPECT_EQ(all(c.category), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(texts(c.subcategory_name), (Texts{"golf"}));
  EXPECT_EQ(all(c.published), (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(texts(c.entity_id), (Texts{"Q1", "Q2"}));
  EXPECT_EQ(texts(c.entity_label), (Texts{"Label of Q1", "Label of Q2"}));
  EXPECT_EQ(texts(c.type_name), (Texts{"P", "G"}));
  EXPECT_EQ(row(c.link_entity, 0), (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(row(c.link_entity, 1), (std::vector<int32_t>{}));
  EXPECT_EQ(all(c.link_type), (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(all(c.link_position), (std::vector<uint8_t>{0, 0, 1}));
  EXPECT_EQ(all(c.link_frequency), (std::vector<int32_t>{2, 1, 1}));  // an empty list of offsets counts once
  EXPECT_EQ(all(c.link_first), (std::vector<int32_t>{3, -1, 12}));
  EXPECT_EQ(all(c.link_confidence), (std::vector<float>{0.95f, 1, 1}));
  EXPECT_EQ(counts.without_entities, 1);
  EXPECT_EQ(skips.total(), 0);
}

TEST_F(News, MakesOneLinkOfAnEntityThatAListNamesTwice) {
  const Corpus c = read({"N1\t\t\tT\t\t\t[" + entity("Q1", "[9]", "0.5") + "," + entity("Q2", "[1]") + "," +
                         entity("Q1", "[4, 20]", "0.75") + "]\t[]\n"});
  EXPECT_EQ(row(c.link_entity, 0), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(c.link_frequency[0], 3);
  EXPECT_EQ(c.link_first[0], 4);
  EXPECT_EQ(c.link_confidence[0], 0.75f);
  EXPECT_EQ(all(c.category), (std::vector<int32_t>{-1}));
}

TEST_F(News, KeepsOffsetsInCodePointsAndTextAsItIs) {
  const Corpus c = read({"\xef\xbb\xbfN1\ta\tb\tK\xc3\xb8ln \xf0\x9f\x98\x80 ok\t\t\t[" + entity("Q1", "[7]") +
                         "]\t[]\r\nN2\ta\tb\tlast line without its end\t\t\t[]\t[]"});
  EXPECT_EQ(texts(c.id), (Texts{"N1", "N2"}));
  EXPECT_EQ(c.title[0], "K\xc3\xb8ln \xf0\x9f\x98\x80 ok");
  EXPECT_EQ(c.link_first[0], 7);
}

TEST_F(News, TakesQuotesLiterallyUnlessAnEntityListIsQuoted) {
  const std::string quoted = R"("[{""Label"": ""A"", ""WikidataId"": ""Q1"", ""Confidence"": 1}]")";
  const Corpus c =
      read({"N1\ta\tb\t\"Hellige steder\"\t\"\"\t\t[]\t[]\n"
            "N2\ta\tb\t\"He said \"\"no\"\"\"\tplain\t\t" +
            quoted + "\t[]\n" + "N3\ta\tb\t\"half\tx \"\" y\t\t[]\t" + quoted + "\n"});
  EXPECT_EQ(texts(c.title), (Texts{"\"Hellige steder\"", "He said \"no\"", "\"half"}));
  EXPECT_EQ(texts(c.abstract), (Texts{"\"\"", "plain", "x \"\" y"}));
  EXPECT_EQ(c.link_entity.values.size(), 2);
  EXPECT_EQ(texts(c.entity_label), (Texts{"A"}));
}

TEST_F(News, FollowsAHeaderByNameWhateverItsOrder) {
  const Corpus c =
      read({"Title\tset\tnews_id\ttitle_entities\tbody\n"
            "A title\ttrain\tN1\t[" +
            entity("Q1", "[0]") +
            "]\tA body\n"
            "Too short\ttrain\tN2\t[]\n"});
  EXPECT_EQ(texts(c.id), (Texts{"N1"}));
  EXPECT_EQ(texts(c.title), (Texts{"A title"}));
  EXPECT_EQ(texts(c.body), (Texts{"A body"}));
  EXPECT_EQ(c.link_entity.values.size(), 1);
  EXPECT_EQ(skips.total(), 1);
  EXPECT_ND_ERROR(read({"news_id\tcategory\nN1\ta\n"}), "the header has no column title");
  EXPECT_ND_ERROR(read({"news_id\ttitle\tTitle\nN1\ta\tb\n"}), "twice");
}

TEST_F(News, OfSeveralFilesIsTheirUnion) {
  const std::string a = "N1\ta\tb\tOne\t\t\t[]\t[]\n", b = "N2\ta\tb\tTwo\t\t\t[]\t[]\n",
                    other = "N1\ta\tb\tAnother one\t\t\t[]\t[]\n";
  const Corpus c = read({a + b, b + a + "N3\ta\tb\tThree\t\t\t[]\t[]\n"});
  EXPECT_EQ(texts(c.id), (Texts{"N1", "N2", "N3"}));
  EXPECT_EQ(counts.repeated, 2);
  EXPECT_EQ(skips.total(), 0);

  const Corpus d = read({a, b + other});
  EXPECT_EQ(texts(d.title), (Texts{"One", "Two"}));
  EXPECT_EQ(counts.repeated, 0);
  EXPECT_EQ(cause(),
            "1 row skipped: an article id came before with other content (first: " + (folder / "news1.tsv") + ":2)");
  EXPECT_ND_ERROR(read({a, b + other}, 0), "news1.tsv:2: an article id came before with other content");
}

TEST_F(News, SkipsWhatItCannotUseAndKeepsNothingOfIt) {
  const std::string good = "N9\ta\tb\tGood\t\t\t[]\t[]\n", start = "N1\tnew\tnew\tT\t\t\t";
  const struct {
    std::string line, cause;
  } cases[] = {
      {"N1\ta\tb\tT\t\t\t[]", "expected 8 tab-separated columns, found 7"},
      {"N1\ta\tb\tT\twith a\ttab\t\t[]\t[]", "expected 8 tab-separated columns, found more"},
      {"", "expected 8 tab-separated columns, found 1"},
      {"\ta\tb\tT\t\t\t[]\t[]", "an article id is empty or holds a blank"},
      {"N 1\ta\tb\tT\t\t\t[]\t[]", "an article id is empty or holds a blank"},
      {"N1\ta\tb\tT\xff\t\t\t[]\t[]", "the text is not UTF-8"},
      {start + "[" + entity("Q1", "[1]").substr(0, 30) + "\t[]", "entities: not JSON"},
      {start + "[" + entity("Q1", "[1]") + "]\t[{]", "entities: not JSON"},  // a good list before a bad one
      {start + "{}\t[]", "entities: expected a list"},
      {start + "[1]\t[]", "an entity has no WikidataId"},
      {start + "[" + entity("", "[1]") + "]\t[]", "an entity has no WikidataId"},
      {start + "[{\"WikidataId\": 5, \"Confidence\": 1}]\t[]", "an entity has no WikidataId"},
      {start + "[{\"WikidataId\": \"Q1\"}]\t[]", "no Confidence"},
      {start + "[" + entity("Q1", "[1]", "1.5") + "]\t[]", "no Confidence between 0 and 1"},
      {start + "[" + entity("Q1", "[-1]") + "]\t[]", "not an offset"},
      {start + "[" + entity("Q1", "[1.5]") + "]\t[]", "not an offset"},
      {start + "[" + entity("Q1", "[3000000000]") + "]\t[]", "not an offset"},
      {start + std::string(40, '[') + "\t[]", "entities: not"},
  };
  for (const auto& [line, expected] : cases) {
    const Corpus c = read({good + line + "\n"});
    EXPECT_EQ(texts(c.id), (Texts{"N9"})) << line;
    EXPECT_EQ(c.category_name.size() + c.entity_id.size(), 1) << line;
    EXPECT_EQ(skips.total(), 1) << line;
    EXPECT_NE(cause().find(expected), std::string::npos) << cause();
    EXPECT_NE(cause().find("news0.tsv:2)"), std::string::npos) << cause();
    EXPECT_ND_ERROR(read({good + line + "\n"}, 0), "news0.tsv:2: ");
  }
}

TEST_F(News, ThatGivesNoArticleIsAnError) {
  EXPECT_ND_ERROR(read({""}), "is empty");
  EXPECT_ND_ERROR(read({"no\ttable\n"}), "has no row that can be used (1 row skipped: expected 8");
  EXPECT_ND_ERROR(read({"news_id\ttitle\n"}), "has no row that can be used");
  MindNewsCounts none;
  const Texts directory{folder.path()};
  EXPECT_ND_ERROR(read_mind_news(directory, skips, none), "is a directory");
}

struct Behaviors : testing::Test {
  Behavior read(const std::string& text, int64_t max_skip = 1000) {
    skips = Skips(max_skip);
    counts = {};
    StringsBuilder ids;
    for (const char* id : {"N0", "N1", "N2", "N3", "N4", "a-1", "1", "an-id-of-more-than-eight-bytes"}) ids.push(id);
    put_new(folder / "b.tsv", text);
    Behavior behavior = read_mind_behaviors(folder / "b.tsv", ids.take(), skips, counts);
    EXPECT_EQ(behavior.problem(), "");
    return behavior;
  }
  std::string cause() const { return skips.report().empty() ? "" : skips.report().front(); }

  TemporaryFolder folder;
  Skips skips{1000};
  MindBehaviorCounts counts;
};

TEST_F(Behaviors, KeepImpressionsHistoriesTimesAndLabels) {
  const Behavior b = read(
      "1\tU1\t11/9/2019 6:42:51 PM\tN1 N2 N1\tN3-1 N0-0\n"
      "2\tU2\t1/1/1970 12:00:00 AM\t\tN4-0\n"
      "demo-3\tU1\t11/09/2019 12:05:00 PM\tN1 N2 N1\tN2-0  N1-1 \r\n");
  EXPECT_EQ(texts(b.user_id), (Texts{"U1", "U2"}));
  EXPECT_EQ(all(b.user), (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(texts(b.impression_id), (Texts{"1", "2", "demo-3"}));
  EXPECT_EQ(all(b.time), (std::vector<int64_t>{1573324971, 0, 1573301100}));
  ASSERT_EQ(b.history.size(), 2);  // equal histories are stored once
  EXPECT_EQ(row(b.history, 0), (std::vector<int32_t>{1, 2, 1}));
  EXPECT_EQ(row(b.history, 1), (std::vector<int32_t>{}));
  EXPECT_EQ(all(b.impression_history), (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(row(b.candidate, 0), (std::vector<int32_t>{3, 0}));
  EXPECT_EQ(row(b.candidate, 2), (std::vector<int32_t>{2, 1}));
  EXPECT_EQ(all(b.label), (std::vector<uint8_t>{1, 0, 0, 0, 1}));
  EXPECT_EQ(b.corpus_size[0], 8);
  EXPECT_EQ(counts.empty_history, 1);
  EXPECT_EQ(counts.unlabelled, 0);
  EXPECT_EQ(skips.total(), 0);
}

TEST_F(Behaviors, MayBeUnlabelledAndWithoutTimes) {
  const Behavior b = read("1\tU1\t\tN1\tN3 N0 1 a-1 an-id-of-more-than-eight-bytes\n2\tU1\t\tN1\ta-1-0 1-1\n");
  EXPECT_EQ(all(b.label), (std::vector<uint8_t>{255, 255, 255, 255, 255, 0, 1}));
  EXPECT_EQ(row(b.candidate, 0), (std::vector<int32_t>{3, 0, 6, 5, 7}));
  EXPECT_EQ(row(b.candidate, 1), (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(all(b.time), (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(counts.unlabelled, 1);
  EXPECT_EQ(counts.without_time, 2);
}

TEST_F(Behaviors, ReadHistoriesLongerThanOneBatchOfLookUps) {
  std::string history;
  std::vector<int32_t> expected;
  for (int i = 0; i < 100; ++i) {
    history += "N" + std::to_string(i * i % 5) + " ";
    expected.push_back(i * i % 5);
  }
  EXPECT_EQ(row(read("1\tU\t\t" + history + "\tN1-1\n").history, 0), expected);
}

TEST_F(Behaviors, FollowAHeader) {
  const Behavior b = read(
      "user_id\timpression_id\ttime\thistory\timpressions\tset\n"
      "U\ti\t2019-11-09 18:42:51\tN1\tN0-1\ttrain\n");
  EXPECT_EQ(texts(b.user_id), (Texts{"U"}));
  EXPECT_EQ(b.time[0], 1573324971);
}

TEST_F(Behaviors, LeaveUnknownArticlesOutOfHistoriesAndCountTheRow) {
  const Behavior b = read("1\tU1\t\tN1 N77 N2 N78\tN3-1\n");
  EXPECT_EQ(row(b.history, 0), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(cause(), "1 row used in part: an unknown article in the history (first: " + (folder / "b.tsv") + ":1)");
  EXPECT_ND_ERROR(read("1\tU1\t\tN77\tN3-1\n", 0), "b.tsv:1: an unknown article in the history");
}

TEST_F(Behaviors, SkipRowsThatCannotBeUsed) {
  const std::string good = "1\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1\n";
  const struct {
    std::string line, cause;
  } cases[] = {
      {"2\tU\t1/2/2019 1:00:00 AM\tN1", "expected 5 tab-separated columns, found 4"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1\t", "expected 5 tab-separated columns, found more"},
      {"\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1", "the impression id is empty"},
      {"2\t\t1/2/2019 1:00:00 AM\tN1\tN0-1", "the user id is empty"},
      {"2\tU\xc3\t1/2/2019 1:00:00 AM\tN1\tN0-1", "the text is not UTF-8"},
      {"2\tU\t2/30/2019 1:00:00 AM\tN1\tN0-1", "the time does not exist"},
      {"2\tU\tyesterday\tN1\tN0-1", "the time does not exist"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\t", "no article was shown"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1 N77-0", "an unknown article was shown"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1 N2-2", "a label is neither 0 nor 1"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\tN0-", "a label is neither 0 nor 1"},
      {"2\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1 N2", "some articles shown have a label and some have none"},
      {"1\tU\t1/2/2019 1:00:00 AM\tN1\tN0-1", "the impression id came before"},
  };
  for (const auto& [line, expected] : cases) {
    const Behavior b = read(good + line + "\n");
    EXPECT_EQ(b.size(), 1) << line;
    EXPECT_EQ(b.user_id.size(), 1) << line;
    EXPECT_EQ(b.label.size(), 1) << line;
    EXPECT_NE(cause().find(expected), std::string::npos) << cause();
    EXPECT_ND_ERROR(read(good + line + "\n", 0), "b.tsv:2: ");
  }
}

TEST_F(Behaviors, OfWhichNoRowCanBeUsedAreAnError) {
  EXPECT_ND_ERROR(read(""), "is empty");
  EXPECT_ND_ERROR(read("1\tU\t\t\tN77-1\n"),
                  "has no row that can be used (1 row skipped: an unknown article was shown");
}

// Bytes turned, cut, doubled and dropped: whatever comes in, what comes out is sound or an Error.
TEST(MindText, OfAnyBytesNeverBreaksTheReaders) {
  TemporaryFolder folder;
  const std::string path = folder / "x.tsv";
  const std::string news =
      "N1\tsports\tgolf\tTitle \xc3\xb8\tAbstract\thttp://x\t[" + entity("Q1", "[3, 7]", "0.95") +
      "]\t\"[{\"\"Label\"\": \"\"A\"\", \"\"WikidataId\"\": \"\"Q1\"\", \"\"Confidence\"\": 1}]\"\n"
      "N2\tnews\tgolf\tOther\t\t\t[]\t[]\r\n";
  const std::string behaviors = "1\tU1\t11/9/2019 6:42:51 PM\tN1 N2 N1\tN1-1 N2-0\n2\tU2\t\t\tN2\n";
  StringsBuilder ids;
  ids.push("N1");
  ids.push("N2");
  const Strings known = ids.take();
  RandomSequence random(1, "mutations");
  int sound = 0;
  for (int i = 0; i < 4000; ++i) {
    const bool of_news = i % 2;
    std::string text = of_news ? news : behaviors;
    for (uint64_t k = random.below(4); k-- > 0 && !text.empty();) {
      const size_t at = random.below(text.size()), length = random.below(12);
      switch (random.below(4)) {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(random.below(text.size()), length));
          break;
        case 3:
          text.resize(at);
          break;
      }
    }
    put_new(path, text);
    Skips skips(random.below(3) ? 1000 : 0);
    try {
      if (of_news) {
        MindNewsCounts counts;
        const Corpus c = read_mind_news({&path, 1}, skips, counts);
        ASSERT_EQ(c.problem(), "") << text;
        for (const Strings& s : {c.id, c.title, c.abstract, c.category_name, c.entity_id, c.entity_label, c.type_name})
          for (const std::string& t : texts(s)) ASSERT_TRUE(json::is_utf8(t)) << text;
      } else {
        MindBehaviorCounts counts;
        ASSERT_EQ(read_mind_behaviors(path, known, skips, counts).problem(), "") << text;
      }
      ++sound;
    } catch (const Error& e) {
      EXPECT_EQ(std::string_view(e.what()).find('\n'), std::string_view::npos) << e.what();
    }
  }
  EXPECT_GT(sound, 1000);  // else the mutations test nothing
}

}  // namespace
}  // namespace nd
