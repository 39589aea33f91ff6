// Sentences of articles, their vectors, and the stacks that D-HAN reads.
#include "lib/data/sentence_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "lib/data/pvdm.h"
#include "lib/data/stacking.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

Corpus corpus_of(const std::vector<std::string>& bodies) {
  StringsBuilder id, body, none;
  for (size_t i = 0; i < bodies.size(); ++i) {
    id.push("N" + std::to_string(i));
    body.push(bodies[i]);
    none.push("");
  }
  Corpus c;
  c.id = id.take();
  c.body = body.take();
  c.title = c.abstract = none.take();
  return c;
}

Vectors vectors_of(const std::vector<std::pair<std::string, std::vector<float>>>& rows) {
  StringsBuilder id;
  std::vector<float> x;
  for (const auto& [word, row] : rows) {
    id.push(word);
    x.insert(x.end(), row.begin(), row.end());
  }
  const auto n = static_cast<int64_t>(rows.size());
  return {id.take(), {std::move(x), n, static_cast<int64_t>(rows[0].second.size())}, {}, {}};
}

Sentences sentences_in(const std::vector<std::string>& bodies, const Vectors& vectors, int64_t most) {
  const CorpusWords words = words_of(corpus_of(bodies), {});
  return sentences_of(words, vector_rows(words.word, vectors), most);
}

std::vector<std::vector<int32_t>> rows_of(const Ragged<int32_t>& ragged) {
  std::vector<std::vector<int32_t>> out;
  for (int64_t i = 0; i < ragged.size(); ++i) out.emplace_back(ragged[i].begin(), ragged[i].end());
  return out;
}

TEST(Sentences, OfEnglishNorwegianAndChineseEndWhereTheirMarksSaySo) {
  const auto count = [](const std::string& text) { return words_of(corpus_of({text}), {}).sentence_end.size(); };
  EXPECT_EQ(count("Prices rose 3.5 percent. Who pays? Nobody!"), 3u);
  EXPECT_EQ(count("Været blir dårlig på Øya. Hvem bryr seg? Æsj!"), 3u);
  EXPECT_EQ(count("今天天气很好。你去哪里？太好了！"), 3u);
}

TEST(Sentences, KeepTheFirstThatHaveAKnownWord) {
  const Vectors vectors = vectors_of({{"cat", {1}}, {"dog", {2}}});
  const Sentences s =
      sentences_in({"A cat. Nothing here. Dog and cat. Dog. Cat.", "", "Unheard of.", "Dog dog."}, vectors, 3);
  EXPECT_EQ(rows_of(s.word), (std::vector<std::vector<int32_t>>{{0}, {1, 0}, {1}, {1, 1}}));
  EXPECT_EQ(s.article, (std::vector<int64_t>{0, 3, 3, 3, 4}));
  EXPECT_EQ(s.found, 7);
  EXPECT_EQ(s.unknown, 2);
  EXPECT_EQ(s.beyond, 1);
  EXPECT_EQ(s.articles_without, 2);
  EXPECT_EQ(s.words, 13);
  EXPECT_EQ(s.words_known, 7);
}

TEST(MeanVectors, CountEachOccurrence) {
  const Vectors vectors = vectors_of({{"cat", {1, 0}}, {"dog", {4, 9}}});
  const Matrix m = mean_vectors(sentences_in({"Dog cat and cat."}, vectors, 20), vectors);
  EXPECT_EQ(std::vector<float>(m.values.begin(), m.values.end()), (std::vector<float>{2, 3}));
}

TEST(PaddedStacks, FillUpWithTheMeanAndNormaliseEveryRow) {
  StringsBuilder id;
  id.push("a");
  id.push("none");
  id.push("b");
  // Two sentences, none, one that is constant.
  const std::vector<int64_t> begin = {0, 2, 2, 3};
  const Matrix rows{std::vector<float>{0, 2, 1, 3, 6, 0, 7, 7, 7}, 3, 3};
  const Stacks s = padded_stacks(id.take(), begin, rows, 3);
  EXPECT_EQ(s.problem(), "");
  EXPECT_EQ(s.height(), 3);
  EXPECT_EQ(s.label[2], "3");
  const float one = std::sqrt(1.5f);  // of 0 2 1: deviation sqrt(2/3)
  const std::vector<float> first = {-one, one, 0};
  for (int j = 0; j < 3; ++j) EXPECT_FLOAT_EQ(s.x[0][static_cast<size_t>(j)], first[static_cast<size_t>(j)]);
  // The mean of 0 2 1 and 3 6 0 is 1.5 4 0.5; its mean is 2, its variance (0.25 + 4 + 2.25) / 3.
  const double deviation = std::sqrt(6.5 / 3);
  EXPECT_FLOAT_EQ(s.x[2][0], static_cast<float>(-0.5 / deviation));
  EXPECT_FLOAT_EQ(s.x[2][1], static_cast<float>(2 / deviation));
  EXPECT_FLOAT_EQ(s.x[2][2], static_cast<float>(-1.5 / deviation));
  for (int i = 3; i < 9; ++i)
    for (const float x : s.x[i]) EXPECT_EQ(x, 0) << i;
}

