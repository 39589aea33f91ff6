// Elements of articles: labels, and stacks that hold numbers whatever the words' vectors are.
#include "lib/data/elements.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/lib/io/expect_error.h"

namespace nd {
namespace {

TEST(ElementLabels, KnowTheUsualOnesInAnyCaseAndWhatTheyAreTold) {
  const ElementLabels labels("MISC=keywords,Date=none");
  EXPECT_EQ(labels.find("PER"), 1);
  EXPECT_EQ(labels.find("Organization"), 2);
  EXPECT_EQ(labels.find("GPE_LOC"), 3);
  EXPECT_EQ(labels.find("misc"), 4);
  EXPECT_EQ(labels.find("DATE"), ElementLabels::kNone);
  EXPECT_EQ(labels.find("EVT"), ElementLabels::kUnknown);
  for (int k = 0; k < 5; ++k) EXPECT_EQ(labels.find(element_kinds[static_cast<size_t>(k)]), k);
  for (const char* bad : {"PER=who", "PER", "=person"}) EXPECT_THROW(ElementLabels{bad}, UsageError) << bad;
}

class Elements : public testing::Test {
 protected:
  Elements() : path_(testing::TempDir() + "nd_elements") {}
  ~Elements() override { std::filesystem::remove(path_); }

  Stacks stacks_of(const std::string& text, const Vectors& words, Skips& skips) {
    std::ofstream(path_) << text;
    StringsBuilder id;
    id.push("a");
    id.push("b");
    corpus_.id = id.take();
    ElementReader reader(corpus_, words, ElementLabels(""));
    reader.read(path_, {}, skips);
    return reader.stacks();
  }

  std::string path_;
  Corpus corpus_;
};

Vectors one_word(std::vector<float> x) {
  StringsBuilder id;
  id.push("oslo");
  const auto dim = static_cast<int64_t>(x.size());
  return {id.take(), {std::move(x), 1, dim}, {}, {}};
}

TEST_F(Elements, OfConstantZeroOrHugeVectorsHaveFiniteRows) {
  Skips skips(0);
  for (const float value : {0.0f, 0.1f, -3e38f, 1e-45f}) {
    const Stacks s = stacks_of(R"({"id":"a","location":"Oslo"})", one_word({value, value, value}), skips);
    EXPECT_EQ(s.problem(), "") << value;
    for (int row = 0; row < 5; ++row)
      for (const float x : s.x[row]) EXPECT_EQ(x, 0) << value;
    for (int row = 5; row < 10; ++row)
      for (const float x : s.x[row]) EXPECT_EQ(x, 1);
  }
  EXPECT_EQ(stacks_of(R"({"id":"a","location":"Oslo"})", one_word({-3e38f, 3e38f, 0}), skips).problem(), "");
}

TEST_F(Elements, OfAnArticleThatComesAgainAreAdded) {
  Skips skips(0);
  const Vectors words = one_word({1, 2, 4});
  const Stacks s = stacks_of("{\"id\":\"a\",\"person\":\"x\"}\n{\"id\":\"a\",\"location\":[\"Oslo\"]}\n", words, skips);
  // The mean of 1 2 4 is 7/3, its variance 14/9.
  EXPECT_FLOAT_EQ(s.x[3][0], static_cast<float>(-4.0 / 3 / std::sqrt(14.0 / 9)));
  EXPECT_FLOAT_EQ(s.x[1][2], static_cast<float>(5.0 / 3 / std::sqrt(14.0 / 9)));
}

TEST_F(Elements, CountWordsAndArticlesByKind) {
  std::ofstream(path_) << "{\"id\":\"b\",\"person\":[\"Oslo Oslo x\"],\"time\":\"y\"}\n";
  const Vectors words = one_word({1, 2});
  StringsBuilder id;
  id.push("b");
  corpus_.id = id.take();
  ElementReader reader(corpus_, words, ElementLabels(""));
  Skips skips(0);
  reader.read(path_, {}, skips);
  reader.stacks();
  EXPECT_EQ(reader.counts.words, 4);
  EXPECT_EQ(reader.counts.words_known, 2);
  EXPECT_EQ(reader.counts.articles, 1);
  EXPECT_EQ(reader.counts.by_kind, (std::array<int64_t, 5>{0, 1, 0, 0, 0}));
}

}  // namespace
}  // namespace nd
