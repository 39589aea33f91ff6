#include "lib/data/sentence_vectors.h"

#include "lib/data/interner.h"
#include "lib/tensor/parallel.h"

namespace nd {

std::vector<int32_t> vector_rows(const Strings& words, const Vectors& vectors) {
  const Vocabulary known(vectors.id);
  std::vector<int32_t> row;
  for (int64_t w = 0; w < words.size(); ++w) row.push_back(known.find(words[w]));
  return row;
}

Sentences sentences_of(const CorpusWords& words, std::span<const int32_t> vector_of, int64_t most) {
  Sentences out;
  RaggedBuilder<int32_t> kept;
  std::vector<int32_t> known;
  int64_t begin = 0;
  size_t s = 0;
  out.article.push_back(0);
  for (int64_t a = 0; a < words.text.size(); ++a) {
    const int64_t before = kept.size();
    for (; s < words.sentence_end.size() && words.sentence_end[s] <= words.text.offsets[a + 1]; ++s) {
      known.clear();
      ++out.found;
      out.words += words.sentence_end[s] - begin;
      for (; begin < words.sentence_end[s]; ++begin)
        if (const int32_t v = vector_of[words.text.values[begin]]; v >= 0) known.push_back(v);
      out.words_known += static_cast<int64_t>(known.size());
      if (known.empty()) {
        ++out.unknown;
      } else if (kept.size() - before == most) {
        ++out.beyond;
      } else {
        kept.append(known);
        kept.end_row();
      }
    }
    out.articles_without += kept.size() == before;
    out.article.push_back(kept.size());
  }
  out.word = kept.take();
  return out;
}

Matrix mean_vectors(const Sentences& sentences, const Vectors& words) {
  const int64_t dim = words.dim();
  std::vector<float> x(static_cast<size_t>(sentences.size() * dim));
  parallel_ranges(sentences.size(), 256, [&](int64_t first, int64_t last) {
    std::vector<double> sum(static_cast<size_t>(dim));
    for (int64_t s = first; s < last; ++s) {
      sum.assign(static_cast<size_t>(dim), 0.0);
      for (const int32_t w : sentences.word[s])
        for (int64_t j = 0; j < dim; ++j) sum[j] += static_cast<double>(words.x[w][j]);
      const auto n = static_cast<double>(sentences.word[s].size());
      for (int64_t j = 0; j < dim; ++j) x[s * dim + j] = static_cast<float>(sum[j] / n);
    }
  });
  return {std::move(x), sentences.size(), dim};
}

}  // namespace nd
