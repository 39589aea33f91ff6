#include "lib/metrics/mind_pair.h"

#include <cstdio>
#include <cstring>

#include "lib/io/error.h"

namespace nd::metrics {
namespace {

constexpr uint32_t kMaxRank = 1 << 24;  // as far as float counts exactly
constexpr const char* kRanks = "ranks from 1 to 16777216";
constexpr int64_t kLinesPerBlock = 256;

}  // namespace

// Goes through one line.
class MindPair::Reader {
 public:
  Reader(const Lines& lines, int64_t line)
      : path_(lines.path),
        row_(line + 1),
        p_(lines.text.data() + lines.begin[static_cast<size_t>(line)]),
        end_(lines.text.data() + lines.begin[static_cast<size_t>(line) + 1]) {}

  // The first field; stops inside the brackets of the second.
  std::string_view id() {
    skip_space();
    const char* begin = p_;
    while (p_ < end_ && !space(*p_)) ++p_;
    const std::string_view id(begin, static_cast<size_t>(p_ - begin));
    if (id.empty()) fail("expected `id [a,b,c]`, found an empty line");
    skip_space();
    if (p_ == end_ || *p_ != '[') fail("expected `id [a,b,c]`, found no list after " + std::string(id));
    ++p_;
    return id;
  }
  // The rest of the second field: appends value(i) for each whole number i in [low, high], and checks that the line
  // ends.
  template <class T, class Value>
  void list(uint32_t low, uint32_t high, const char* expected, std::vector<T>& out, Value&& value) {
    // A number and its comma take two bytes at least; room for all of them at once keeps the loop free of checks.
    const size_t before = out.size();
    out.resize(before + static_cast<size_t>(end_ - p_) / 2 + 1);
    T* to = out.data() + before;
    const char *p = p_, *const end = end_;  // locals, since the writes below could alias members
    char after = p < end && *p == ']' ? *p++ : ',';
    while (after == ',') {
      const char* begin = p;
      uint32_t number = 0;
      for (; p < end && *p >= '0' && *p <= '9' && number <= high; ++p)
        number = number * 10 + static_cast<uint32_t>(*p - '0');
      if (p == begin || number < low || number > high || p == end || (*p != ',' && *p != ']')) fail(expected, begin);
      *to++ = value(number);
      after = *p++;
    }
    p_ = p;
    out.resize(static_cast<size_t>(to - out.data()));
    skip_space();
    if (p_ != end_) fail("expected the line to end after `]` (a list holds no spaces)");
  }
  [[noreturn]] void fail(const std::string& what) const { throw Error(path_, row_, what); }
  // Shows the list's item that begins at `item`.
  [[noreturn]] void fail(const std::string& expected, const char* item) const {
    const char* to = item;
    while (to < end_ && to - item < 20 && *to != ',' && *to != ']' && !space(*to)) ++to;
    fail("expected " + expected + ", found `" + std::string(item, to) + "`");
  }

 private:
  // What the script's split() takes for white space, a carriage return included.
  static bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  void skip_space() {
    while (p_ < end_ && space(*p_)) ++p_;
  }

  const std::string& path_;
  const int64_t row_;
  const char* p_;
  const char* const end_;
};

MindPair::MindPair(std::string_view truth, std::string truth_path, std::string_view prediction,
                   std::string prediction_path)
    : truth_(find_lines(truth, std::move(truth_path))),
      prediction_(find_lines(prediction, std::move(prediction_path))) {}

MindPair::Lines MindPair::find_lines(std::string_view text, std::string path) {
  Lines lines{text, std::move(path), {0}};
  for (size_t at = 0; at < text.size();) {
    const void* end = std::memchr(text.data() + at, '\n', text.size() - at);
    at = end ? static_cast<size_t>(static_cast<const char*>(end) - text.data()) + 1 : text.size();
    lines.begin.push_back(at);
  }
  return lines;
}

ImpressionBlocks MindPair::blocks() const {
  auto read = [this](int64_t block, ImpressionTable& scratch) {
    const int64_t begin = block * kLinesPerBlock;
    for (int64_t line = begin; line < std::min(begin + kLinesPerBlock, truth_.count()); ++line)
      read_line(line, scratch);
    return scratch.view();
  };
  return {truth_.count(), kLinesPerBlock, read};
}

void MindPair::read_line(int64_t line, ImpressionTable& out) const {
  Reader truth(truth_, line);
  const std::string_view id = truth.id();
  truth.list(0, 1, "labels 0 or 1", out.labels, [](uint32_t label) { return static_cast<uint8_t>(label); });
  const size_t before = out.scores.size(), candidates = out.labels.size() - before;
  out.offsets.push_back(static_cast<int64_t>(out.labels.size()));
  if (line >= prediction_.count()) out.scores.resize(out.labels.size(), -1.0f);
  if (line >= prediction_.count() || candidates == 0) return;

  Reader prediction(prediction_, line);
  const std::string_view predicted = prediction.id();
  if (predicted != id)
    prediction.fail("expected impression " + std::string(id) + " as in " + truth_.path + ", found " +
                    std::string(predicted));
  prediction.list(1, kMaxRank, kRanks, out.scores, [](uint32_t rank) { return -static_cast<float>(rank); });
  if (const size_t ranks = out.scores.size() - before; ranks != candidates)
    prediction.fail("expected " + std::to_string(candidates) + " ranks, one per label in " + truth_.path + ", found " +
                    std::to_string(ranks));
}

std::vector<Column> official_columns() {
  return {column_named("auc"), column_named("mrr"), column_named("ndcg@5"), column_named("ndcg@10")};
}

std::string official_text(const Evaluation& e) {
  char text[128];
  std::snprintf(text, sizeof text, "AUC:%.4f\nMRR:%.4f\nnDCG@5:%.4f\nnDCG@10:%.4f\n", e.estimates[0].value,
                e.estimates[1].value, e.estimates[2].value, e.estimates[3].value);
  return text;
}

}  // namespace nd::metrics
