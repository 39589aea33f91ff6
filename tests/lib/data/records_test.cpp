// The same rows in every form, and rows no form allows.
#include "lib/data/records.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using Rows = std::vector<std::vector<std::string>>;
using Names = std::vector<std::string>;

class Records : public testing::Test {
 protected:
  Rows read(std::string_view text, const Names& fields, std::string_view format = "auto") {
    put(folder / "rows", text);
    RecordReader reader(folder / "rows", format);
    reader.choose(fields);
    Rows rows;
    lines.clear();
    while (reader.next(skips)) {
      rows.emplace_back();
      lines.push_back(reader.row());
      for (size_t f = 0; f < fields.size(); ++f) rows.back().emplace_back(reader[f]);
    }
    return rows;
  }
  std::string reports() const {
    std::string out;
    for (const std::string& line : skips.report()) out += line + "\n";
    return out;
  }
  TemporaryFolder folder;
  Skips skips{1000};
  std::vector<int64_t> lines;  // row of each record
};

TEST_F(Records, AreTheSameInEveryForm) {
  const Rows want = {{"u1", "", "5"}, {"Åse", "", "7"}};
  EXPECT_EQ(read("user\tx\tn\nu1\t-\t5\nÅse\t-\t7\n", {"user", "", "n"}), want);
  EXPECT_EQ(read("user,x,n\r\nu1,-,5\r\nÅse,-,7", {"user", "", "n"}), want);
  EXPECT_EQ(read("{\"user\":\"u1\",\"n\":5}\n{\"n\":7,\"user\":\"Åse\",\"more\":[1]}\n", {"user", "", "n"}), want);
  EXPECT_EQ(read("u1\t-\t5\nÅse\t-\t7\n", {"1", "", "3"}), want);
  EXPECT_EQ(skips.total(), 0);
}

TEST_F(Records, CsvUndoesQuotesThatGoOverLines) {
  EXPECT_EQ(read("id,text\n1,\"a, \"\"b\"\"\"\n2,\"x\n\ny\"\n3,\"\"\n4,plain \"word\"\n", {"id", "text"}),
            (Rows{{"1", "a, \"b\""}, {"2", "x\n\ny"}, {"3", ""}, {"4", "plain \"word\""}}));
  EXPECT_EQ(lines, (std::vector<int64_t>{2, 3, 6, 7}));
  EXPECT_EQ(read("\"i\nd\",text\n1,2\n", {"1", "2"}), (Rows{{"i\nd", "text"}, {"1", "2"}}));
}

TEST_F(Records, TsvLeavesQuotesAlone) {
  EXPECT_EQ(read("id\ttext\n1\t\"a\n2\ta,b\"\n", {"id", "text"}), (Rows{{"1", "\"a"}, {"2", "a,b\""}}));
}

TEST_F(Records, JsonMembersMayBeNestedMissingOrNumbers) {
  EXPECT_EQ(read("{\"a\":{\"b\":{\"c\":\"deep\"}},\"d\":true,\"t\":1.5e3}\n\n{\"a\":{\"b\":3},\"d\":null,\"t\":-0.25}\n"
                 "{\"a\":{\"b\":{\"c\":9223372036854775807}}}\n",
                 {"a.b.c", "d", "t"}),
            (Rows{{"deep", "true", "1500"}, {"", "", "-0.25"}, {"9223372036854775807", "", ""}}));
}

TEST_F(Records, NamesAreThoseOfTheFirstRowThatCanBeFields) {
  put(folder / "rows", R"({"user":{"id":1,"tags":["x"],"home":{"city":null}},"ok":true,"list":[],"none":{}})");
  EXPECT_EQ(RecordReader(folder / "rows").names(), (Names{"user.id", "user.home.city", "ok"}));
  put(folder / "rows", "a,\"b,c\"\n1,2\n");
  EXPECT_EQ(RecordReader(folder / "rows").names(), (Names{"a", "b,c"}));
  put(folder / "rows", "{\"a\":\n");
  EXPECT_TRUE(RecordReader(folder / "rows").names().empty());
}

