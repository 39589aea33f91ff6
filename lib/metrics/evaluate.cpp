#include "lib/metrics/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/io/error.h"
#include "lib/metrics/blocks.h"

namespace nd::metrics {
namespace {

enum class Verdict : uint8_t { judged, empty, unlabelled, single_class };

// What can be done with an impression; `row` (from 1) names it when it breaks the rules.
Verdict verdict(std::span<const float> scores, std::span<const uint8_t> labels, int64_t row) {
  size_t clicked = 0, others = 0, unlabelled = 0, nan = 0;
  for (size_t j = 0; j < scores.size(); ++j) {
    clicked += labels[j] == 1;
    others += labels[j] == 0;
    unlabelled += labels[j] == 255;
    nan += std::isnan(scores[j]);
  }
  if (nan > 0) throw Error("impression " + std::to_string(row) + ": expected numbers as scores, found NaN");
  if (clicked + others + unlabelled < scores.size())
    throw Error("impression " + std::to_string(row) + ": expected labels 0, 1 or 255, found another");
  if (scores.empty()) return Verdict::empty;
  if (unlabelled > 0) return Verdict::unlabelled;
  return clicked == 0 || others == 0 ? Verdict::single_class : Verdict::judged;
}

Estimate mean(const std::vector<double>& values, const std::vector<Verdict>& verdicts, int64_t judged) {
  Estimate estimate{std::numeric_limits<double>::quiet_NaN(), std::vector<float>(values.size(), 0.0f)};
  if (judged == 0) return estimate;
  const auto count = static_cast<double>(judged);
  double sum = 0;
  for (const double v : values) sum += v;
  estimate.value = sum / count;
  for (size_t i = 0; i < values.size(); ++i)
    if (verdicts[i] == Verdict::judged)
      estimate.influence[i] = static_cast<float>((values[i] - estimate.value) / count);
  return estimate;
}

// Everything but the measures of all impressions together, whose estimates stay empty.
Evaluation judge_each(const ImpressionBlocks& source, std::span<const Column> columns, Ties ties, int threads) {
  const auto m = static_cast<size_t>(source.impressions);
  std::vector<Verdict> verdicts(m);
  std::vector<uint8_t> constant(m), tied(m);
  std::vector<std::vector<double>> values(columns.size());  // 0 where an impression is not judged
  for (size_t c = 0; c < columns.size(); ++c)
    if (columns[c].measure->of_impression) values[c].resize(m);

  for_blocks(source.impressions, source.per_block, threads, [&](int64_t begin, int64_t end) {
    Ranker ranker(ties);
    ImpressionTable scratch;
    const Impressions block = source.read(begin / source.per_block, scratch);
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      const auto scores = block.scores_of(i - begin);
      const auto labels = block.labels_of(i - begin);
      verdicts[at] = verdict(scores, labels, i + 1);
      if (verdicts[at] != Verdict::judged) continue;
      const Ranking ranking = ranker.rank(scores, labels);
      constant[at] = ranking.constant;
      tied[at] = ranking.tied;
      for (size_t c = 0; c < columns.size(); ++c)
        if (const auto measure = columns[c].measure->of_impression) values[c][at] = measure(ranking, columns[c].k);
    }
  });

  Evaluation e;
  for (size_t i = 0; i < m; ++i) {
    e.judged += verdicts[i] == Verdict::judged;
    e.skipped.empty += verdicts[i] == Verdict::empty;
    e.skipped.unlabelled += verdicts[i] == Verdict::unlabelled;
    e.skipped.single_class += verdicts[i] == Verdict::single_class;
    e.constant += constant[i];
    e.tied += tied[i];
  }
  for (size_t c = 0; c < columns.size(); ++c)
    e.estimates.push_back(columns[c].measure->of_impression ? mean(values[c], verdicts, e.judged) : Estimate{});
  return e;
}

ImpressionTable gather(const ImpressionBlocks& source, int threads) {
  std::vector<ImpressionTable> scratch(
      static_cast<size_t>((source.impressions + source.per_block - 1) / source.per_block));
  std::vector<Impressions> blocks(scratch.size());
  for_blocks(static_cast<int64_t>(blocks.size()), 1, threads, [&](int64_t b, int64_t) {
    blocks[static_cast<size_t>(b)] = source.read(b, scratch[static_cast<size_t>(b)]);
  });
  ImpressionTable all;
  for (const Impressions& block : blocks) {
    const auto begin = static_cast<int64_t>(all.scores.size());
    all.scores.insert(all.scores.end(), block.scores.begin(), block.scores.end());
    all.labels.insert(all.labels.end(), block.labels.begin(), block.labels.end());
    all.times.insert(all.times.end(), block.times.begin(), block.times.end());
    for (const int64_t offset : block.offsets.subspan(1)) all.offsets.push_back(begin + offset);
  }
  return all;
}

}  // namespace

Evaluation evaluate(const Impressions& all, std::span<const Column> columns, Ties ties, int threads) {
  constexpr int64_t kPerBlock = 1024;
  auto read = [&](int64_t block, ImpressionTable&) {
    const int64_t begin = block * kPerBlock, count = std::min(kPerBlock, all.size() - begin);
    Impressions part = all;
    part.offsets = all.offsets.subspan(static_cast<size_t>(begin), static_cast<size_t>(count) + 1);
    return part;
  };
  Evaluation e = judge_each({all.size(), kPerBlock, read}, columns, ties, threads);
  for (size_t c = 0; c < columns.size(); ++c)
    if (const auto measure = columns[c].measure->of_all) e.estimates[c] = measure(all);
  return e;
}

Evaluation evaluate(const ImpressionBlocks& blocks, std::span<const Column> columns, Ties ties, int threads) {
  for (const Column& column : columns)
    if (column.measure->of_all) return evaluate(gather(blocks, threads).view(), columns, ties, threads);
  return judge_each(blocks, columns, ties, threads);
}

std::vector<Part> split(const Impressions& impressions, std::span<const int32_t> part_of,
                        std::span<const std::string> names) {
  std::vector<Part> parts;
  for (const std::string& name : names) parts.push_back({name, {}});
  for (int64_t i = 0; i < impressions.size(); ++i) {
    ImpressionTable& part = parts[static_cast<size_t>(part_of[static_cast<size_t>(i)])].impressions;
    const auto scores = impressions.scores_of(i);
    const auto labels = impressions.labels_of(i);
    part.scores.insert(part.scores.end(), scores.begin(), scores.end());
    part.labels.insert(part.labels.end(), labels.begin(), labels.end());
    part.offsets.push_back(static_cast<int64_t>(part.scores.size()));
    if (!impressions.times.empty()) part.times.push_back(impressions.times[static_cast<size_t>(i)]);
  }
  return parts;
}

std::vector<PartEvaluation> evaluate_parts(std::span<const Part> parts, std::span<const Column> columns, Ties ties,
                                           int threads) {
  std::vector<PartEvaluation> out;
  for (const Part& part : parts) out.push_back({part.name, evaluate(part.impressions.view(), columns, ties, threads)});
  return out;
}

}  // namespace nd::metrics
