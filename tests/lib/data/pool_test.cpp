#include "lib/data/pool.h"

#include <gtest/gtest.h>

#include "tests/lib/data/small_log.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

Corpus three_articles() {
  Corpus c;
  StringsBuilder ids;
  for (const char* id : {"N1", "N2", "N3"}) ids.push(id);
  c.id = ids.take();
  return c;
}

File<Behavior> file_of(const std::vector<test::Impression>& impressions) {
  return {test::behavior_of(9, impressions), {}, "log.nd"};
}

std::vector<std::string> ids(const UserHistories& users) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < users.id.size(); ++i) out.emplace_back(users.id[i]);
  return out;
}

std::vector<int32_t> row(const Ragged<int32_t>& rows, int64_t i) { return {rows[i].begin(), rows[i].end()}; }

TEST(Pool, IsTheWholeCorpusOrTheIdsOfAFileInTheirOrder) {
  const TemporaryFolder folder;
  const Corpus corpus = three_articles();
  EXPECT_EQ(whole_pool(corpus), (std::vector<int32_t>{0, 1, 2}));
  const std::string file = folder / "pool.txt";
  put(file, "N3\n\nN1\r\n");
  EXPECT_EQ(read_pool(file, corpus), (std::vector<int32_t>{2, 0}));
}

TEST(Pool, NamesTheRowOfWhatIsWrong) {
  const TemporaryFolder folder;
  const Corpus corpus = three_articles();
  const std::string file = folder / "pool.txt";
  const auto read = [&](const std::string& text) {
    put(file, text);
    read_pool(file, corpus);
  };
  EXPECT_ND_ERROR(read("N1\nN7\n"), "pool.txt:2: article N7 is not in the corpus");
  EXPECT_ND_ERROR(read("N1\nN2\nN1\n"), "pool.txt:3: article N1 comes twice");
  EXPECT_ND_ERROR(read("\n\n"), "pool.txt: holds no article id");
  EXPECT_ND_ERROR(read(""), "pool.txt: ");
}

TEST(LatestHistories, AreThoseOfTheLatestImpressionWhereverItStands) {
  const File<Behavior> log = file_of({{"1", "a", 30, {1, 2}, {{3, 1}}},
                                      {"2", "b", 10, {4}, {{3, 0}}},
                                      {"3", "a", 20, {1}, {{2, 1}}},
                                      {"4", "c", -1, {5}, {}},
                                      {"5", "c", -1, {6}, {}}});
  const UserHistories users = latest_histories(log, {});
  EXPECT_EQ(ids(users), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(row(users.history, 0), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(row(users.history, 1), (std::vector<int32_t>{4}));
  EXPECT_EQ(row(users.history, 2), (std::vector<int32_t>{6}));  // without times the last one
}

TEST(LatestHistories, OfNamedUsersComeInTheOrderAskedFor) {
  const File<Behavior> log = file_of({{"1", "a", 1, {1}, {}}, {"2", "b", 2, {}, {}}});
  EXPECT_EQ(ids(latest_histories(log, {"b", "a"})), (std::vector<std::string>{"b", "a"}));
  const std::vector<std::string> unknown = {"a", "x"};
  EXPECT_ND_ERROR(latest_histories(log, unknown), "log.nd: user x has no impression");
}

}  // namespace
}  // namespace nd
