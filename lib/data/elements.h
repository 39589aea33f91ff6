// Who, when, where, what: the elements that a NER tool found in articles, as stacks of word vectors (D-HAN,
// dhan.md 1.1).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/corpus.h"
#include "formats/stacks.h"
#include "formats/vectors.h"
#include "lib/data/interner.h"
#include "lib/data/words.h"
#include "lib/io/json.h"
#include "lib/io/skips.h"

namespace nd {

// In the order of the rows of a stack.
inline constexpr std::array<const char*, 5> element_kinds = {"time", "person", "organization", "location", "keywords"};

// What NER tools call the kinds; case does not count.
class ElementLabels {
 public:
  // The usual labels, and those of "PER=person,MISC=none,...": none is left out silently. UsageError for another kind.
  explicit ElementLabels(std::string_view more);
  // Index of the kind; kNone for none of them, kUnknown for a label nobody told of.
  static constexpr int kNone = -1, kUnknown = -2;
  int find(std::string_view label) const;

 private:
  std::map<std::string, int, std::less<>> kind_;
};

struct ElementFormat {
  std::string name = "auto";  // json, conll, or auto: json when the first line opens with {
  int64_t token_column = 1;   // of conll, from 1
};

struct ElementCounts {
  int64_t words = 0, words_known = 0;  // of elements of articles of the corpus
  int64_t articles = 0;                // that have any word with a vector
  std::array<int64_t, 5> by_kind{};    // articles that have one of this kind
};

class ElementReader {
 public:
  // Both must outlive the reader.
  ElementReader(const Corpus& corpus, const Vectors& words, ElementLabels labels);

  // json: an object a line, {"id": ID, LABEL: "element" or ["element", ...], ...}.
  // conll: a token a line, its label in the last column ("O" or "_": none; before the label may stand B-, I-, E-, S-,
  // L- or U-; of CoNLL-U's last column the part name=LABEL counts). A document begins with "# newdoc id = ID" or
  // "-DOCSTART- ID".
  // Of an article that comes again the elements are added. Skipped: text that is no UTF-8 or no JSON object, rows
  // without an id, articles that the corpus has not. Used in part: rows with a label nobody told of, or an element that
  // is no text. Error for an empty file, and for a token before the first document.
  void read(const std::string& path, const ElementFormat& format, Skips& skips);

  // [5 rows an article, in the corpus' order] Of each kind the mean of its words' vectors; where an article has none of
  // the kind, the mean over all its words; then each row is normalised. An article without any known word gets ones.
  Stacks stacks();

  ElementCounts counts;

 private:
  const char* add_object(std::string_view line, const char*& cut);
  const char* add_token(std::string_view line, const ElementFormat& format, const char*& cut);
  const char* open_document(std::string_view id);
  void add_words(int64_t article, int kind, std::string_view text);

  const Corpus& corpus_;
  const Vectors& words_;
  ElementLabels labels_;
  Vocabulary article_, word_;
  json::Parser parser_;
  WordSplitter splitter_;
  SentenceWords split_;
  int64_t document_ = -1;  // conll: row of the article at hand, -1 where it is unknown
  bool in_document_ = false;
  std::vector<std::string_view> fields_;
  // One entry per known word.
  std::vector<int32_t> of_article_, of_word_;
  std::vector<uint8_t> of_kind_;
};

}  // namespace nd
