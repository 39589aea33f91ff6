// The two files of the MIND competition: truth.txt with the labels and prediction.txt with a submission's ranks.
//
// A line of either is `id [a,b,c]` without spaces inside the brackets: labels 0 or 1 in the one, the ranks (1 = best)
// of the same candidates in the same order in the other. This reader accepts and refuses what the official evaluate.py
// does (github.com/msnews/MIND):
//   - `[]` in the truth masks the impression: it is skipped and its prediction is not looked at;
//   - a prediction that ends early gives every candidate of the remaining impressions rank 1;
//   - prediction lines beyond the truth are ignored;
//   - ids must agree line by line, and so must the number of candidates; ranks need not be distinct.
// It is stricter in one thing: ranks are whole numbers from 1 to 2^24 (the script takes any number from 1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/metrics/evaluate.h"

namespace nd::metrics {

class MindPair {
 public:
  // Both texts whole; they must outlive this. The paths only name them in errors.
  MindPair(std::string_view truth, std::string truth_path, std::string_view prediction, std::string prediction_path);

  // Scores are negated ranks: the order of 1 / rank, and exact. Reading a block throws Error with file and row at its
  // first bad line. Valid as long as this.
  ImpressionBlocks blocks() const;
  // Truth lines without a prediction line, masked ones included, and prediction lines beyond the truth.
  int64_t missing() const { return std::max<int64_t>(0, truth_.count() - prediction_.count()); }
  int64_t surplus() const { return std::max<int64_t>(0, prediction_.count() - truth_.count()); }

 private:
  struct Lines {
    std::string_view text;
    std::string path;
    std::vector<size_t> begin;  // of every line, and the end of the text
    int64_t count() const { return static_cast<int64_t>(begin.size()) - 1; }
  };
  class Reader;

  static Lines find_lines(std::string_view text, std::string path);
  void read_line(int64_t line, ImpressionTable& out) const;

  Lines truth_, prediction_;
};

// What the official script measures: auc, mrr, ndcg@5, ndcg@10.
std::vector<Column> official_columns();
// What it prints: AUC, MRR, nDCG@5 and nDCG@10, one a line, to four decimals.
std::string official_text(const Evaluation& evaluation);

}  // namespace nd::metrics
