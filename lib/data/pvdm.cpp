#include "lib/data/pvdm.h"

#include "lib/tensor/random.h"

namespace nd {
namespace {

// A word that occurs more often than this, as a share of the text or in number, is read less often than it occurs.
constexpr double kFrequentShare = 1e-5, kFrequentCount = 20;

// A tag learns from its own words only, so a small corpus needs as many passes as a large one; for very large ones time
// decides.
int64_t enough_epochs(int64_t words) { return std::clamp<int64_t>(20000000 / std::max<int64_t>(words, 1), 5, 50); }

// Words in proportion to count^0.75: as often as that in a table to draw from (word2vec's way).
std::vector<int32_t> sampling_table(std::span<const double> count) {
  double total = 0, sum = 0;
  for (const double n : count) total += std::pow(n, 0.75);
  const double slots = std::max(0x1p20, 16 * static_cast<double>(count.size()));
  std::vector<int32_t> table;
  for (size_t w = 0; w < count.size(); ++w) {
    sum += std::pow(count[w], 0.75);
    table.resize(static_cast<size_t>(std::llround(sum / total * slots)), static_cast<int32_t>(w));
  }
  return table;
}

// The chance that an occurrence of a word is read at all: frequent ones say little (Mikolov et al. 2013, as in
// word2vec).
std::vector<double> chance_to_be_read(std::span<const double> count, double positions) {
  std::vector<double> chance;
  for (const double n : count) {
    const double rarity = std::max(kFrequentShare * positions, kFrequentCount) / std::max(n, 1.0);
    chance.push_back(std::min(1.0, std::sqrt(rarity) + rarity));
  }
  return chance;
}

}  // namespace

Matrix train_pvdm(const Sentences& sentences, int64_t words, const WordVectorOptions& options) {
  const int64_t dim = options.dim, positions = sentences.word.values.size();
  const int64_t epochs = options.epochs > 0 ? options.epochs : enough_epochs(positions);
  PvdmNet<float> net(dim, sentences.size(), words);
  // Small numbers for what is looked up, zeros for the outputs, as word2vec begins.
  const Random start(options.seed, "init");
  for (size_t i = 0; i < net.tag.size(); ++i)
    net.tag[i] = static_cast<float>((start.uniform(i, 0) - 0.5) / static_cast<double>(dim));
  for (size_t i = 0; i < net.word.size(); ++i)
    net.word[i] = static_cast<float>((start.uniform(i, 1) - 0.5) / static_cast<double>(dim));

  std::vector<double> count(static_cast<size_t>(words), 0.0);
  for (const int32_t w : sentences.word.values) ++count[static_cast<size_t>(w)];
  const std::vector<int32_t> table = sampling_table(count);
  const std::vector<double> chance = chance_to_be_read(count, static_cast<double>(positions));
  const Random draw(options.seed, "pvdm");
  std::vector<int32_t> read, context, other(static_cast<size_t>(options.negatives));
  uint64_t at = 0;  // positions passed
  const auto all = static_cast<double>(epochs) * static_cast<double>(positions);
  for (int64_t epoch = 0; epoch < epochs; ++epoch)
    for (int64_t s = 0; s < sentences.size(); ++s) {
      read.clear();
      const auto sentence = sentences.word[s];
      for (size_t i = 0; i < sentence.size(); ++i)
        if (draw.uniform(at + i, 0) < chance[sentence[i]]) read.push_back(sentence[i]);
      const auto length = static_cast<int64_t>(read.size());
      for (int64_t i = 0; i < length; ++i) {
        const uint64_t here = at + static_cast<uint64_t>(i);
        const auto reach = 1 + static_cast<int64_t>(draw.below(static_cast<uint64_t>(options.window), here, 1));
        context.clear();
        for (int64_t k = std::max<int64_t>(0, i - reach); k < std::min(length, i + reach + 1); ++k)
          if (k != i) context.push_back(read[k]);
        for (size_t n = 0; n < other.size(); ++n) other[n] = table[draw.below(table.size(), here, 2 + n)];
        const double rate = options.rate * (1 - static_cast<double>(here) / all);
        net.step(s, context, read[i], other, static_cast<float>(rate));
      }
      at += sentence.size();
    }
  return {std::move(net.tag), sentences.size(), dim};
}

}  // namespace nd
