#include "lib/data/words.h"

#include <unicode/brkiter.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include "lib/io/error.h"

namespace nd {

struct WordSplitter::State {
  std::unique_ptr<icu::BreakIterator> words;
};

WordSplitter::WordSplitter() : state_(std::make_unique<State>()) {
  UErrorCode error = U_ZERO_ERROR;
  state_->words.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), error));
  if (U_FAILURE(error)) throw Error(std::string("ICU has no rules for words here: ") + u_errorName(error));
}

WordSplitter::~WordSplitter() = default;

void WordSplitter::split(std::string_view text, std::vector<std::string>& words) {
  // Lower-casing first: it may change lengths, and boundaries do not depend on case.
  icu::UnicodeString all = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  all.toLower(icu::Locale::getRoot());
  icu::BreakIterator& at = *state_->words;
  at.setText(all);
  int32_t begin = at.first();
  for (int32_t end = at.next(); end != icu::BreakIterator::DONE; begin = end, end = at.next()) {
    if (at.getRuleStatus() < UBRK_WORD_NUMBER) continue;  // punctuation and white space
    std::string word;
    all.tempSubStringBetween(begin, end).toUTF8String(word);
    words.push_back(std::move(word));
  }
}

}  // namespace nd
