#include "lib/data/log_time.h"

#include <gtest/gtest.h>

namespace nd {
namespace {

int64_t seconds_of(const char* text) {
  int64_t seconds = 0;
  return parse_log_time(text, seconds) ? seconds : -1;
}

TEST(LogTime, ReadsTheTwelveHourClock) {
  EXPECT_EQ(seconds_of("11/9/2019 6:42:51 PM"), 1573324971);
  EXPECT_EQ(seconds_of("11/09/2019 06:42:51 PM"), 1573324971);
  EXPECT_EQ(seconds_of("1/1/1970 12:00:00 AM"), 0);
  EXPECT_EQ(seconds_of("1/1/1970 12:30:00 PM"), 12 * 3600 + 1800);
  EXPECT_EQ(seconds_of("1/1/1970 1:00:00 AM"), 3600);
  EXPECT_EQ(seconds_of("1/1/1970 11:59:59 PM"), 86399);
}

TEST(LogTime, ReadsYearFirst) {
  EXPECT_EQ(seconds_of("2019-11-09 18:42:51"), 1573324971);
  EXPECT_EQ(seconds_of("2019-11-09T18:42:51"), 1573324971);
  EXPECT_EQ(seconds_of("2020-02-29 00:00:00"), 1582934400);
}

TEST(LogTime, RefusesTimesThatDoNotExist) {
  for (const char* text :
       {"2/30/2019 1:00:00 AM", "2/29/2019 1:00:00 AM", "13/1/2019 1:00:00 AM", "0/1/2019 1:00:00 AM",
        "1/0/2019 1:00:00 AM", "1/1/2019 13:00:00 PM", "1/1/2019 0:00:00 AM", "1/1/2019 1:60:00 AM",
        "1/1/2019 1:00:60 AM", "1/1/1969 1:00:00 AM", "2019-11-09 24:00:00", "2100-02-29 00:00:00"})
    EXPECT_EQ(seconds_of(text), -1) << text;
}

TEST(LogTime, RefusesOtherTexts) {
  for (const char* text : {"", "x", "11/9/2019", "11/9/2019 6:42:51", "11/9/2019 6:42:51 XM", "11/9/2019 6:42:51 PM ",
                           "11/9/19999 6:42:51 PM", "11-9-2019 6:42:51 PM", "1573324971", "2019-11-09",
                           "2019-11-09 18:42:51Z", "2019-11-09 18:42", "2019-1", "/////", "-1/1/2019 1:00:00 AM"})
    EXPECT_EQ(seconds_of(text), -1) << text;
}

}  // namespace
}  // namespace nd
