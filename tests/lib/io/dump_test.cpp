// Dumps as text and as JSON, and the way back: every kind, every float, and every way a dump can be wrong.
#include "lib/io/dump.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "lib/io/kind_file.h"
#include "lib/io/pack.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

class DumpTest : public testing::Test {
 protected:
  std::string dumped(const std::string& path, const DumpOptions& options) {
    Sink out(folder / "dump");
    dump(Container::open(path), options, out);
    out.commit();
    return get(folder / "dump");
  }
  uint64_t packed(std::string_view text) {
    put(folder / "text", text);
    LineReader in(folder / "text");
    return pack(in, folder / "packed", 0);
  }
  TemporaryFolder folder;
  const std::string path = folder / "file";
};

template <class T>
class DumpEveryKind : public DumpTest {};
TYPED_TEST_SUITE(DumpEveryKind, sample::All);

TYPED_TEST(DumpEveryKind, PackedAgainIsTheSameFile) {
  save(this->path, sample::of<TypeParam>(), sample::meta());
  this->packed(this->dumped(this->path, {.json = true}));
  EXPECT_EQ(get(this->folder / "packed"), get(this->path));
}

TEST_F(DumpTest, FloatsOfEveryWidthKeepTheirBits) {
  Checkpoint c;
  std::vector<float> wide{0,
                          -0.0f,
                          0.1f,
                          1e-45f,
                          3.4028235e38f,
                          1e15f,
                          16777216,
                          INFINITY,
                          -INFINITY,
                          NAN,
                          std::bit_cast<float>(0xff800001u)};
  for (uint32_t i = 0; i < 20'000; ++i) wide.push_back(std::bit_cast<float>(i * 0x9e3779b9u));
  c.tensor["f32"] = sample::matrix(1, static_cast<int64_t>(wide.size()), wide);
  c.number["f64"] = std::vector<double>{0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, 1e22, INFINITY, NAN};
  c.counter["i64"] = std::vector<int64_t>{INT64_MIN, INT64_MAX};
  c.tensor["f16"] = sample::matrix(1, 4, {0.1f, -0.0f, INFINITY, 65504}, Stored::f16);
  c.tensor["bf16"] = sample::matrix(1, 4, {0.1f, -0.0f, -INFINITY, NAN}, Stored::bf16);
  const uint64_t digest = save(path, c, {});
  EXPECT_EQ(packed(dumped(path, {.json = true})), digest);
}

TEST_F(DumpTest, EveryCharacterSurvives) {
  std::string all;
  for (char c = 0; c < 0x7f; ++c) all += c;
  Vectors v = sample::vectors();
  v.id = sample::strings(all, "😀\u2028");
  const uint64_t digest = save(path, v, {});
  EXPECT_EQ(packed(dumped(path, {.json = true})), digest);
  const std::string text = dumped(path, {.columns = {"id"}});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find("\\t\\n\v\f\\r\x0e"), std::string::npos);
  EXPECT_NE(text.find("[\\\\]"), std::string::npos);
}

TEST_F(DumpTest, TextHasAHeaderAndALineForEachRow) {
  save(path, sample::vectors(), sample::meta());
  const std::string text = dumped(path, {});
  const std::string header = text.substr(0, text.find("id\t0"));
  EXPECT_EQ(dumped(path, {.schema = true}), header);
  EXPECT_EQ(header.substr(0, header.find("digest")), "kind\tvectors/1\n");
  EXPECT_NE(header.find("\ninput\tcorpus\tcorpus/1\t0123456789abcdef\n"), std::string::npos);
  EXPECT_NE(header.find("\ncolumn\tx\tF32[2,3]\n"), std::string::npos);
  EXPECT_EQ(text.substr(header.size()),
            "id\t0\tx\nid\t1\ty\nrelation_id\t0\tr\nrelation_x\t0\t0.25 0 1\n"
            "x\t0\t1 2 3\nx\t1\t-0.5 0 65504\n");
  EXPECT_EQ(dumped(path, {.head = 1}).substr(header.size()),
            "id\t0\tx\nrelation_id\t0\tr\nrelation_x\t0\t0.25 0 1\nx\t0\t1 2 3\n");
}

TEST_F(DumpTest, ColumnsStandSideBySide) {
  save(path, sample::corpus(), {});
  EXPECT_EQ(dumped(path, {.columns = {"category", "id", "link_entity"}}), "0\tN1\t0 1\n-1\tN2\t\n");
  EXPECT_EQ(
      dumped(path, {.json = true, .columns = {"category", "id", "link_entity"}}),
      "{\"category\":0,\"id\":\"N1\",\"link_entity\":[0,1]}\n{\"category\":-1,\"id\":\"N2\",\"link_entity\":[]}\n");
  EXPECT_EQ(dumped(path, {.columns = {"id"}, .head = 1}), "N1\n");
  EXPECT_ND_ERROR(dumped(path, {.columns = {"nothing"}}), "has no column nothing");
  EXPECT_ND_ERROR(dumped(path, {.columns = {"id", "type_name"}}), "cannot stand side by side");
}

// A future kind, or one that breaks its rules, can still be looked at.
TEST_F(DumpTest, UnknownKindsAndBrokenOffsetsAreShownAsTheyAre) {
  const std::vector<int64_t> offsets{0, 5, 1};
  const std::vector<uint8_t> values{'a'};
  write_container(path, {.kind = "weather/9"},
                  {{"x.offsets", DType::I64, {3}, std::as_bytes(std::span(offsets))},
                   {"x.values", DType::U8, {1}, std::as_bytes(std::span(values))}});
  const std::string text = dumped(path, {});
  EXPECT_NE(text.find("column\tx.offsets\tI64[3]\ncolumn\tx.values\tU8[1]\n"), std::string::npos);
  EXPECT_NE(text.find("x.offsets\t1\t5\n"), std::string::npos);
  EXPECT_ND_ERROR(packed(dumped(path, {.json = true})), "\"weather/9\" is not known here");
}

