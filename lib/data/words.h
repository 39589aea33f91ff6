// Text into sentences and words, in any language, by ICU's boundaries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nd {

// Words one after the other, and for each sentence that has any the number of words up to its end.
struct SentenceWords {
  std::vector<std::string> words;
  std::vector<size_t> ends;
};

class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();
  WordSplitter(const WordSplitter&) = delete;

  // Appends the words of UTF-8 text in order, in NFC and lower case: letters, numbers, kana and ideographs; punctuation
  // and spaces are no words. Bytes that are no UTF-8 count as U+FFFD, which is no word. The end of the text ends a
  // sentence. Error when the text is over 2^29 bytes.
  void split(std::string_view text, SentenceWords& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nd
