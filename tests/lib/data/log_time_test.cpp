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

int64_t micros_of(const char* text) {
  int64_t micros = 0;
  return parse_iso_time(text, micros) ? micros : INT64_MIN;
}

TEST(IsoTime, ReadsEveryPrecisionAndZone) {
  constexpr int64_t kSecond = 1000000;
  EXPECT_EQ(micros_of("2016-06-08T19:10:32Z"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08 19:10:32"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08 19:10:32 UTC"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08T21:10:32+02:00"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08T21:10:32+0200"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08T15:40:32-03:30"), 1465413032 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08T21:10+02"), 1465413000 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08"), 1465344000 * kSecond);
  EXPECT_EQ(micros_of("2016-06-08T19:10:32.5Z"), 1465413032 * kSecond + 500000);
  EXPECT_EQ(micros_of("2016-06-08T19:10:32.123456789Z"), 1465413032 * kSecond + 123456);
  EXPECT_EQ(micros_of("2016-06-08T19:10:32,000001"), 1465413032 * kSecond + 1);
  EXPECT_EQ(micros_of("1969-12-31T23:59:59Z"), -kSecond);
  EXPECT_EQ(micros_of("0001-01-01"), -62135596800 * kSecond);
}

TEST(IsoTime, RefusesOtherTextsAndTimesThatDoNotExist) {
  for (const char* text : {"",
                           "2016",
                           "2016-06",
                           "2016-6-8",
                           "2016-06-08T",
                           "2016-06-08T19",
                           "2016-06-08T19:1",
                           "2016-06-08X19:10",
                           "2016-06-08T19:10:32.",
                           "2016-06-08T19:10:32.x",
                           "2016-06-08T19:10:32 Z",
                           "2016-06-08T19:10:32+2",
                           "2016-06-08T19:10:32+24:00",
                           "2016-06-08T19:10:32+02:60",
                           "2016-06-08T19:10:32+02:00x",
                           "2016-02-30",
                           "2015-02-29",
                           "2016-06-08T24:00:00",
                           "2016-06-08T19:60:00",
                           "2016-06-08T19:10:60",
                           "0000-01-01",
                           "02016-06-08",
                           "1465413032"})
    EXPECT_EQ(micros_of(text), INT64_MIN) << text;
}

TEST(IsoTime, IsWrittenAsItIsRead) {
  for (const char* text :
       {"2016-06-08T19:10:32Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"})
    EXPECT_EQ(iso_time(micros_of(text) / 1000000), text);
}

}  // namespace
}  // namespace nd