// Each of many members would repeat the long name it stands under.
TEST_F(Records, NamesTakeNoMoreThanTheirLine) {
  std::string members;
  for (int i = 0; i < 5000; ++i) members += (i ? ",\"m" : "\"m") + std::to_string(i) + "\":1";
  put(folder / "rows", "{\"" + std::string(5000, 'n') + "\":{" + members + "},\"short\":{" + members + "}}\n");
  const RecordReader reader(folder / "rows");
  EXPECT_EQ(reader.names().size(), 1000u);
  EXPECT_EQ(reader.names()[0], "short.m0");
}

TEST_F(Records, RowsThatCannotBeUsedAreCountedByCause) {
  EXPECT_EQ(read("a\tb\n1\t2\n1\n1\t2\t3\n\n\xff\t2\n3\t4\n", {"a", "b"}), (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(reports(),
            "2 rows skipped: the row has another number of columns than the first line (first: " + folder.path() +
                "/rows:3)\n1 row skipped: the text is not UTF-8 (first: " + folder.path() + "/rows:6)\n");
}

TEST_F(Records, JsonRowsThatCannotBeUsedAreCountedByCause) {
  EXPECT_EQ(
      read("{\"a\":1}\n[1]\n{\"a\":\n{\"a\":[1]}\n{\"a\":18446744073709551615}\n{\"a\":\"\xff\"}\n{\"a\":2}\n", {"a"}),
      (Rows{{"1"}, {"2"}}));
  const std::string said = reports();
  for (const char* cause : {"1 row skipped: the line is no JSON object", "2 rows skipped: the line is not JSON",
                            "a member that was asked for is a list or an object", "too large to be kept exactly"})
    EXPECT_NE(said.find(cause), std::string::npos) << cause << " in " << said;
}

TEST_F(Records, BrokenQuotesAreCountedAndDoNotEatTheFile) {
  EXPECT_EQ(read("a,b\n\"x\"y,2\n1,2\n", {"a", "b"}), (Rows{{"1", "2"}}));
  EXPECT_EQ(read("a,b\n1,2\n\"x,2\n", {"a", "b"}), (Rows{{"1", "2"}}));
  EXPECT_NE(reports().find("a quote is not closed before the end of the file"), std::string::npos);
  std::string endless = "a,b\n1,\"x\n";
  for (int i = 0; i < 20; ++i) endless += std::string(1 << 20, 'x') + "\n";
  EXPECT_ND_ERROR(read(endless, {"a", "b"}), "rows:2: a quote is not closed within 16 MiB");
}

TEST_F(Records, ColumnsThatAreNotThereAreErrors) {
  EXPECT_ND_ERROR(read("a\tb\n1\t2\n", {"c"}), "rows:1: has no column c, only a, b");
  EXPECT_ND_ERROR(read("a\ta\n1\t2\n", {"a"}), "rows:1: has two columns a");
  EXPECT_ND_ERROR(read("a\tb\n1\t2\n", {"3"}), "rows:1: has no column 3, only 2");
  EXPECT_ND_ERROR(read("a\tb\n1\t2\n", {"0"}), "rows:1: has no column 0, only 2");
  EXPECT_ND_ERROR(read("a\tb\n1\t2\n", {"99999999999999999999"}), "rows:1: has no column 99999999999999999999, only 2");
  EXPECT_THROW(read("a\tb\n1\t2\n", {"1", "b"}), UsageError);
  EXPECT_ND_ERROR(read("", {"a"}), "rows: is empty");
  EXPECT_ND_ERROR(read("\xff\xfe\n", {"a"}), "rows:1: the text is not UTF-8");
}

TEST_F(Records, FormatCanBeForced) {
  EXPECT_EQ(read("a,b\tc\n1,2\t3\n", {"b\tc"}, "csv"), (Rows{{"2\t3"}}));
  EXPECT_EQ(read("a,b\n1,2\n", {"a,b"}, "tsv"), (Rows{{"1,2"}}));
  EXPECT_EQ(read("x\n{\"a\":1}\n", {"a"}, "json"), (Rows{{"1"}}));
}

}  // namespace
}  // namespace nd
