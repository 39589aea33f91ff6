#include "lib/models/dhan_score.h"

#include <algorithm>

#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// Distinct articles whose parts are held at once: of the paper's sizes about 25 KB for one that is read and 8 KB for a
// candidate.
constexpr size_t kRead = 8192, kCandidates = 32768;
// Pairs a thread takes at a time, if they are of more than one instance.
constexpr int64_t kPairs = 512, kPairsOnGpu = 4096;

}  // namespace

DhanScorer::DhanScorer(Dhan& model, const DhanData& data)
    : model_(model),
      data_(data),
      read_(data.articles()),
      candidates_(data.articles()),
      users_(model.shape().users + 1),
      arena_(std::make_unique<Arena>()) {}

void DhanScorer::collect(const DhanInstance& instance, std::span<const int32_t> candidates) {
  for (const int32_t a : instance.article) history_.push_back(read_(a));
  instance_user_.push_back(users_(instance.user));
  for (const int32_t c : candidates) pair_candidate_.push_back(candidates_(c));
  first_pair_.push_back(static_cast<int64_t>(pair_candidate_.size()));
}

void DhanScorer::score_collected(std::span<const DhanInstance> instances, float* out) {
  Tape tape(*arena_, false);
  tape.reset();
  const DhanParts parts = dhan_parts(tape, model_, data_, dhan_articles(*arena_, model_, data_, read_.rows()),
                                     dhan_articles(*arena_, model_, data_, candidates_.rows()),
                                     make_index(*arena_, users_.rows(), model_.shape().users + 1));
  const auto n = static_cast<int64_t>(instances.size()), L = model_.options().length;
  const bool on_gpu = device() != Device::cpu;
  const int64_t most = on_gpu ? kPairsOnGpu : kPairs;
  std::vector<int64_t> task{0};
  for (int64_t i = 1; i < n; ++i)
    if (first_pair_[i + 1] - first_pair_[task.back()] > most) task.push_back(i);
  task.push_back(n);
  const auto score_task = [&](int64_t t) {
    static thread_local Arena own;
    Tape values(own, false);
    values.reset();
    const int64_t begin = task[t], end = task[t + 1], first = first_pair_[begin], pairs = first_pair_[end] - first;
    if (pairs == 0) return;
    auto pair_instance = own.array<int32_t>(pairs);
    for (int64_t i = begin; i < end; ++i)
      std::fill(pair_instance.begin() + first_pair_[i] - first, pair_instance.begin() + first_pair_[i + 1] - first,
                static_cast<int32_t>(i - begin));
    const auto part = [](const std::vector<int32_t>& list, int64_t from, int64_t count) {
      return std::span(list).subspan(static_cast<size_t>(from), static_cast<size_t>(count));
    };
    const DhanBatch batch =
        dhan_batch(own, model_,
                   {.instances = instances.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                    .history = part(history_, begin * L, (end - begin) * L),
                    .instance_user = part(instance_user_, begin, end - begin),
                    .pair_instance = pair_instance,
                    .pair_candidate = part(pair_candidate_, first, pairs),
                    .read = static_cast<int64_t>(read_.rows().size()),
                    .candidates = static_cast<int64_t>(candidates_.rows().size()),
                    .users = static_cast<int64_t>(users_.rows().size())},
                   !model_.scores_item_by_item());
    copy_out(model_.logits(values, parts, batch)->value, out + first);
  };
  const auto tasks = static_cast<int64_t>(task.size()) - 1;
  if (!on_gpu) return parallel_for(tasks, score_task);
  for (int64_t t = 0; t < tasks; ++t) score_task(t);
}

std::vector<float> DhanScorer::score(std::span<const DhanInstance> instances, std::span<const int64_t> offsets,
                                     std::span<const int32_t> candidate) {
  std::vector<float> out(candidate.size());
  const auto n = static_cast<int64_t>(instances.size());
  for (int64_t i = 0; i < n;) {
    for (Distinct* d : {&read_, &candidates_, &users_}) d->clear();
    for (auto* list : {&history_, &instance_user_, &pair_candidate_}) list->clear();
    first_pair_.assign(1, 0);
    const int64_t begin = i;
    for (; i < n && read_.rows().size() < kRead && candidates_.rows().size() < kCandidates; ++i)
      collect(instances[i],
              candidate.subspan(static_cast<size_t>(offsets[i]), static_cast<size_t>(offsets[i + 1] - offsets[i])));
    score_collected(instances.subspan(static_cast<size_t>(begin), static_cast<size_t>(i - begin)),
                    out.data() + offsets[begin]);
  }
  return out;
}

}  // namespace nd
