// Logs with bytes changed, cut out and put in: whatever comes, it is read or refused with one line, and what is read
// obeys the rules of its kind. Sanitizers see the rest.
#include <gtest/gtest.h>

#include <functional>

#include "lib/data/adressa.h"
#include "lib/data/click_text.h"
#include "lib/tensor/random.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

// One to four accidents at random places; bytes that mean something to a reader come more often.
std::string damaged(std::string text, RandomSequence& random) {
  static constexpr std::string_view kBytes("\t\n\r,\"\\{}[]:=-.0193e \0\x7f\x80\xc3\xff", 28);
  for (uint64_t accidents = 1 + random.below(4); accidents > 0 && !text.empty(); --accidents) {
    const size_t at = random.below(text.size());
    switch (random.below(4)) {
      case 0:
        text[at] = kBytes[random.below(kBytes.size())];
        break;
      case 1:
        text.insert(at, 1, kBytes[random.below(kBytes.size())]);
        break;
      case 2:
        text.erase(at, 1 + random.below(9));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

// Reads many damaged versions of `text`; how many of them gave a log.
int64_t survivors(std::string_view text, const std::function<ClickLog(const std::string& path)>& read) {
  TemporaryFolder folder;
  RandomSequence random(1, "damage");
  int64_t read_well = 0;
  for (int round = 0; round < 1500; ++round) {
    put(folder / "log", damaged(std::string(text), random));
    try {
      const ClickLog log = read(folder / "log");
      EXPECT_EQ(log.clicks.problem(), "");
      EXPECT_EQ(log.corpus.problem(), "");
      ++read_well;
    } catch (const Error& e) {
      EXPECT_EQ(std::string_view(e.what()).find('\n'), std::string_view::npos) << e.what();
    }
  }
  return read_well;
}

ClickLog read_text(const std::string& path) {
  Skips skips(-1);
  ClickText text({.where = {"event=VIEW"}}, [](const std::string&, const std::string&) {});
  text.read_clicks(path, skips);
  return take_log(text.articles, text.clicks, Repeats::first, false);
}

TEST(DamagedLogs, AreReadOrRefused) {
  const std::string rows =
      "user\tevent\tarticle\ttime\ttitle\nu1\tVIEW\ta\t1506826800\tOne, two\nu2\tVIEW\tb\t1506826801\tSnø\n"
      "u1\tVIEW\tb\t1506826700\t\"quoted\"\n";
  std::string csv = rows, json;
  for (char& c : csv) c = c == ',' ? ';' : c == '\t' ? ',' : c;
  for (const char* user : {"u1", "u2", "u3"})
    json += std::string("{\"user\":\"") + user +
            "\",\"event\":\"VIEW\",\"article\":{\"id\":\"a\"},\"item\":7,\"ts\":\"2016-06-08T19:10:32.5+02:00\","
            "\"body\":\"Sn\\u00f8\"}\n";
  for (const std::string& text : {rows, csv, json}) {
    const int64_t read_well = survivors(text, read_text);
    EXPECT_GT(read_well, 300);
    EXPECT_LT(read_well, 1400);
  }
}

TEST(DamagedLogs, OfAdressaToo) {
  std::string text;
  for (const char* user : {"cx:1", "cx:2", "cx:1"})
    text += std::string("{\"eventId\":1,\"userId\":\"") + user +
            "\",\"id\":\"a1\",\"title\":\"Sn\\u00f8 i "
            "\\u00c5re\",\"category1\":\"sport|ski\",\"time\":1483225227,\"sessionStart\":true,"
            "\"publishtime\":\"2016-12-31T23:00:00.000Z\",\"profile\":[{\"item\":\"are\",\"groups\":[{\"group\":"
            "\"location\","
            "\"weight\":0.4,\"count\":2}]}]}\n";
  const int64_t read_well = survivors(text, [](const std::string& path) {
    Skips skips(-1);
    AdressaReader reader;
    reader.read(path, skips);
    return take_log(reader.articles, reader.clicks, Repeats::keep, false);
  });
  EXPECT_GT(read_well, 300);
  EXPECT_LT(read_well, 1500);
}

}  // namespace
}  // namespace nd