TEST(Pvdm, StepMovesEveryParameterByItsGradient) {
  const int64_t dim = 19, tags = 3, words = 6;
  PvdmNet<double> start(dim, tags, words);
  const Random random(1, "test");
  uint64_t at = 0;
  for (auto* part : {&start.tag, &start.word, &start.output})
    for (double& x : *part) x = random.normal(at++);
  const std::vector<int32_t> context = {1, 2, 1}, other = {0, 4, 3, 0, 5};  // 1 and 0 twice, 3 is the target
  const double rate = 0.25, h = 1e-6;
  PvdmNet<double> after = start;
  const double loss = after.step(1, context, 3, other, rate);
  EXPECT_GT(loss, 0);
  const auto check = [&](std::vector<double> PvdmNet<double>::*part) {
    for (size_t i = 0; i < (start.*part).size(); ++i) {
      PvdmNet<double> up = start, down = start;
      (up.*part)[i] += h;
      (down.*part)[i] -= h;
      const double numeric = (up.step(1, context, 3, other, 0) - down.step(1, context, 3, other, 0)) / (2 * h);
      const double analytic = ((start.*part)[i] - (after.*part)[i]) / rate;
      EXPECT_NEAR(analytic, numeric, 1e-8 * (1 + std::abs(numeric))) << i;
    }
  };
  check(&PvdmNet<double>::tag);
  check(&PvdmNet<double>::word);
  check(&PvdmNet<double>::output);
}

TEST(Pvdm, LossOfLargeProductsIsFinite) {
  PvdmNet<double> net(1, 1, 2);
  net.tag[0] = 1;
  net.output = {-1e4, 1e4};
  const std::vector<int32_t> other = {1};
  EXPECT_DOUBLE_EQ(net.step(0, {}, 0, other, 0), 2e4);
}

// Each text comes twice, of words drawn at random: so words around tell nothing, and only its own vector tells a
// sentence.
TEST(Pvdm, SentencesOfTheSameWordsLieTogether) {
  RaggedBuilder<int32_t> word;
  const Random random(3, "sentences");
  const int64_t n = 120;
  for (uint64_t s = 0; s < n; ++s) {
    for (uint64_t i = 0; i < 8; ++i) word.push(static_cast<int32_t>(random.below(60, s % (n / 2), i)));
    word.end_row();
  }
  Sentences sentences;
  sentences.word = word.take();
  WordVectorOptions options;
  options.dim = 16;
  const Matrix x = train_pvdm(sentences, 60, options);
  ASSERT_EQ(x.rows, n);
  const auto dot = [&](int64_t i, int64_t j) {
    return static_cast<double>(std::inner_product(x[i].begin(), x[i].end(), x[j].begin(), 0.0f));
  };
  const auto cosine = [&](int64_t i, int64_t j) { return dot(i, j) / std::sqrt(dot(i, i) * dot(j, j)); };
  double same = 0, different = 0;
  for (int64_t a = 0; a < n / 2; ++a) {
    same += cosine(a, a + n / 2) * 2 / static_cast<double>(n);
    different += cosine(a, (a + 1) % (n / 2)) * 2 / static_cast<double>(n);
  }
  EXPECT_GT(same, different + 0.3);

  set_threads(3);
  const Matrix again = train_pvdm(sentences, 60, options);
  EXPECT_TRUE(std::ranges::equal(x.values, again.values));
  options.seed = 2;
  EXPECT_FALSE(std::ranges::equal(x.values, train_pvdm(sentences, 60, options).values));
}

}  // namespace
}  // namespace nd
