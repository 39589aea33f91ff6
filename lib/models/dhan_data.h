// What D-HAN reads: the articles of a corpus with their stacks of sentence and element vectors, as rows of frozen
// matrices, and which of them, and of the users, the model knows by name.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/clicks.h"
#include "formats/corpus.h"
#include "formats/stacks.h"
#include "lib/data/windows.h"
#include "lib/models/dhan.h"
#include "lib/tensor/arena.h"

namespace nd {

// What did not join, for the user to see.
struct DhanCoverage {
  int64_t articles = 0;
  int64_t without_text = 0, without_elements = 0;  // all of them where there is no file of stacks
  int64_t unknown = 0;                             // articles the model does not know by name
};

class DhanData {
 public:
  // `sentences` and `elements` may be null where the model uses none. `known`: ids of the articles with an identity of
  // their own, in the order of its table. An article without sentences has zeros for them, one without elements ones
  // (dhan.md 1.1). Throws Error (without a path) when a file and the corpus share no id.
  DhanData(const Corpus& corpus, const Stacks* sentences, const Stacks* elements, const Strings& known);
  DhanData(const DhanData&) = delete;

  const DhanCoverage& coverage() const { return coverage_; }
  const DhanFrozen& frozen() const { return frozen_; }
  int64_t articles() const { return static_cast<int64_t>(article_id.size()); }

  // By article of the corpus.
  std::vector<int32_t> article_sentence, article_element;  // its stack; empty where there are none
  std::vector<int32_t> article_id;                         // its row of identities
  // The same where operations on articles that only the device knows can read them.
  struct {
    std::span<const int32_t> sentence, element, id;
  } lists;

 private:
  struct Joined {
    Matrix x;                 // [stacks * height, d]
    std::vector<float> mean;  // [stacks, d]
    int64_t missing = 0;
  };
  static Joined join(const Corpus& corpus, const Stacks& stacks, float missing, const char* what,
                     std::vector<int32_t>& article);

  DhanFrozen frozen_;
  DhanCoverage coverage_;
  Joined sentence_, element_;  // keep what frozen_ points at, or was copied from
  Arena tables_;               // frozen_ where that is a GPU's
};

// The row of each id in `known`, or that of the unknown, the one behind the last.
std::vector<int32_t> rows_in(const Strings& ids, const Strings& known);
// Those ids whose row is marked, in order.
Strings marked(const Strings& ids, const std::vector<bool>& mark);
// The users with a training window.
Strings trained_users(const Clicks& clicks, const Windows& windows);
// The years that training clicks lie in, for the table of years.
void see_years(const Clicks& clicks, const Windows& windows, DhanTimeOptions& times);

}  // namespace nd
