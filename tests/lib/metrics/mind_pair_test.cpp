// MIND's truth.txt and prediction.txt: what the official script takes, refuses and fills in.
#include "lib/metrics/mind_pair.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lib/io/error.h"
#include "lib/metrics/evaluate.h"

namespace nd::metrics {
namespace {

const std::vector<Column> kOfficial = {column_named("auc"), column_named("mrr"), column_named("ndcg@5"),
                                       column_named("ndcg@10")};

Evaluation judge(std::string_view truth, std::string_view prediction, int threads = 1) {
  const MindPair pair(truth, "truth.txt", prediction, "prediction.txt");
  return evaluate(pair.blocks(), kOfficial, Ties::last, threads);
}

std::string error_of(std::string_view truth, std::string_view prediction) {
  try {
    judge(truth, prediction);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(MindPair, JudgesRanks) {
  const Evaluation e = judge("1 [1,0,0]\n2 [0,0,1,1]\n", "1 [2,1,3]\n2 [4,2,1,3]\n");
  EXPECT_EQ(e.judged, 2);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, (0.5 + 0.75) / 2);
  EXPECT_DOUBLE_EQ(e.estimates[1].value, (0.5 + (1 + 1.0 / 3) / 2) / 2);
  EXPECT_DOUBLE_EQ(e.estimates[2].value, (1 / std::log2(3.0) + 1.5 / (1 + 1 / std::log2(3.0))) / 2);
}

TEST(MindPair, SkipsMaskedImpressionsWithoutLookingAtTheirPrediction) {
  const Evaluation e = judge("1 []\n2 [1,0]\n", "anything at all\n2 [1,2]\n");
  EXPECT_EQ(e.judged, 1);
  EXPECT_EQ(e.skipped.empty, 1);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, 1);
}

TEST(MindPair, GivesMissingPredictionsRankOneThroughout) {
  const MindPair pair("1 [1,0]\n2 [1,0,0]\n3 []\n", "t", "1 [1,2]\n", "p");
  EXPECT_EQ(pair.missing(), 2);
  const Evaluation e = evaluate(pair.blocks(), kOfficial, Ties::last, 1);
  EXPECT_EQ(e.judged, 2);
  EXPECT_EQ(e.constant, 1);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, (1 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(e.estimates[1].value, (1 + 1.0 / 3) / 2);  // of equal ranks the later item wins
  EXPECT_EQ(judge("1 [1,0]\n", "").judged, 1);
  // Across impressions too, a missing prediction counts as rank 1: above a rank of 2, level with a rank of 1.
  const std::vector<Column> pooled = {column_named("auc_pooled")};
  const MindPair above("1 [0,1]\n2 [0,1]\n", "t", "1 [3,2]\n", "p"), level("1 [1,0]\n2 [0,1]\n", "t", "1 [1,2]\n", "p");
  EXPECT_DOUBLE_EQ(evaluate(above.blocks(), pooled, Ties::last, 1).estimates[0].value, 2.5 / 4);
  EXPECT_DOUBLE_EQ(evaluate(level.blocks(), pooled, Ties::last, 1).estimates[0].value, 3.0 / 4);
}

TEST(MindPair, IgnoresPredictionsBeyondTheTruth) {
  const MindPair pair("1 [1,0]\n", "t", "1 [1,2]\nrubbish\n", "p");
  EXPECT_EQ(pair.surplus(), 1);
  EXPECT_EQ(pair.missing(), 0);
  EXPECT_EQ(evaluate(pair.blocks(), kOfficial, Ties::last, 1).judged, 1);
}

TEST(MindPair, TakesTheWhiteSpaceThatTheScriptTakes) {
  const Evaluation e = judge("  a-1\t[1,0]  \r\nb [0,1]", "a-1  [1,2]\r\n b [2,1]");
  EXPECT_EQ(e.judged, 2);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, 1);
}

TEST(MindPair, TakesRanksThatAreNoPermutation) {
  EXPECT_DOUBLE_EQ(judge("1 [1,0,0]\n", "1 [7,7,16777216]\n").estimates[0].value, 0.75);
}

TEST(MindPair, NamesFileAndRowOfABadLine) {
  EXPECT_EQ(error_of("1 [1,0]\n2 [1,0]\n", "1 [1,2]\n3 [1,2]\n"),
            "prediction.txt:2: expected impression 2 as in truth.txt, found 3");
  EXPECT_EQ(error_of("1 [1,0]\n", "1 [1,2,3]\n"),
            "prediction.txt:1: expected 2 ranks, one per label in truth.txt, found 3");
  EXPECT_EQ(error_of("1 [1,0]\n", "1 [0,2]\n"), "prediction.txt:1: expected ranks from 1 to 16777216, found `0`");
  EXPECT_EQ(error_of("1 [1,2]\n", "1 [1,2]\n"), "truth.txt:1: expected labels 0 or 1, found `2`");
  EXPECT_EQ(error_of("1 [1,0]\n\n", "1 [1,2]\n"), "truth.txt:2: expected `id [a,b,c]`, found an empty line");
}

TEST(MindPair, RefusesMalformedLines) {
  for (const char* bad :
       {"",         " ",         "1",       "1 ",       "1 [",      "1 [1",           "1 [1,",
        "1 [1,2",   "1 [1,]",    "1 [,1]",  "1 [1 ,2]", "1 [1, 2]", "1 [1,2] x",      "1 [1,2]]",
        "1 [1,-2]", "1 [1,2.5]", "1 [1,x]", "1 1,2",    "[1,2]",    "1 [16777217,1]", "1 [1,99999999999999999999]"}) {
    const std::string line = std::string(bad) + "\n";
    EXPECT_NE(error_of("1 [1,0]\n", line).find("prediction.txt:1: expected"), std::string::npos) << bad;
    EXPECT_NE(error_of(line, "1 [1,0]\n").find(":1: expected"), std::string::npos) << bad;
  }
}

// Past the first block of lines, in the middle of the last one, and the first of two errors wins for any threads.
TEST(MindPair, FindsTheFirstErrorWhateverTheThreads) {
  std::string truth, prediction;
  for (int i = 1; i <= 3000; ++i) {
    truth += std::to_string(i) + " [0,1]\n";
    prediction += std::to_string(i) + (i == 1777 || i == 2900 ? " [1,2\n" : " [2,1]\n");
  }
  for (const int threads : {1, 2, 7}) {
    try {
      judge(truth, prediction, threads);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find("prediction.txt:1777:"), 0u) << e.what();
    }
  }
}

TEST(MindPair, PooledAucReadsAllBlocks) {
  std::string truth, prediction;
  for (int i = 1; i <= 1000; ++i) {
    truth += std::to_string(i) + " [0,1]\n";
    prediction += std::to_string(i) + (i <= 500 ? " [1,2]\n" : " [2,1]\n");
  }
  const MindPair pair(truth, "t", prediction, "p");
  const std::vector<Column> columns = {column_named("auc_pooled"), column_named("auc")};
  const Evaluation e = evaluate(pair.blocks(), columns, Ties::last, 2);
  EXPECT_DOUBLE_EQ(e.estimates[0].value, 0.5);
  EXPECT_DOUBLE_EQ(e.estimates[1].value, 0.5);
  EXPECT_EQ(e.judged, 1000);
}

// A prefix of a good file, or a byte of it changed, is judged or refused, and nothing else (run under sanitizers).
TEST(MindPair, SurvivesEveryPrefixAndByte) {
  const std::string truth = "1 [1,0]\n22 [0,1,0]\n3 []\n4 [1,0]\n",
                    prediction = "1 [1,2]\n22 [3,12,1]\n3 []\n4 [2,1]\n";
  for (size_t n = 0; n <= prediction.size(); ++n) {
    error_of(truth, std::string(prediction, 0, n));
    error_of(std::string(truth, 0, std::min(n, truth.size())), prediction);
  }
  for (size_t i = 0; i < prediction.size(); ++i)
    for (int c = 0; c < 256; ++c) {
      std::string changed = prediction;
      changed[i] = static_cast<char>(c);
      error_of(truth, changed);
    }
}

}  // namespace
}  // namespace nd::metrics
