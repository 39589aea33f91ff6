#include "lib/models/dhan_explain.h"

#include <algorithm>
#include <vector>

#include "lib/io/sink.h"
#include "lib/io/tsv.h"

namespace nd {
namespace {

std::vector<std::string> labels_of(const Stacks* stacks) {
  std::vector<std::string> out;
  for (int64_t i = 0; stacks && i < stacks->height(); ++i) out.emplace_back(stacks->label[i]);
  return out;
}

}  // namespace

void write_attention(const std::string& path, const OpenDhan& dhan, const DhanRanker& ranker,
                     const Candidates& candidates, int64_t count) {
  const Strings& articles = dhan.files.corpus->id;
  const int64_t L = dhan.settings.model.length;
  std::vector<std::string> sentences = labels_of(dhan.files.sentence_stacks()), sequence;
  const std::vector<std::string> elements = labels_of(dhan.files.element_stacks());
  sentences.insert(sentences.end(), {"candidate", "user"});
  for (int64_t l = 0; l < L; ++l) sequence.push_back(std::to_string(l + 1));
  if (dhan.settings.model.extra_token()) sequence.push_back("candidate");

  Sink sink(path);
  sink.write("level\tinstance\tcandidate\tread\tarticle\tfrom\tto\tweight\n");
  DhanStep step(*dhan.model, *dhan.data);
  Arena arena;
  Tape tape(arena, false);
  int64_t left = count;
  for (int64_t i = 0; i < candidates.size() && left > 0; ++i) {
    const auto shown = candidates.candidate[i];
    if (shown.empty()) continue;
    const auto labels =
        candidates.label.span().subspan(static_cast<size_t>(candidates.candidate.offsets[i]), shown.size());
    const auto clicked = std::ranges::find(labels, uint8_t{1});
    const int32_t candidate = shown[clicked == labels.end() ? 0 : static_cast<size_t>(clicked - labels.begin())];
    const DhanInstance instance = ranker.instance(candidates.impression[i]);
    --left;
    tape.reset();
    step.clear();
    step.instance(instance);
    step.prepare_instances();
    step.candidate(0, candidate);
    step.prepare_candidates();
    DhanAttention attention;
    step.logits(tape, nullptr, &attention);

    const auto write = [&](const char* level, const Mat& weights, const std::vector<std::string>& tokens,
                           bool by_article) {
      const std::vector<float> values = values_of(weights);
      for (int64_t r = 0; r < weights.rows; ++r)
        for (int64_t j = 0; j < weights.cols; ++j) {
          const int64_t read = by_article ? r / weights.cols : 0;
          std::string line;
          cell(line, level);
          cell(line, std::to_string(candidates.impression[i]));
          cell(line, articles[candidate]);
          cell(line, std::to_string(by_article ? read + 1 : 0));
          cell(line, by_article ? articles[instance.article[static_cast<size_t>(read)]] : "-");
          cell(line, tokens[static_cast<size_t>(r % weights.cols)]);
          cell(line, tokens[static_cast<size_t>(j)]);
          cell(line, values[static_cast<size_t>(r * weights.cols + j)]);
          line += '\n';
          sink.write(line);
        }
    };
    write("sentence", attention.sentence, sentences, true);
    write("element", attention.element, elements, true);
    write("sequence", attention.sequence, sequence, false);
  }
  sink.commit();
}

}  // namespace nd
