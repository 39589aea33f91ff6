// Turns articles into vectors by their words.
// Reads corpus, and word vectors unless they are to be learnt from it.
// Writes vectors of the articles, and the word vectors on request.
#include <optional>

#include "lib/cli/command.h"
#include "lib/data/word_vectors.h"
#include "lib/io/kind_file.h"
#include "lib/tensor/parallel.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::string corpus, words, words_output, output, fields = "all";
  double length = 10;
  WordVectorOptions training;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn articles into vectors by their words");
  c.describe(
      "An article's vector is the mean of its words' vectors, rare words counting more (TF-IDF). Word vectors are "
      "learnt from the corpus by fastText's skip-gram, or read with --words. Vectors of other encoders, such as "
      "BERT's, come through vector-ingest instead.");
  c.input(o.corpus, "CORPUS", "articles");
  c.output(o.output);
  c.input_option(o.words, "--words", "FILE", "word vectors to use instead of learning them");
  c.output_option(o.words_output, "--words-out", "FILE", "also write the word vectors");
  c.choice(o.fields, "--fields", {"all", "title", "title-abstract"}, "which texts of an article count");
  c.option(o.length, "--length", "X", "length every article vector is scaled to; 0: left as it is", cli::at_least(0));
  c.option(o.training.dim, "--dim", "N", "numbers in a learnt vector", cli::range(1, 4096));
  c.option(o.training.epochs, "--epochs", "N",
           "passes over the text; 0: as many as make four million words, at least 3, at most 50", cli::range(0, 10000));
  c.option(o.training.rate, "--lr", "X", "learning rate at the start", cli::above(0) | cli::range(0, 10));
  c.option(o.training.least, "--least-count", "N", "occurrences a word needs to be learnt", cli::range(1, 1000000));
  c.option(o.training.window, "--window", "N", "words to either side that are predicted", cli::range(1, 1000));
  c.option(o.training.negatives, "--negatives", "N", "other words each is told from", cli::range(1, 1000));
  c.option(o.training.longest_subword, "--subwords", "N", "also learn parts of words, up to this many letters; 0: none",
           cli::range(0, 20));
  c.common(o.common, cli::threads | cli::seed | cli::compress);
  c.example("text-encode corpus.nd -o documents.nd");
  c.example("text-encode corpus.nd --words words.nd -o documents.nd");
  c.see_also("vector-ingest(1), kred-train(1)");
}

void validate(const Options& o) {
  if (!o.words.empty() && !o.words_output.empty())
    throw UsageError("--words-out writes learnt vectors, --words learns none");
}

int run(const Options& o, cli::Context& ctx) {
  set_threads(o.common.threads);
  const auto corpus = load<Corpus>(o.corpus);
  std::vector<Input> inputs{corpus.as("corpus")};
  const CorpusWords words = words_of(*corpus, {true, o.fields != "title", o.fields == "all"});
  std::optional<File<Vectors>> imported;
  Vectors learnt;
  if (o.words.empty()) {
    WordVectorOptions training = o.training;
    training.seed = o.common.seed;
    learnt = train_word_vectors(words, training);
  } else {
    imported = load<Vectors>(o.words);
    inputs.push_back(imported->as("words"));
  }
  int64_t without = 0;
  const Vectors documents = document_vectors(*corpus, words, imported ? **imported : learnt, o.length, without);
  ctx.log.info("words", {{"articles", corpus->size()},
                         {"distinct_words", words.word.size()},
                         {"with_vector", imported ? (*imported)->size() : learnt.size()},
                         {"articles_without", without}});
  if (corpus->size() > 0 && without == corpus->size())
    throw Error(o.corpus, "no article holds a word with a vector; do " + (o.words.empty() ? o.corpus : o.words) +
                              " and its texts speak the same language?");
  const Meta meta = meta_of(ctx, inputs);
  if (!o.words_output.empty()) save(o.words_output, learnt, meta, o.common.compress);
  save(o.output, documents, meta, o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "text-encode", nd::declare, nd::validate, nd::run);
}
