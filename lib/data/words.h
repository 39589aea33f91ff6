// Text into words, in any language: ICU's word boundaries, lower-cased.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nd {

class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();
  WordSplitter(const WordSplitter&) = delete;

  // Appends the words of UTF-8 text in order: letters, numbers, kana and ideographs; punctuation and spaces are no words.
  // Bytes that are no UTF-8 count as U+FFFD, which is no word.
  void split(std::string_view text, std::vector<std::string>& words);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nd
