#include "lib/cli/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nd::cli {
namespace {

TEST(Text, NumbersAreShortest) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1e-5), "1e-05");
  EXPECT_EQ(number_text(0.1f), "0.1");
  EXPECT_EQ(number_text(10.0), "10");
  EXPECT_EQ(number_text(NAN), "null");
}

TEST(Text, JsonIsValidWhateverTheBytes) {
  EXPECT_EQ(json_text("a\"b\\c\n\x01\xc3\xa5"), "\"a\\\"b\\\\c\\n\\u0001\xc3\xa5\"");
  EXPECT_EQ(json_text("\xff\xc0\x80\xed\xa0\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Text, AnErrorLineCannotMoveTheCursor) {
  EXPECT_EQ(printable("a\x1b[2J\r\nb\x7f\t"), "a\\x1b[2J\\x0d\\nb\\x7f\\t");
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m \xc3\xa5 \xff"),
            "\\xc2\\x9b1m \xc3\xa5 \\xff");
  EXPECT_LT(printable(std::string(1 << 20, 'x')).size(), 2100u);
}

TEST(Text, FindsTheLikelySlip) {
  std::vector<std::string> options = {"--output", "--threads", "--seed"};
  EXPECT_EQ(nearest("--ouput", options), "--output");
  EXPECT_EQ(nearest("--thr", options), "--threads");
  EXPECT_EQ(nearest("--zebra-crossing", options), "");
}

TEST(Text, WrapsAtBlanks) {
  EXPECT_EQ(wrapped("one two three four", 2, 10), "one two\n  three\n  four");
  EXPECT_EQ(wrapped("a\nb", 1, 10), "a\n b");
}

}  // namespace
}  // namespace nd::cli
