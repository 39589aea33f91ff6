// Turns articles, or their sentences, into vectors by their words.
// Reads corpus, and word vectors unless they are to be learnt from it.
// Writes vectors of the articles, or stacks of their sentences' vectors; and the word vectors on request.
#include "lib/cli/command.h"
#include "lib/data/pvdm.h"
#include "lib/data/sentence_vectors.h"
#include "lib/data/stacking.h"
#include "lib/data/word_vectors.h"
#include "lib/io/kind_file.h"
#include "lib/tensor/parallel.h"
#include "tools/meta.h"

namespace nd {
namespace {

struct Options {
  std::string corpus, words, words_output, output, fields = "all", unit = "article", by = "pvdm";
  double length = 10;
  int64_t sentences = 20;
  WordVectorOptions training;
  cli::Common common;
};

void declare(cli::Command& c, Options& o) {
  c.summary("turn articles or their sentences into vectors by their words");
  c.describe(
      "An article's vector is the mean of its words' vectors, rare words counting more (TF-IDF). Word vectors are "
      "learnt from the corpus by fastText's skip-gram, or read with --words. Vectors of other encoders, such as "
      "BERT's, come through vector-ingest instead.");
  c.describe(
      "With --unit sentence each of an article's first sentences has a vector of its own, learnt by PV-DM or the mean "
      "of its words', and the output is stacks as D-HAN reads them.");
  c.input(o.corpus, "CORPUS", "articles");
  c.output(o.output);
  c.input_option(o.words, "--words", "FILE", "word vectors to use instead of learning them");
  c.output_option(o.words_output, "--words-out", "FILE", "also write the word vectors");
  c.preset(o.unit, "--unit", {"article", "sentence"}, "what has a vector of its own; sentence: with --dim 64",
           [&o](const std::string& unit) { o.training.dim = unit == "sentence" ? 64 : WordVectorOptions().dim; });
  c.option(o.sentences, "--sentences", "N", "sentences of an article, fewer are filled up with their mean",
           cli::range(1, 1000));
  c.choice(o.by, "--sentence-vectors", {"pvdm", "wordmean"}, "learnt by PV-DM, or the mean of the words' vectors");
  c.choice(o.fields, "--fields", {"all", "title", "title-abstract"}, "which texts of an article count");
  c.option(o.length, "--length", "X", "length every article vector is scaled to; 0: left as it is", cli::at_least(0));
  c.option(o.training.dim, "--dim", "N", "numbers in a learnt vector", cli::range(1, 4096));
  c.option(o.training.epochs, "--epochs", "N",
           "passes over the text; 0: as many as make four million words (PV-DM: twenty), at least 3 (5), at most 50",
           cli::range(0, 10000));
  c.option(o.training.rate, "--lr", "X", "learning rate at the start", cli::above(0) | cli::range(0, 10));
  c.option(o.training.least, "--least-count", "N", "occurrences a word needs to be learnt", cli::range(1, 1000000));
  c.option(o.training.window, "--window", "N", "words to either side that are predicted", cli::range(1, 1000));
  c.option(o.training.negatives, "--negatives", "N", "other words each is told from", cli::range(1, 1000));
  c.option(o.training.longest_subword, "--subwords", "N", "also learn parts of words, up to this many letters; 0: none",
           cli::range(0, 20));
  c.common(o.common, cli::threads | cli::seed | cli::compress);
  c.example("text-encode corpus.nd -o documents.nd");
  c.example("text-encode corpus.nd --words words.nd -o documents.nd");
  c.example("text-encode corpus.nd --unit sentence -o sentences.nd");
  c.see_also("vector-ingest(1), kred-train(1)");
}

bool learns_sentences(const Options& o) { return o.unit == "sentence" && o.by == "pvdm"; }

void validate(const Options& o) {
  if (!o.words.empty() && !o.words_output.empty())
    throw UsageError("--words-out writes learnt vectors, --words learns none");
  if (learns_sentences(o) && !(o.words.empty() && o.words_output.empty() && o.training.longest_subword == 0))
    throw UsageError("PV-DM learns vectors of sentences without those of --words, --words-out and --subwords: " +
                     std::string("give --sentence-vectors wordmean"));
}

WordVectorOptions training_of(const Options& o) {
  WordVectorOptions training = o.training;
  training.seed = o.common.seed;
  return training;
}

// Imported or learnt vectors of words; none for PV-DM, which learns its own.
Vectors word_vectors(const Options& o, const CorpusWords& words, std::vector<Input>& inputs) {
  if (learns_sentences(o)) return {};
  if (o.words.empty()) return train_word_vectors(words, training_of(o));
  const auto imported = load<Vectors>(o.words);
  inputs.push_back(imported.as("words"));
  return *imported;
}

Stacks sentence_stacks(const Options& o, const Corpus& corpus, const CorpusWords& words, const Vectors& vectors,
                       cli::Log& log, int64_t& without) {
  FrequentWords frequent;
  if (learns_sentences(o)) frequent = frequent_words(words, o.training.least);
  const Sentences sentences =
      sentences_of(words, learns_sentences(o) ? frequent.place : vector_rows(words.word, vectors), o.sentences);
  without = sentences.articles_without;
  log.info("sentences", {{"found", sentences.found},
                         {"encoded", sentences.size()},
                         {"without_known_word", sentences.unknown},
                         {"beyond_the_first", sentences.beyond},
                         {"words", sentences.words},
                         {"words_known", sentences.words_known}});
  const Matrix rows = learns_sentences(o) ? train_pvdm(sentences, frequent.id.size(), training_of(o))
                                          : mean_vectors(sentences, vectors);
  return padded_stacks(corpus.id, sentences.article, rows, o.sentences);
}

int run(const Options& o, cli::Context& ctx) {
  set_threads(o.common.threads);
  const auto corpus = load<Corpus>(o.corpus);
  std::vector<Input> inputs{corpus.as("corpus")};
  const CorpusWords words = words_of(*corpus, {true, o.fields != "title", o.fields == "all"});
  const Vectors vectors = word_vectors(o, words, inputs);
  if (vectors.size() > 0)
    ctx.log.info("words", {{"distinct_words", words.word.size()}, {"with_vector", vectors.size()}});
  int64_t without = 0;
  Vectors documents;
  Stacks stacks;
  if (o.unit == "article") documents = document_vectors(*corpus, words, vectors, o.length, without);
  else stacks = sentence_stacks(o, *corpus, words, vectors, ctx.log, without);
  ctx.log.info("articles", {{"articles", corpus->size()}, {"articles_without", without}});
  if (corpus->size() > 0 && without == corpus->size())
    throw Error(o.corpus, "no article holds a word with a vector; do " + (o.words.empty() ? o.corpus : o.words) +
                              " and its texts speak the same language?");
  const Meta meta = meta_of(ctx, inputs);
  if (!o.words_output.empty()) save(o.words_output, vectors, meta, o.common.compress);
  if (o.unit == "article") save(o.output, documents, meta, o.common.compress);
  else save(o.output, stacks, meta, o.common.compress);
  return 0;
}

}  // namespace
}  // namespace nd

int main(int argc, char** argv) {
  return nd::cli::main<nd::Options>(argc, argv, "text-encode", nd::declare, nd::validate, nd::run);
}
