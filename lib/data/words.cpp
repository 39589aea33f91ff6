#include "lib/data/words.h"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "lib/io/error.h"

namespace nd {
namespace {

constexpr size_t kLongestText = size_t{1} << 29;  // ICU counts in 32 bits, and NFC may lengthen a text

void check(UErrorCode error, const char* what) {
  if (U_FAILURE(error)) throw Error(std::string("ICU cannot ") + what + ": " + u_errorName(error));
}

}  // namespace

struct WordSplitter::State {
  std::unique_ptr<icu::BreakIterator> sentences, words;
  const icu::Normalizer2* nfc = nullptr;  // ICU's own
};

WordSplitter::WordSplitter() : state_(std::make_unique<State>()) {
  UErrorCode error = U_ZERO_ERROR;
  state_->sentences.reset(icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), error));
  check(error, "find sentences");
  state_->words.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), error));
  check(error, "find words");
  state_->nfc = icu::Normalizer2::getNFCInstance(error);
  check(error, "normalise text");
}

WordSplitter::~WordSplitter() = default;

void WordSplitter::split(std::string_view text, SentenceWords& out) {
  if (text.size() > kLongestText) throw Error("a text of over 512 MiB cannot be split into words");
  UErrorCode error = U_ZERO_ERROR;
  // Case stays until a word is cut out: where a sentence ends depends on it.
  const icu::UnicodeString all = state_->nfc->normalize(
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size()))), error);
  check(error, "normalise a text");
  icu::BreakIterator &sentence = *state_->sentences, &word = *state_->words;
  sentence.setText(all);
  word.setText(all);
  size_t before = out.words.size();
  const auto end_sentence = [&] {
    if (out.words.size() > before) out.ends.push_back(before = out.words.size());
  };
  sentence.first();
  int32_t sentence_end = sentence.next(), begin = word.first();
  for (int32_t end = word.next(); end != icu::BreakIterator::DONE; begin = end, end = word.next()) {
    while (sentence_end != icu::BreakIterator::DONE && begin >= sentence_end) {
      end_sentence();
      sentence_end = sentence.next();
    }
    if (word.getRuleStatus() < UBRK_WORD_NUMBER) continue;  // punctuation and white space
    icu::UnicodeString lower(all, begin, end - begin);
    lower.toLower(icu::Locale::getRoot()).toUTF8String(out.words.emplace_back());
  }
  end_sentence();
}

}  // namespace nd
