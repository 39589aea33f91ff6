#include <array>
#include <string_view>
#include <vector>

#include "lib/data/interner.h"
#include "lib/data/log_time.h"
#include "lib/data/mind.h"
#include "lib/data/table.h"

namespace nd {
namespace {

enum Column : size_t { kImpression, kUser, kTime, kHistory, kCandidates };

std::vector<TableColumn> behavior_columns() {
  using enum TableColumn::Presence;
  return {{{"impression_id", "impressionid", "imp_id", "impid", "id"}, required},
          {{"user_id", "userid", "uid", "user"}, required},
          {{"time", "timestamp", "date"}, required},
          {{"history", "click_history", "clicked_news"}, required},
          {{"impressions", "impression", "candidates"}, required}};
}

// A word of a history or of a list of candidates. Of article-1 and article-0 the id is what stands before the hyphen.
struct Word {
  std::string_view text;
  uint8_t label;
  Vocabulary::Key key;  // of the id

  std::string_view id() const { return text.substr(0, text.size() - (label == kUnlabelled ? 0 : 2)); }
};

uint8_t label_of(std::string_view word) {
  return word.ends_with("-1") ? kClicked : word.ends_with("-0") ? kNotClicked : kUnlabelled;
}

class BehaviorReader {
 public:
  BehaviorReader(const Strings& article_id, Skips& skips, MindBehaviorCounts& counts)
      : articles_(article_id), skips_(skips), counts_(counts) {}

  void read(const std::string& path) {
    TableReader table(path, behavior_columns());
    // A word of a list is at least this long with its blank, and each list is about half of the file. What is reserved
    // and not needed is never touched.
    constexpr size_t kWord = 8;
    const size_t words = table.bytes() / 2 / kWord;
    candidate_.reserve(words);
    label_.reserve(words);
    histories_.reserve(words);
    while (table.next(skips_))
      if (const char* problem = add(table)) skips_.skip(table.path(), table.row(), problem);
    if (user_.empty()) throw table.nothing_usable(skips_);
  }

  Behavior take() {
    return {users_.take(),     histories_.take(), ids_.take(),
            std::move(user_),  std::move(time_),  std::move(history_),
            candidate_.take(), std::move(label_), std::vector<int64_t>{articles_.size()}};
  }

 private:
  // Keeps the row, or says why it cannot be kept.
  const char* add(const TableReader& row) {
    if (row[kImpression].empty()) return "the impression id is empty";
    if (row[kUser].empty()) return "the user id is empty";
    int64_t time = -1;
    if (!row[kTime].empty() && !parse_log_time(row[kTime], time)) return "the time does not exist or is not a time";
    if (const char* problem = read_candidates(row[kCandidates])) return problem;
    const int64_t known = ids_.size();
    if (ids_.add(row[kImpression]) < known) return "the impression id came before";
    read_history(row);

    candidate_.append(shown_);
    candidate_.end_row();
    label_.insert(label_.end(), shown_label_.begin(), shown_label_.end());
    user_.push_back(users_.add(row[kUser]));
    time_.push_back(time);
    history_.push_back(histories_.add(clicked_));
    counts_.unlabelled += shown_label_.front() == kUnlabelled;
    counts_.without_time += time < 0;
    counts_.empty_history += clicked_.empty();
    return nullptr;
  }

  // Calls f(word) for each word between blanks, until it returns false. Look-ups are announced a few words ahead, so
  // that they do not wait for memory one after the other: that is where most of the time would go.
  template <class F>
  void each_word(std::string_view text, bool labelled, F&& f) {
    while (!text.empty()) {
      size_t count = 0;
      while (!text.empty() && count < words_.size()) {
        const size_t blank = text.find(' ');
        const std::string_view word = text.substr(0, blank);
        text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
        if (word.empty()) continue;
        Word& w = words_[count++];
        w.text = word;
        w.label = labelled ? label_of(word) : kUnlabelled;
        w.key = Vocabulary::key_of(w.id());
        articles_.prefetch(w.key);
      }
      for (size_t i = 0; i < count; ++i)
        if (!f(words_[i])) return;
    }
  }

  const char* read_candidates(std::string_view text) {
    shown_.clear();
    shown_label_.clear();
    const char* problem = nullptr;
    each_word(text, true, [&](const Word& word) {
      problem = read_candidate(word);
      return problem == nullptr;
    });
    return problem || !shown_.empty() ? problem : "no article was shown";
  }

  const char* read_candidate(const Word& word) {
    int32_t article = articles_.find(word.id(), word.key);
    uint8_t label = word.label;
    if (article < 0 && label != kUnlabelled) {  // an id may itself end in -0 or -1
      article = articles_.find(word.text);
      label = kUnlabelled;
    }
    if (article < 0) return has_other_label(word.text) ? "a label is neither 0 nor 1" : "an unknown article was shown";
    if (!shown_.empty() && (shown_label_.back() == kUnlabelled) != (label == kUnlabelled))
      return "some articles shown have a label and some have none";
    shown_.push_back(article);
    shown_label_.push_back(label);
    return nullptr;
  }

  bool has_other_label(std::string_view word) const {
    const size_t hyphen = word.rfind('-');
    return hyphen != std::string_view::npos && articles_.find(word.substr(0, hyphen)) >= 0;
  }

  void read_history(const TableReader& row) {
    clicked_.clear();
    bool unknown = false;
    each_word(row[kHistory], false, [&](const Word& word) {
      const int32_t article = articles_.find(word.id(), word.key);
      if (article >= 0) clicked_.push_back(article);
      else unknown = true;
      return true;
    });
    if (unknown) skips_.cut(row.path(), row.row(), "an unknown article in the history");
  }

  Vocabulary articles_;
  Skips& skips_;
  MindBehaviorCounts& counts_;

  std::array<Word, 32> words_;            // looked up together
  std::vector<int32_t> clicked_, shown_;  // of the row at hand
  std::vector<uint8_t> shown_label_;

  Vocabulary users_, ids_;
  Interner<int32_t> histories_;
  std::vector<int32_t> user_, history_;
  std::vector<int64_t> time_;
  RaggedBuilder<int32_t> candidate_;
  std::vector<uint8_t> label_;
};

}  // namespace

Behavior read_mind_behaviors(const std::string& path, const Strings& article_id, Skips& skips,
                             MindBehaviorCounts& counts) {
  BehaviorReader reader(article_id, skips, counts);
  reader.read(path);
  return reader.take();
}

}  // namespace nd