TEST_F(DumpTest, EditedDumpsArePackedUnderTheRulesOfTheirKind) {
  const uint64_t digest = save(path, sample::kg(), {});
  std::string text = dumped(path, {.json = true});
  const auto edited = [&](const std::string& from, const std::string& to) {
    std::string out = text;
    const size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return out.replace(at, from.size(), to);
  };
  EXPECT_NE(packed(edited("\"row\":0,\"value\":\"a\"", "\"row\":0,\"value\":\"A\"")), digest);
  EXPECT_EQ(load<Kg>(folder / "packed")->entity_id[0], "A");
  EXPECT_ND_ERROR(
      packed(edited("\"column\":\"tail\",\"row\":0,\"value\":1", "\"column\":\"tail\",\"row\":0,\"value\":2")),
      "/packed: tail row 1 is 2");
}

TEST_F(DumpTest, WhatIsNoDumpIsRefusedWithItsRow) {
  save(path, sample::vectors(), sample::meta());
  const std::string text = dumped(path, {.json = true});
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  const auto joined = [&](size_t row, const std::string& line) {
    std::string out;
    for (size_t i = 0; i < lines.size(); ++i) out += (i == row ? line : lines[i]) + "\n";
    return out;
  };
  ASSERT_EQ(packed(joined(0, lines[0])), load<Vectors>(path).meta.digest);
  EXPECT_ND_ERROR(packed(""), "/text: is empty");
  EXPECT_ND_ERROR(packed("kind\tvectors/1\n"), "/text:1: not JSON");
  EXPECT_ND_ERROR(packed("{}\n"), "/text:1: expected a string \"kind\"");
  for (size_t row = 1; row < lines.size(); ++row) {
    EXPECT_ND_ERROR(packed(joined(row, "{")), "/text:" + std::to_string(row + 1) + ": not JSON");
    EXPECT_ND_ERROR(packed(joined(row, lines[row == 1 ? 2 : 1])),
                    "/text:" + std::to_string(row + 1) + ": expected row");
  }
  EXPECT_ND_ERROR(packed(text.substr(0, text.rfind('{'))), "the text ends before row 1 of column x");
  EXPECT_ND_ERROR(packed(text + lines.back()), "expected no more rows");
  const size_t x = lines.size() - 1;
  const std::string start = "{\"column\":\"x\",\"row\":1,\"value\":";
  EXPECT_ND_ERROR(packed(joined(x, start + "[1,2]}")), "expected 3 numbers, found 2");
  EXPECT_ND_ERROR(packed(joined(x, start + "[1,2,\"3\"]}")), "expected a number");
  EXPECT_ND_ERROR(packed(joined(x, start + "[1,2,\"0x1ffffffff\"]}")), "expected a number");
  EXPECT_ND_ERROR(packed(joined(x, start + "1}")), "expected a list of numbers");
  EXPECT_ND_ERROR(packed(joined(1, "{\"column\":\"id\",\"row\":0,\"value\":1}")), "expected a string");
}

// A header may promise anything: only rows that come cost memory.
TEST_F(DumpTest, PromisesInTheHeaderCostNothing) {
  const std::string start = R"({"kind":"params/1","tool":"","options":{},"inputs":[],"columns":[{"name":"w","type":)";
  EXPECT_ND_ERROR(packed(start + R"("array","dtype":"F32","shape":[4000000000000000000,2]}]})"),
                  "the text ends before");
  EXPECT_ND_ERROR(packed(start + R"("array","dtype":"F32","shape":[2,4000000000000000000,4]}]})"), "impossible shape");
  EXPECT_ND_ERROR(packed(start + R"("array","dtype":"F32","shape":[-1]}]})"), "impossible shape");
  EXPECT_ND_ERROR(packed(start + R"("ragged","dtype":"F32","rows":-1}]})"), "impossible shape");
  EXPECT_ND_ERROR(packed(start + R"("ragged","dtype":"F99","rows":1}]})"), "unknown dtype F99");
  EXPECT_ND_ERROR(packed(start + R"("table","dtype":"F32","rows":1}]})"), "expected type array, ragged or strings");
}

// So may its shapes, where nothing is behind them.
TEST_F(DumpTest, RowsWithoutElementsAreNotListed) {
  Params p;
  p.tensor["wide"] = {{}, int64_t{1} << 40, 0};
  const uint64_t digest = save(path, p, {});
  const std::string text = dumped(path, {.json = true});
  EXPECT_NE(text.find("\"shape\":[1099511627776,0]"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(packed(text), digest);
}

TEST_F(DumpTest, IntegersOutOfRangeAreRefused) {
  save(path, sample::scores(), {});
  std::string text = dumped(path, {.json = true});
  const std::string from = "\"column\":\"label\",\"row\":0,\"value\":1";
  for (const char* value : {"256", "-1", "1.5", "\"1\"", "null"})
    EXPECT_ND_ERROR(packed(std::string(text).replace(text.find(from), from.size(),
                                                     std::string("\"column\":\"label\",\"row\":0,\"value\":") + value)),
                    "expected an integer of type U8");
}

}  // namespace
}  // namespace nd
