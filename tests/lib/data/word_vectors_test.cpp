#include "lib/data/word_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lib/data/words.h"
#include "lib/io/error.h"
#include "lib/tensor/parallel.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

using Texts = std::vector<std::string>;

Texts words_in(std::string_view text) {
  WordSplitter splitter;
  SentenceWords out;
  splitter.split(text, out);
  return out.words;
}

Corpus corpus_of(const std::vector<std::string>& titles) {
  StringsBuilder id, title, none;
  for (size_t i = 0; i < titles.size(); ++i) {
    id.push("N" + std::to_string(i));
    title.push(titles[i]);
    none.push("");
  }
  Corpus c;
  c.id = id.take();
  c.title = title.take();
  c.abstract = c.body = none.take();
  return c;
}

TEST(WordSplitter, LowersLettersAndDropsPunctuation) {
  EXPECT_EQ(words_in("Don't stop — NASA's 2nd try!"), (Texts{"don't", "stop", "nasa's", "2nd", "try"}));
}

TEST(WordSplitter, KnowsNorwegianAndChinese) {
  EXPECT_EQ(words_in("Blåbær ÆØÅ"), (Texts{"blåbær", "æøå"}));
  const auto chinese = words_in("我喜欢新闻");
  EXPECT_GT(chinese.size(), 1u);
  std::string joined;
  for (const auto& w : chinese) joined += w;
  EXPECT_EQ(joined, "我喜欢新闻");
}

TEST(WordSplitter, SurvivesBytesThatAreNoText) {
  EXPECT_EQ(words_in("ok \xff\xfe ok"), (Texts{"ok", "ok"}));
  EXPECT_TRUE(words_in("").empty());
}

TEST(WordSplitter, ComposesLetters) { EXPECT_EQ(words_in("A\u030angstro\u0308m"), (Texts{"\u00e5ngstr\u00f6m"})); }

TEST(WordSplitter, EndsSentencesWhereTheyEndAndAtTheEndOfAText) {
  WordSplitter splitter;
  SentenceWords out;
  splitter.split("He paid $3.50 for it. She did not! ... \u2014", out);
  splitter.split("", out);
  splitter.split("Another text", out);
  EXPECT_EQ(out.ends, (std::vector<size_t>{5, 8, 10}));
  EXPECT_EQ(out.words.size(), 10u);
}

TEST(CorpusWords, CountArticlesAndKeepSentencesApart) {
  Corpus corpus = corpus_of({"One two. Two three.", "", "two"});
  StringsBuilder abstract;
  for (const char* text : {"Four", "", "Five two."}) abstract.push(text);
  corpus.abstract = abstract.take();
  const CorpusWords all = words_of(corpus, {});
  ASSERT_EQ(all.word.size(), 5);
  EXPECT_EQ(all.word[3], "four");
  EXPECT_EQ(all.documents, (std::vector<int64_t>{1, 2, 1, 1, 1}));
  EXPECT_EQ(all.text[0].size(), 5u);
  EXPECT_EQ(all.text[1].size(), 0u);
  EXPECT_EQ(all.sentence_end, (std::vector<int64_t>{2, 4, 5, 6, 8}));
  EXPECT_EQ(words_of(corpus, {.abstract = false}).text.values.size(), 5);
}

TEST(CorpusWords, OfManyArticlesAreTheSameForAnyThreads) {
  std::vector<std::string> titles;
  for (int i = 0; i < 9000; ++i)
    titles.push_back("word" + std::to_string(i * i % 977) + " and word" + std::to_string(i));
  const Corpus corpus = corpus_of(titles);
  set_threads(1);
  const CorpusWords one = words_of(corpus, {});
  set_threads(3);
  const CorpusWords three = words_of(corpus, {});
  set_threads(0);
  EXPECT_EQ(one.text.size(), 9000);
  EXPECT_TRUE(std::ranges::equal(one.text.values, three.text.values));
  EXPECT_EQ(one.sentence_end, three.sentence_end);
  EXPECT_TRUE(std::ranges::equal(one.word.values, three.word.values));
}

