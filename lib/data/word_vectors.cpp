#include "lib/data/word_vectors.h"

#include <fasttext/fasttext.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <unordered_map>

#include "lib/data/words.h"
#include "lib/io/error.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// fastText reads its corpus from a file by name. Unlinked as soon as it has been read.
class TemporaryText {
 public:
  explicit TemporaryText(const CorpusWords& words) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder && *folder ? folder : "/tmp") + "/nightdesk-words.XXXXXX";
    const int file = mkstemp(path_.data());
    if (file < 0) throw Error(path_, "cannot be made: set TMPDIR to a folder that can be written");
    close(file);
    std::ofstream out(path_);
    for (int64_t a = 0; a < words.text.size(); ++a) {
      for (int32_t w : words.text[a]) out << words.word[w] << ' ';
      out << '\n';
    }
    if (!out.flush()) {
      unlink(path_.c_str());
      throw Error(path_, "could not be written: is the disk full?");
    }
  }
  ~TemporaryText() { unlink(path_.c_str()); }
  TemporaryText(const TemporaryText&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A field of an article with its end, so that words of two fields never meet.
void split_field(WordSplitter& splitter, const std::string& what, std::string_view text, std::vector<std::string>& words) {
  if (text.size() > INT32_MAX / 2) throw Error("article " + what + ": a text of over 1 GiB");
  splitter.split(text, words);
}

}  // namespace

CorpusWords words_of(const Corpus& corpus, const TextFields& fields) {
  // Splitting is the slow part and goes by blocks of articles; numbering words is quick and goes in order.
  const int64_t n = corpus.size();
  std::vector<std::vector<std::string>> split(static_cast<size_t>(n));
  parallel_ranges(n, 256, [&](int64_t begin, int64_t end) {
    WordSplitter splitter;
    for (int64_t a = begin; a < end; ++a) {
      const std::string id(corpus.id[a]);
      if (fields.title) split_field(splitter, id, corpus.title[a], split[a]);
      if (fields.abstract) split_field(splitter, id, corpus.abstract[a], split[a]);
      if (fields.body) split_field(splitter, id, corpus.body[a], split[a]);
    }
  });
  CorpusWords out;
  std::unordered_map<std::string, int32_t> row;
  std::vector<int64_t> last;
  RaggedBuilder<int32_t> text;
  for (int64_t a = 0; a < n; ++a) {
    for (std::string& word : split[a]) {
      const auto [at, fresh] = row.emplace(std::move(word), static_cast<int32_t>(out.word.size()));
      if (fresh) {
        out.word.push_back(at->first);
        out.documents.push_back(0);
        last.push_back(-1);
      }
      if (last[at->second] != a) {
        last[at->second] = a;
        ++out.documents[at->second];
      }
      text.push(at->second);
    }
    text.end_row();
    split[a] = {};
  }
  out.text = text.take();
  return out;
}

Vectors train_word_vectors(const CorpusWords& words, const WordVectorOptions& options) {
  std::vector<int64_t> count(words.word.size(), 0);
  for (int32_t w : words.text.values) ++count[w];
  StringsBuilder ids;
  std::vector<int32_t> kept;
  for (size_t w = 0; w < words.word.size(); ++w)
    if (count[w] >= options.least) {
      ids.push(words.word[w]);
      kept.push_back(static_cast<int32_t>(w));
    }
  if (kept.empty())
    throw Error("no word occurs " + std::to_string(options.least) + " times: give --least-count 1, or --words");

  const TemporaryText text(words);
  fasttext::Args args;
  args.input = text.path();
  args.model = fasttext::model_name::sg;
  args.loss = fasttext::loss_name::ns;
  args.dim = static_cast<int>(options.dim);
  args.epoch = static_cast<int>(options.epochs);
  args.minCount = static_cast<int>(options.least);
  args.ws = static_cast<int>(options.window);
  args.neg = static_cast<int>(options.negatives);
  args.minn = options.longest_subword > 0 ? 3 : 0;
  args.maxn = static_cast<int>(options.longest_subword);
  // Subwords share hashed rows: about as many as there are words, each being in a few of them.
  args.bucket = options.longest_subword > 0 ? static_cast<int>(4 * kept.size()) : 0;
  args.thread = 1;
  args.seed = static_cast<int>(options.seed % INT32_MAX);
  args.verbose = 0;
  fasttext::FastText model;
  try {
    model.train(args);
  } catch (const std::exception& e) {
    throw Error(std::string("fastText could not learn from this corpus: ") + e.what());
  }

  const auto rows = static_cast<int64_t>(kept.size());
  std::vector<float> x;
  fasttext::Vector v(options.dim);
  for (const int32_t w : kept) {
    model.getWordVector(v, words.word[w]);
    x.insert(x.end(), v.data(), v.data() + options.dim);
  }
  return {ids.take(), {std::move(x), rows, options.dim}, {}, {}};
}

Vectors document_vectors(const Corpus& corpus, const CorpusWords& words, const Vectors& word_vectors, double length,
                         int64_t& without) {
  std::unordered_map<std::string_view, int64_t> row;
  for (int64_t i = 0; i < word_vectors.size(); ++i) row.emplace(word_vectors.id[i], i);
  std::vector<int64_t> vector_of(words.word.size(), -1);
  std::vector<double> weight(words.word.size());
  const auto n = static_cast<double>(corpus.size());
  for (size_t w = 0; w < words.word.size(); ++w) {
    if (const auto found = row.find(words.word[w]); found != row.end()) vector_of[w] = found->second;
    weight[w] = std::log1p(n / static_cast<double>(words.documents[w]));
  }

  const int64_t dim = word_vectors.dim();
  std::vector<float> x(static_cast<size_t>(corpus.size() * dim), 0.0f);
  std::vector<uint8_t> known(static_cast<size_t>(corpus.size()), 0);
  parallel_ranges(corpus.size(), 256, [&](int64_t begin, int64_t end) {
    std::vector<double> sum(static_cast<size_t>(dim));
    for (int64_t a = begin; a < end; ++a) {
      std::fill(sum.begin(), sum.end(), 0.0);
      double total = 0;
      for (const int32_t w : words.text[a]) {
        if (vector_of[w] < 0) continue;
        const auto v = word_vectors.x[vector_of[w]];
        for (int64_t j = 0; j < dim; ++j) sum[j] += weight[w] * static_cast<double>(v[j]);
        total += weight[w];
      }
      if (total == 0) continue;
      double norm = 0;
      for (double& s : sum) {
        s /= total;
        norm += s * s;
      }
      const double scale = length > 0 && norm > 0 ? length / std::sqrt(norm) : 1;
      for (int64_t j = 0; j < dim; ++j) x[a * dim + j] = static_cast<float>(sum[j] * scale);
      known[a] = 1;
    }
  });
  without = 0;
  for (const uint8_t k : known) without += k == 0;
  return {corpus.id, {std::move(x), corpus.size(), dim}, {}, {}};
}

}  // namespace nd
