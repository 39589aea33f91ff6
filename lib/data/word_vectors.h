// Word vectors learnt from the corpus itself, by fastText (Bojanowski et al. 2017), and article vectors made of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/corpus.h"
#include "formats/vectors.h"

namespace nd {

// The words of every article, and each word once.
struct CorpusWords {
  Strings word;                       // in order of first appearance
  std::vector<int64_t> documents;     // [words] articles it occurs in
  Ragged<int32_t> text;               // [articles] rows of word, in reading order
  std::vector<int64_t> sentence_end;  // of every sentence: the number of entries of text.values up to its end
};

// Of title, abstract and body, whichever are asked for.
struct TextFields {
  bool title = true, abstract = true, body = true;
};
CorpusWords words_of(const Corpus& corpus, const TextFields& fields);

struct WordVectorOptions {
  int64_t dim = 100;
  int64_t epochs = 0;  // passes over the text; 0 for as many as make four million words, at least 3, at most 50
  double rate = 0.1;   // learning rate at the start; it falls to 0
  int64_t least = 2;   // words that occur less often have no vector
  int64_t window = 5;
  int64_t negatives = 5;
  int64_t longest_subword = 0;  // letters; 0 for none
  uint64_t seed = 1;
};

// The words that occur often enough to be learnt.
struct FrequentWords {
  Strings id;                  // in the order of CorpusWords::word
  std::vector<int32_t> place;  // [words] row of id, -1 for rarer ones
};
// Error when no word occurs `least` times.
FrequentWords frequent_words(const CorpusWords& words, int64_t least);

// Skip-gram vectors of the corpus' words within their sentences, always by one thread, since more make fastText
// irreproducible. Error when no word is frequent enough.
Vectors train_word_vectors(const CorpusWords& words, const WordVectorOptions& options);

// Article vectors: the mean of the words' vectors, each occurrence weighted by ln(1 + articles / articles with the
// word), scaled to `length` (0: left as it is). An article without a known word gets zeros; `without` counts those.
Vectors document_vectors(const Corpus& corpus, const CorpusWords& words, const Vectors& word_vectors, double length,
                         int64_t& without);

}  // namespace nd
