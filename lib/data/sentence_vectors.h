// Vectors of the sentences of articles: means of word vectors, or learnt with the words (lib/data/pvdm.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/vectors.h"
#include "lib/data/word_vectors.h"

namespace nd {

// What sentences are made of: the words that have a vector. A sentence that has none of them is left out.
struct Sentences {
  Ragged<int32_t> word;          // [s] rows of the word vectors, in reading order
  std::vector<int64_t> article;  // [articles + 1] the sentences of article i are [article[i], article[i + 1])

  int64_t found = 0;                   // sentences in all
  int64_t unknown = 0;                 // left out: no word has a vector
  int64_t beyond = 0;                  // left out: after the first `most` of their article
  int64_t words = 0, words_known = 0;  // of all sentences found
  int64_t articles_without = 0;

  int64_t size() const { return word.size(); }
};

// For each word the row of its vector, -1 where it has none.
std::vector<int32_t> vector_rows(const Strings& words, const Vectors& vectors);

// vector_of[w]: row of the vector of words.word[w], or -1. Of each article the first `most` sentences are kept.
Sentences sentences_of(const CorpusWords& words, std::span<const int32_t> vector_of, int64_t most);

// [s x d] the mean of the vectors of each sentence's words.
Matrix mean_vectors(const Sentences& sentences, const Vectors& words);

}  // namespace nd
