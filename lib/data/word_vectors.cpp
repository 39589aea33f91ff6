#include "lib/data/word_vectors.h"

#include <fasttext/fasttext.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "lib/data/interner.h"
#include "lib/data/words.h"
#include "lib/io/error.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// fastText reads its corpus from a file by name. This one lives in memory and has no name in any folder: nobody else
// can read it, and nothing is left behind however the program ends.
class TextFile {
 public:
  explicit TextFile(const CorpusWords& words) : file_(memfd_create("words", MFD_CLOEXEC)) {
    if (file_ < 0) fail();
    std::string lines;
    int64_t begin = 0;
    for (const int64_t end : words.sentence_end) {
      for (; begin < end; ++begin) lines.append(words.word[words.text.values[begin]]) += ' ';
      lines += '\n';
      if (lines.size() >= kChunk) write_out(lines);
    }
    write_out(lines);
  }
  ~TextFile() { close(file_); }
  TextFile(const TextFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  static constexpr size_t kChunk = 1 << 20;

  [[noreturn]] static void fail() {
    throw Error(std::string("cannot keep the words in memory for fastText: ") + std::strerror(errno));
  }
  void write_out(std::string& lines) {
    for (size_t done = 0; done < lines.size();) {
      const ssize_t n = write(file_, lines.data() + done, lines.size() - done);
      if (n < 0 && errno != EINTR) {
        const int cause = errno;
        close(file_);
        errno = cause;
        fail();
      }
      done += n > 0 ? static_cast<size_t>(n) : 0;
    }
    lines.clear();
  }

  int file_;
};

// A large corpus is learnt in few passes, a small one needs more; fastText gets through some 100,000 words a second.
int64_t enough_epochs(int64_t words) { return std::clamp<int64_t>(4000000 / std::max<int64_t>(words, 1), 3, 50); }

}  // namespace

CorpusWords words_of(const Corpus& corpus, const TextFields& fields) {
  // Splitting is the slow part and goes by blocks of articles; numbering words is quick and goes in order. A batch at a
  // time, since words as strings take many times the room of the text.
  constexpr int64_t kBatch = 8192, kBlock = 64;
  Vocabulary vocabulary;
  std::vector<int64_t> documents, last, sentence_end;
  RaggedBuilder<int32_t> text;
  int64_t total = 0;
  std::vector<SentenceWords> batch;
  for (int64_t first = 0; first < corpus.size(); first += kBatch) {
    batch.assign(static_cast<size_t>(std::min(kBatch, corpus.size() - first)), {});
    parallel_ranges(static_cast<int64_t>(batch.size()), kBlock, [&](int64_t begin, int64_t end) {
      WordSplitter splitter;
      for (int64_t i = begin; i < end; ++i) {
        SentenceWords& out = batch[static_cast<size_t>(i)];
        if (fields.title) splitter.split(corpus.title[first + i], out);
        if (fields.abstract) splitter.split(corpus.abstract[first + i], out);
        if (fields.body) splitter.split(corpus.body[first + i], out);
      }
    });
    for (size_t i = 0; i < batch.size(); ++i) {
      const int64_t article = first + static_cast<int64_t>(i);
      for (const std::string& word : batch[i].words) {
        const int32_t row = vocabulary.add(word);
        const auto w = static_cast<size_t>(row);
        if (w == documents.size()) {
          documents.push_back(0);
          last.push_back(-1);
        }
        documents[w] += last[w] != article;
        last[w] = article;
        text.push(row);
      }
      text.end_row();
      for (const size_t end : batch[i].ends) sentence_end.push_back(total + static_cast<int64_t>(end));
      total += static_cast<int64_t>(batch[i].words.size());
    }
  }
  return {vocabulary.take(), std::move(documents), text.take(), std::move(sentence_end)};
}

FrequentWords frequent_words(const CorpusWords& words, int64_t least) {
  std::vector<int64_t> count(static_cast<size_t>(words.word.size()), 0);
  for (const int32_t w : words.text.values) ++count[static_cast<size_t>(w)];
  StringsBuilder id;
  std::vector<int32_t> place;
  for (int64_t w = 0; w < words.word.size(); ++w) {
    const bool kept = count[static_cast<size_t>(w)] >= least;
    place.push_back(kept ? static_cast<int32_t>(id.size()) : -1);
    if (kept) id.push(words.word[w]);
  }
  if (id.size() == 0)
    throw Error("no word occurs " + std::to_string(least) + " times: give --least-count 1, or --words");
  return {id.take(), std::move(place)};
}

Vectors train_word_vectors(const CorpusWords& words, const WordVectorOptions& options) {
  const Strings ids = frequent_words(words, options.least).id;
  const TextFile text(words);
  fasttext::Args args;
  args.input = text.path();
  args.model = fasttext::model_name::sg;
  args.loss = fasttext::loss_name::ns;
  args.dim = static_cast<int>(options.dim);
  args.epoch = static_cast<int>(options.epochs > 0 ? options.epochs : enough_epochs(words.text.values.size()));
  args.lr = options.rate;
  args.minCount = static_cast<int>(options.least);
  args.ws = static_cast<int>(options.window);
  args.neg = static_cast<int>(options.negatives);
  args.minn = options.longest_subword > 0 ? 3 : 0;
  args.maxn = static_cast<int>(options.longest_subword);
  // Subwords share hashed rows: about as many as there are words, each being in a few of them.
  args.bucket = options.longest_subword > 0 ? static_cast<int>(std::min<int64_t>(4 * ids.size(), INT32_MAX)) : 0;
  args.label = "\x01";  // no word begins with it: by default "__label__..." would be no word to fastText
  args.thread = 1;
  args.seed = static_cast<int>(options.seed % INT32_MAX);
  args.verbose = 0;
  fasttext::FastText model;
  try {
    model.train(args);
  } catch (const std::exception& e) {
    throw Error(std::string("fastText could not learn from this corpus: ") + e.what());
  }

  std::vector<float> x;
  x.reserve(static_cast<size_t>(ids.size() * options.dim));
  fasttext::Vector v(options.dim);
  for (int64_t w = 0; w < ids.size(); ++w) {
    model.getWordVector(v, std::string(ids[w]));
    x.insert(x.end(), v.data(), v.data() + options.dim);
  }
  return {ids, {std::move(x), ids.size(), options.dim}, {}, {}};
}

Vectors document_vectors(const Corpus& corpus, const CorpusWords& words, const Vectors& word_vectors, double length,
                         int64_t& without) {
  const Vocabulary known_words(word_vectors.id);
  std::vector<int32_t> vector_of;
  std::vector<double> weight;
  for (int64_t w = 0; w < words.word.size(); ++w) {
    vector_of.push_back(known_words.find(words.word[w]));
    weight.push_back(std::log1p(static_cast<double>(corpus.size()) / static_cast<double>(words.documents[w])));
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
