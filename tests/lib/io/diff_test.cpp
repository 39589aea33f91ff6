// Two files are equal or the difference is named; nothing is passed over in silence.
#include "lib/io/diff.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lib/io/kind_file.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

using Lines = std::vector<std::string>;

template <class T>
Lines differ(const T& a, const T& b, const DiffOptions& options = {}, const Meta& meta_a = {},
             const Meta& meta_b = {}) {
  TemporaryFolder folder;
  save(folder / "a", a, meta_a);
  save(folder / "b", b, meta_b, 3);
  return differences(Container::open(folder / "a"), Container::open(folder / "b"), options);
}

TEST(Diff, EqualFilesHaveNoDifferences) {
  EXPECT_EQ(differ(sample::corpus(), sample::corpus(), {}, sample::meta(), sample::meta()), Lines{});
  EXPECT_EQ(differ(sample::params(), sample::params()), Lines{});
}

TEST(Diff, HeadersAreComparedUnlessIgnored) {
  Meta other = sample::meta();
  other.tool = "sample 2";
  other.options = json::Object{{"seed", 8}, {"rate", 0.1}, {"more", "x"}};
  other.inputs = {{"corpus", "corpus/1", 1}, {"kg", "kg/1", 2}};
  const Lines tool{"tool: sample 1 | sample 2"},
      options{"option more: (none) | \"x\"", "option name: \"blåbær\" | (none)", "option seed: 7 | 8"},
      inputs{"input corpus: corpus/1 0123456789abcdef | corpus/1 0000000000000001",
             "input kg: (none) | kg/1 0000000000000002"};
  const auto ignoring = [&](std::set<std::string> ignore) {
    return differ(sample::kg(), sample::kg(), {.ignore = std::move(ignore)}, sample::meta(), other);
  };
  EXPECT_EQ(ignoring({"options", "inputs"}), tool);
  EXPECT_EQ(ignoring({"tool", "inputs"}), options);
  EXPECT_EQ(ignoring({"tool", "options"}), inputs);
  EXPECT_EQ(ignoring({}).size(), 6u);
  EXPECT_EQ(ignoring({"tool", "options", "inputs"}), Lines{});
}

TEST(Diff, FirstDifferingRowsAreNamedAndAllCounted) {
  Scores a = sample::scores(), b = a;
  b.score = sample::ragged<float>({{0.5f, -2}, {3}});
  EXPECT_EQ(differ(a, b), (Lines{"score row 0 element 1: -1 | -2", "score: 1 of 2 rows differ"}));
  b.score = sample::ragged<float>({{0.5f}, {3, 4}});
  EXPECT_EQ(differ(a, b),
            (Lines{"score row 0: [0.5,-1] | [0.5]", "score row 1: [3] | [3,4]", "score: 2 of 2 rows differ"}));
  EXPECT_EQ(differ(a, b, {.show = 1}), (Lines{"score row 0: [0.5,-1] | [0.5]", "score: 2 of 2 rows differ"}));
  EXPECT_EQ(differ(a, b, {.show = 0}), (Lines{"score: 2 of 2 rows differ"}));
  b = a;
  b.user_id = sample::strings("U1", "U\n2");
  b.time = std::vector<int64_t>{100, 0};
  EXPECT_EQ(differ(a, b), (Lines{"time row 1: -1 | 0", "time: 1 of 2 rows differ", "user_id row 1: \"U2\" | \"U\\n2\"",
                                 "user_id: 1 of 2 rows differ"}));
}

TEST(Diff, ColumnsOfAnotherTypeOrSizeAreNamed) {
  EXPECT_EQ(differ(sample::vectors(), sample::vectors(Stored::bf16))[0], "column relation_x: F32[1,3] | BF16[1,3]");
  Params a = sample::params(), b = a;
  b.tensor.erase("attention.b");
  b.tensor["new"] = sample::matrix(1, 1, {0});
  b.tensor["attention.w"] = sample::matrix(1, 4, {1, 2, 3, 4});
  EXPECT_EQ(differ(a, b), (Lines{"column attention.b: F32[1,2] | (none)", "column attention.w: F32[2,2] | F32[1,4]",
                                 "column new: (none) | F32[1,1]"}));
}

TEST(Diff, ToleranceIsForFloatsOnly) {
  Params a, b;
  a.tensor["w"] = sample::matrix(1, 4, {100, 0, NAN, INFINITY});
  b.tensor["w"] = sample::matrix(1, 4, {100.5f, 1e-7f, std::nanf("7"), INFINITY});
  EXPECT_EQ(differ(a, b).size(), 2u);
  EXPECT_EQ(differ(a, b, {.rtol = 0.01})[0], "w row 0 element 1: 0 | 1e-07");
  EXPECT_EQ(differ(a, b, {.atol = 1e-6})[0], "w row 0 element 0: 100 | 100.5");
  EXPECT_EQ(differ(a, b, {.rtol = 0.01, .atol = 1e-6}), Lines{});
  b.tensor["w"] = sample::matrix(1, 4, {100, 0, 0, INFINITY});
  EXPECT_EQ(differ(a, b, {.rtol = 1, .atol = 1})[0], "w row 0 element 2: \"0x7fc00000\" | 0");
  b.tensor["w"] = sample::matrix(1, 4, {100, 0, NAN, -INFINITY});
  EXPECT_EQ(differ(a, b, {.rtol = 1, .atol = 1}).size(), 2u);
  Kg one = sample::kg(), two = one;
  two.tail = std::vector<int32_t>{1, 0, 1};
  EXPECT_EQ(differ(one, two, {.rtol = 10, .atol = 10}).size(), 2u);
}

TEST(Diff, MinusZeroIsNotZeroUnlessTolerated) {
  Params a, b;
  a.tensor["w"] = sample::matrix(1, 1, {0.0f});
  b.tensor["w"] = sample::matrix(1, 1, {-0.0f});
  EXPECT_EQ(differ(a, b)[0], "w row 0 element 0: 0 | -0.0");
  EXPECT_EQ(differ(a, b, {.atol = 1e-9}), Lines{});
}

}  // namespace
}  // namespace nd
