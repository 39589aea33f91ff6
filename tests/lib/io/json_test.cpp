// The canonical text, what the reader refuses, and the fast reader's view of the same documents.
#include "lib/io/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/lib/io/expect_error.h"

namespace nd::json {
namespace {

TEST(Json, CanonicalTextSortsKeysAndHasNoSpaces) {
  const Value v = Object{{"b", Array{1, 2.5, true, nullptr}}, {"a", Object{{"é", "ü\"\\\n\x01"}}}, {"B", ""}};
  EXPECT_EQ(v.dump(), R"({"B":"","a":{"é":"ü\"\\\n\u0001"},"b":[1,2.5,true,null]})");
  EXPECT_EQ(v.pretty(),
            "{\n  \"B\": \"\",\n  \"a\": {\n    \"é\": \"ü\\\"\\\\\\n\\u0001\"\n  },\n  \"b\": [\n    1,\n"
            "    2.5,\n    true,\n    null\n  ]\n}");
  EXPECT_EQ(Value(Array{}).pretty(), "[]");
}

TEST(Json, ReadingCanonicalTextGivesItBack) {
  for (double d : {0.0, -0.0, 1.0, -3.0, 0.1, 1e-5, 1.0 / 3, 5e-324, 1.7976931348623157e308, 1e15, 123456789012345680.0,
                   9007199254740993.0, 9223372036854775808.0, 18446744073709551616.0, 1e22, -1e300}) {
    const std::string text = Value(d).dump();
    EXPECT_EQ(parse(text).number(), d) << text;
    EXPECT_EQ(std::signbit(parse(text).number()), std::signbit(d)) << text;
    EXPECT_EQ(parse(text).dump(), text);
  }
  for (int64_t i : {int64_t{0}, INT64_MIN, INT64_MAX, int64_t{1} << 53}) {
    EXPECT_EQ(*parse(Value(i).dump()).integer(), i);
  }
  EXPECT_EQ(Value(NAN).dump(), "null");
  EXPECT_EQ(Value(INFINITY).dump(), "null");
}

TEST(Json, EveryControlCharacterSurvives) {
  std::string all;
  for (char c = 0; c < 0x20; ++c) all += c;
  EXPECT_EQ(*parse(Value(all).dump()).string(), all);
}

TEST(Json, TypesAreToldApart) {
  const Value v = parse(R"({"i":1,"d":1.5,"s":"x","b":true,"n":null,"a":[1],"u":18446744073709551615})");
  EXPECT_EQ(*v.find("i")->integer(), 1);
  EXPECT_EQ(v.find("i")->number(), 1.0);
  EXPECT_EQ(v.find("d")->integer(), nullptr);
  EXPECT_EQ(v.find("d")->number(), 1.5);
  EXPECT_EQ(*v.find("s")->string(), "x");
  EXPECT_TRUE(*v.find("b")->boolean());
  EXPECT_TRUE(v.find("n")->is_null());
  EXPECT_EQ(v.find("a")->array()->size(), 1u);
  EXPECT_EQ(v.find("u")->number(), 18446744073709551615.0);
  EXPECT_EQ(v.find("absent"), nullptr);
  EXPECT_TRUE(std::isnan(v.find("s")->number()));
}

TEST(Json, MalformedTextIsRefused) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\xff\"", "'a'", "{a:1}", "[01]", "1e999",
                           "\"\\ud800\"", "\"\n\""}) {
    EXPECT_ND_ERROR(parse(text), "not JSON") << text;
    Parser parser;
    EXPECT_ND_ERROR(parser.parse(text), "not JSON") << text;
  }
  EXPECT_ND_ERROR(parse(R"({"a":1,"a":2})"), "\"a\" comes twice");
  EXPECT_ND_ERROR(parse(R"([{"b":{"a":1,"a":2}}])"), "\"a\" comes twice");
  EXPECT_ND_ERROR(parse(R"({"h\u0000":1,"h\u0000":2})"), "comes twice");  // a byte 0 hides nothing behind it
  EXPECT_ND_ERROR(Value("\xff").dump(), "not UTF-8");
}

TEST(Json, NestingIsLimited) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse(nested(16)));
  EXPECT_ND_ERROR(parse(nested(17)), "16 levels");
  Parser parser;
  EXPECT_NO_THROW(parser.parse(std::string(5000, ' ') + "1"));  // growing must not lose the limit
  EXPECT_ND_ERROR(parser.parse(nested(1000)), "16 levels");
  EXPECT_ND_ERROR(parse(std::string(1 << 20, '[')), "not JSON");
}