TEST(DocumentVectors, WeighRareWordsMoreAndScaleToLength) {
  const Corpus corpus = corpus_of({"common rare", "common", "common", "unknown"});
  StringsBuilder id;
  id.push("common");
  id.push("rare");
  const Vectors words{id.take(), {std::vector<float>{1, 0, 0, 1}, 2, 2}, {}, {}};
  int64_t without = 0;
  const Vectors d = document_vectors(corpus, words_of(corpus, {}), words, 0, without);
  const double common = std::log1p(4.0 / 3), rare = std::log1p(4.0);
  EXPECT_NEAR(d.x[0][0], common / (common + rare), 1e-6);
  EXPECT_NEAR(d.x[0][1], rare / (common + rare), 1e-6);
  EXPECT_EQ(without, 1);
  EXPECT_EQ(d.x[3][0], 0);
  const Vectors scaled = document_vectors(corpus, words_of(corpus, {}), words, 10, without);
  EXPECT_NEAR(std::hypot(scaled.x[0][0], scaled.x[0][1]), 10, 1e-5);
}

TEST(WordVectors, AreTheSameAgainAndForAnyThreads) {
  std::vector<std::string> titles;
  for (int i = 0; i < 300; ++i) titles.push_back(i % 2 ? "cats purr and sleep" : "stocks fall and rise");
  const Corpus corpus = corpus_of(titles);
  WordVectorOptions options;
  options.dim = 16;
  options.epochs = 5;
  set_threads(1);
  const Vectors one = train_word_vectors(words_of(corpus, {}), options);
  set_threads(7);
  const Vectors seven = train_word_vectors(words_of(corpus, {}), options);
  set_threads(0);
  ASSERT_EQ(one.x.values.size(), seven.x.values.size());
  for (int64_t i = 0; i < one.x.values.size(); ++i) ASSERT_EQ(one.x.values[i], seven.x.values[i]);
}

TEST(WordVectors, PutWordsThatOccurTogetherNearEachOther) {
  // Two topics of 40 words; a title has six words of one topic.
  RandomSequence random(1, "titles");
  std::vector<std::string> titles;
  for (int i = 0; i < 4000; ++i) {
    std::string title;
    for (int j = 0; j < 6; ++j) title += (i % 2 ? "a" : "b") + std::to_string(random.below(40)) + " ";
    titles.push_back(title);
  }
  const CorpusWords words = words_of(corpus_of(titles), {});
  const Vectors v = train_word_vectors(words, {.dim = 16});
  double same = 0, other = 0;
  int64_t sames = 0, others = 0;
  for (int64_t a = 0; a < v.size(); ++a)
    for (int64_t b = 0; b < a; ++b) {
      double ab = 0, aa = 0, bb = 0;
      for (int64_t j = 0; j < 16; ++j) {
        ab += v.x[a][j] * v.x[b][j];
        aa += v.x[a][j] * v.x[a][j];
        bb += v.x[b][j] * v.x[b][j];
      }
      const bool alike = v.id[a][0] == v.id[b][0];
      (alike ? same : other) += ab / std::sqrt(aa * bb);
      ++(alike ? sames : others);
    }
  EXPECT_GT(same / static_cast<double>(sames), other / static_cast<double>(others) + 0.3);
}

// "__label__" is how fastText marks what is no word; it stops the whole program when asked for the vector of one.
TEST(WordVectors, OfWordsThatFastTextTakesForItsOwnSignsAreOrdinary) {
  const std::vector<std::string> titles(200, "__label__x meets s and __label__y");
  const Vectors v = train_word_vectors(words_of(corpus_of(titles), {}), {.dim = 8, .epochs = 2});
  ASSERT_EQ(v.size(), 5);
  EXPECT_EQ(v.id[0], "__label__x");
  EXPECT_TRUE(std::ranges::any_of(v.x[0], [](float x) { return x != 0; }));
}

TEST(WordVectors, MayUsePartsOfWords) {
  std::vector<std::string> titles(200, "reading readings reader read");
  const CorpusWords words = words_of(corpus_of(titles), {});
  const Vectors v = train_word_vectors(words, {.dim = 8, .epochs = 2, .longest_subword = 5});
  const Vectors plain = train_word_vectors(words, {.dim = 8, .epochs = 2});
  EXPECT_EQ(v.size(), 4);
  EXPECT_FALSE(std::ranges::equal(v.x.values, plain.x.values));
}

TEST(WordVectors, SayThatNoWordIsFrequentEnough) {
  EXPECT_THROW(train_word_vectors(words_of(corpus_of({"a b c"}), {}), {}), Error);
}

}  // namespace
}  // namespace nd
