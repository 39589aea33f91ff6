#include "lib/data/click_columns.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

constexpr std::initializer_list<Role> kAll = {Role::user,  Role::article, Role::time,    Role::session,
                                              Role::title, Role::body,    Role::category};

std::string guessed(const std::vector<std::string>& names, std::string_view told = "") {
  ColumnMap map = parse_columns(told, kAll);
  guess_columns(names, kAll, map);
  return map.text();
}

TEST(ClickColumns, AreReadAsTheyAreWritten) {
  for (const char* text : {"user=u,article=a,time=t:ms", "user=1,article=3,time=4:iso,session=2", "user=u", "",
                           "user=a=b,time=at:s,title=head line"})
    EXPECT_EQ(parse_columns(text, kAll).text(), text);
  EXPECT_EQ(parse_columns("time=t,user=u", kAll).text(), "user=u,time=t");
}

TEST(ClickColumns, MistakesAreBadUsage) {
  for (const auto& [text, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"reader=u", "no column can be meant by 'reader=u', expected ROLE=NAME with a role of user, article, time"},
           {"user", "the column of the user has no name"},
           {"user=", "the column of the user has no name"},
           {"user=a,user=b", "the column of the user is given twice"},
           {"time=t:min", "no unit of time is called 'min', expected s, ms, us, ns or iso"},
           {"time=:s", "the column of the time has no name"},
           {"url=x", "no column can be meant by 'url=x'"},
           {",", "no column can be meant by ''"}}) {
    EXPECT_THROW(parse_columns(text, kAll), UsageError) << text;
    EXPECT_ND_ERROR(parse_columns(text, kAll), part);
  }
}

TEST(ClickColumns, AreGuessedFromTheNamesLogsUse) {
  EXPECT_EQ(guessed({"user", "session", "article", "time_ms"}),
            "user=user,article=article,time=time_ms:ms,session=session");
  EXPECT_EQ(guessed({"timestamp", "eventType", "contentId", "personId", "sessionId"}),
            "user=personId,article=contentId,time=timestamp,session=sessionId");
  EXPECT_EQ(guessed({"user_id", "session_id", "session_start", "click_article_id", "click_timestamp"}),
            "user=user_id,article=click_article_id,time=click_timestamp,session=session_id");
  EXPECT_EQ(guessed({"UID", "News-ID", "date", "Headline", "text", "cat"}),
            "user=UID,article=News-ID,time=date,title=Headline,body=text,category=cat");
  EXPECT_EQ(guessed({"user.id", "user.name", "article.id", "article.title", "ts"}),
            "user=user.id,article=article.id,time=ts");
  EXPECT_EQ(guessed({"a", "b", "c"}), "");
}

TEST(ClickColumns, WhatIsToldIsNotGuessed) {
  EXPECT_EQ(guessed({"user", "reader", "item", "ts_us"}, "user=reader"), "user=reader,article=item,time=ts_us:us");
  EXPECT_EQ(guessed({"user", "item", "time_s"}, "time=time_s:ms"), "user=user,article=item,time=time_s:ms");
  EXPECT_EQ(guessed({"user", "item", "at_ms"}, "time=at_ms"), "user=user,article=item,time=at_ms:ms");
  EXPECT_EQ(guessed({"text", "user", "id", "time"}, "title=text"), "user=user,article=id,time=time,title=text");
}

TEST(ClickColumns, UnitIsGuessedFromTheTime) {
  EXPECT_EQ(guess_unit("1465413032"), TimeUnit::seconds);
  EXPECT_EQ(guess_unit("1465413032.5"), TimeUnit::seconds);
  EXPECT_EQ(guess_unit("0"), TimeUnit::seconds);
  EXPECT_EQ(guess_unit("1506826800026"), TimeUnit::milliseconds);
  EXPECT_EQ(guess_unit("1506826800026000"), TimeUnit::microseconds);
  EXPECT_EQ(guess_unit("1506826800026000000"), TimeUnit::nanoseconds);
  EXPECT_EQ(guess_unit("2016-06-08T19:10:32Z"), TimeUnit::iso);
  for (const char* text : {"", "x", "12:30", "2016-06-08T"}) EXPECT_EQ(guess_unit(text), TimeUnit::unknown) << text;
}

TEST(ClickColumns, TimesAreReadInTheirUnit) {
  const auto read = [](std::string_view text, TimeUnit unit) {
    int64_t micros = 0;
    const char* problem = read_time(text, unit, micros);
    return problem ? problem : std::to_string(micros);
  };
  EXPECT_EQ(read("1465413032", TimeUnit::seconds), "1465413032000000");
  EXPECT_EQ(read("1465413032.25", TimeUnit::seconds), "1465413032250000");
  EXPECT_EQ(read("1465413032123", TimeUnit::milliseconds), "1465413032123000");
  EXPECT_EQ(read("1465413032123456", TimeUnit::microseconds), "1465413032123456");
  EXPECT_EQ(read("1465413032123456000", TimeUnit::nanoseconds), "1465413032123456");
  EXPECT_EQ(read("1970-01-01", TimeUnit::iso), "0");
  EXPECT_EQ(read("4102444799", TimeUnit::seconds), "4102444799000000");
  EXPECT_EQ(read("4102444800", TimeUnit::seconds), "the time is in 2100 or later");
  EXPECT_EQ(read("1506826800026", TimeUnit::seconds), "the time is in 2100 or later");
  EXPECT_EQ(read("1e300", TimeUnit::seconds), "the time is in 2100 or later");
  EXPECT_EQ(read("2100-01-01", TimeUnit::iso), "the time is in 2100 or later");
  EXPECT_EQ(read("-1", TimeUnit::seconds), "the time is before 1970");
  EXPECT_EQ(read("1969-12-31T23:59:59.9Z", TimeUnit::iso), "the time is before 1970");
  for (const char* text : {"", "x", "nan", "inf", "12 ", "0x12", "1465413032s"})
    EXPECT_EQ(read(text, TimeUnit::seconds), "the time is missing or not a time") << text;
  EXPECT_EQ(read("1465413032", TimeUnit::iso), "the time is missing or not a time");
  EXPECT_EQ(read("2016-06-08", TimeUnit::unknown), "the time is missing or not a time");
}

}  // namespace
}  // namespace nd