TEST(Json, FastReaderSeesTheSameValues) {
  Parser parser;
  for (int round = 0; round < 3; ++round) {
    Node root =
        parser.parse(R"({"Label":"Oslo","Confidence":0.98,"n":-3,"ok":false,"Offsets":[1,20,300],"none":[],"x":null})");
    EXPECT_EQ(root.type(), Node::Type::object);
    Node n;
    std::string_view s;
    double d = 0;
    int64_t i = 0;
    bool b = true;
    ASSERT_TRUE(root.find("Label", n) && n.get(s));
    EXPECT_EQ(s, "Oslo");
    EXPECT_FALSE(n.get(i));
    ASSERT_TRUE(root.find("Confidence", n) && n.get(d));
    EXPECT_EQ(d, 0.98);
    EXPECT_FALSE(n.get(i));
    ASSERT_TRUE(root.find("n", n) && n.get(i) && n.get(d));
    EXPECT_EQ(i, -3);
    EXPECT_EQ(d, -3);
    ASSERT_TRUE(root.find("ok", n) && n.get(b));
    EXPECT_FALSE(b);
    std::vector<int64_t> offsets;
    ASSERT_TRUE(root.find("Offsets", n));
    ASSERT_TRUE(n.each([&](Node e) { offsets.push_back(e.get(i) ? i : -1); }));
    EXPECT_EQ(offsets, (std::vector<int64_t>{1, 20, 300}));
    ASSERT_TRUE(root.find("none", n));
    EXPECT_TRUE(n.each([](Node) { FAIL(); }));
    EXPECT_FALSE(root.each([](Node) { FAIL(); }));
    ASSERT_TRUE(root.find("x", n));
    EXPECT_EQ(n.type(), Node::Type::null);
    EXPECT_FALSE(root.find("y", n));
    std::string keys;
    ASSERT_TRUE(root.members([&](std::string_view key, Node) { (keys += key) += ' '; }));
    EXPECT_EQ(keys, "Label Confidence n ok Offsets none x ");
    EXPECT_FALSE(n.members([](std::string_view, Node) { FAIL(); }));
  }
}

TEST(Json, PickerFindsMembersInAnyOrderAndForgetsThem) {
  Picker pick({"time", "id", "profile", "on", "title", "absent", "half", "big"});
  for (int round = 0; round < 3; ++round) {
    pick.pick(
        R"({"x":{"id":"inner","y":[[],{}]},"title":"\u00c5se \"\n","idea":1,"id":"a1","profile":[ {"item":"Oslo"}, 2 ],)"
        R"("time":1483225200,"on":true,"half":-0.5,"big":18446744073709551615,"nothing":null})");
    EXPECT_EQ(pick[0].type, Node::Type::integer);
    EXPECT_EQ(pick[0].integer, 1483225200);
    EXPECT_EQ(pick[0].number, 1483225200.0);
    EXPECT_EQ(pick[1].text, "a1");
    EXPECT_EQ(pick[2].type, Node::Type::array);
    EXPECT_EQ(parse(pick[2].text).dump(), R"([{"item":"Oslo"},2])");
    EXPECT_TRUE(pick[3].type == Node::Type::boolean && pick[3].truth);
    EXPECT_EQ(pick[4].text, "Åse \"\n");
    EXPECT_EQ(pick[5].type, Node::Type::null);
    EXPECT_EQ(pick[6].type, Node::Type::number);
    EXPECT_EQ(pick[6].number, -0.5);
    EXPECT_EQ(pick[7].type, Node::Type::number);
    pick.pick("{}");
    for (size_t n = 0; n < 8; ++n) EXPECT_EQ(pick[n].type, Node::Type::null);
  }
  pick.pick(R"({"id":null,"time":"x","profile":{"a":1}})");
  EXPECT_EQ(pick[0].type, Node::Type::string);
  EXPECT_EQ(pick[1].type, Node::Type::null);
  EXPECT_EQ(pick[2].text, R"({"a":1})");
}

TEST(Json, PickerRefusesWhatIsNoObject) {
  Picker pick({"a", "b"});
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1]",
                           "7",
                           "\"a\"",
                           "null",
                           "{\"a\":1",
                           "{\"a\":}",
                           "{\"a\":tru}",
                           "{\"a\" 1}",
                           "{\"a\":01}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"x\":\"\xff\"}",
                           "{\"a\":1}}",
                           "{\"a\":1} {\"a\":2}",
                           "{a:1}",
                           "{\"a\":\"x}",
                           "{\"x\":[1}",
                           "{\"a\":[1}",
                           "{\"a\":1 \"b\":2}"})
    EXPECT_THROW(pick.pick(text), Error) << text;
  pick.pick(R"({"a":"still works"})");
  EXPECT_EQ(pick[0].text, "still works");
}

TEST(Json, PickerNeverLooksBeyondItsText) {
  // Every beginning of an object, in a buffer of its very size: a sanitizer sees a step too far.
  const std::string whole = R"({"id":"abc","t":[1,2,{"x":"y"}],"n":-1.5e3,"b":false})";
  Picker pick({"id", "t", "n", "b", std::string(63, 'b')});
  EXPECT_THROW(Picker({std::string(64, 'b')}), Error);
  EXPECT_THROW(Picker({""}), Error);
  for (size_t length = 0; length <= whole.size(); ++length) {
    const std::vector<char> part(whole.begin(), whole.begin() + static_cast<long>(length));
    if (length < whole.size()) EXPECT_THROW(pick.pick({part.data(), length}), Error) << length;
    else EXPECT_NO_THROW(pick.pick({part.data(), length}));
  }
}

TEST(Json, Utf8IsRecognised) {
  EXPECT_TRUE(is_utf8("") && is_utf8("a\0b") && is_utf8("雪ø😀"));
  EXPECT_FALSE(is_utf8("\x80") || is_utf8("\xc0\xaf") || is_utf8("\xed\xa0\x80") || is_utf8("\xf4\x90\x80\x80"));
}

}  // namespace
}  // namespace nd::json
