#include "lib/models/dhan_batch.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace nd {
namespace {

// make_index of what f(i) gives.
template <class F>
Index index_of(Arena& arena, int64_t items, int64_t rows, F&& f) {
  auto row = arena.array<int32_t>(items);
  for (int64_t i = 0; i < items; ++i) row[i] = static_cast<int32_t>(f(i));
  return make_index(arena, row, rows);
}

}  // namespace

DhanArticles dhan_articles(Arena& arena, const Dhan& model, const DhanData& data, std::span<const int32_t> articles) {
  DhanArticles out;
  out.count = static_cast<int64_t>(articles.size());
  const auto stacks = [&](const std::vector<int32_t>& stack, int64_t height, const int32_t*& mean,
                          const int32_t*& rows) {
    auto means = arena.array<int32_t>(out.count), all = arena.array<int32_t>(out.count * height);
    for (int64_t i = 0; i < out.count; ++i) {
      means[i] = stack[articles[i]];
      for (int64_t t = 0; t < height; ++t) all[i * height + t] = static_cast<int32_t>(means[i] * height + t);
    }
    mean = means.data();
    rows = all.data();
  };
  if (model.uses_text()) stacks(data.article_sentence, model.shape().sentences, out.sentence_mean, out.sentence);
  if (model.uses_elements()) stacks(data.article_element, model.shape().elements, out.element_mean, out.element);
  out.id =
      index_of(arena, out.count, model.shape().articles + 1, [&](int64_t i) { return data.article_id[articles[i]]; });
  return out;
}

void fill_times(Arena& arena, const DhanOptions& options, std::span<const DhanInstance> instances, DhanBatch& batch) {
  const int64_t n = static_cast<int64_t>(instances.size()), L = options.length;
  constexpr int64_t kMostFields = 6;
  // Rows of every field, then an index a field.
  const auto fill = [&](const std::vector<DhanTimeField>& fields, int64_t items, auto&& rows_of) {
    const auto count = static_cast<int64_t>(fields.size());
    auto row = arena.array<int32_t>(count * items);
    int32_t one[kMostFields];
    for (int64_t i = 0; i < items; ++i) {
      rows_of(i, one);
      for (int64_t f = 0; f < count; ++f) row[f * items + i] = one[f];
    }
    std::vector<Index> index;
    for (int64_t f = 0; f < count; ++f)
      index.push_back(make_index(arena, row.subspan(static_cast<size_t>(f * items), static_cast<size_t>(items)),
                                 fields[static_cast<size_t>(f)].rows));
    return index;
  };
  if (options.absolute()) {
    const auto fields = absolute_fields(options.times, options.hidden);
    batch.absolute = fill(fields, n * L, [&](int64_t i, int32_t* rows) {
      absolute_rows(options.times, instances[i / L].time[i % L], rows);
    });
    batch.now =
        fill(fields, n, [&](int64_t i, int32_t* rows) { absolute_rows(options.times, instances[i].now, rows); });
  }
  if (options.relative())
    batch.relative = fill(relative_fields(options.times, options.hidden), n * L, [&](int64_t i, int32_t* rows) {
      const DhanInstance& in = instances[i / L];
      relative_rows(options.times, in.time[i % L], options.rel_anchor == "last" ? in.time.back() : in.now, rows);
    });
  if (options.time == "decay") {
    batch.decay = arena.mat(n * L, 1);
    for (int64_t i = 0; i < n * L; ++i) {
      const double hours = static_cast<double>(instances[i / L].now - instances[i / L].time[i % L]) / 3600;
      batch.decay.data[i] = static_cast<float>(std::exp(-0.01 * hours));
    }
  }
}

DhanStep::DhanStep(Dhan& model, const DhanData& data)
    : model_(model),
      data_(data),
      read_(data.articles()),
      candidates_(data.articles()),
      users_(model.shape().users + 1) {}

void DhanStep::clear() {
  for (Distinct* d : {&read_, &candidates_, &users_}) d->clear();
  instance_.clear();
  for (auto* list : {&history_, &instance_user_, &pair_instance_, &pair_candidate_}) list->clear();
}

void DhanStep::instance(const DhanInstance& instance) {
  const auto L = static_cast<size_t>(model_.options().length);
  if (instance.article.size() != L || instance.time.size() != L)
    throw std::logic_error("DhanStep: a history is not as long as the model's");
  instance_.push_back(instance);
  instance_user_.push_back(users_(instance.user));
  for (int32_t a : instance.article) history_.push_back(read_(a));
}

void DhanStep::candidate(int32_t article) {
  pair_instance_.push_back(static_cast<int32_t>(instances() - 1));
  pair_candidate_.push_back(candidates_(article));
}

DhanBatch DhanStep::batch(Arena& arena) {
  const int64_t L = model_.options().length, blocks = pairs() * L, E = model_.shape().elements;
  const auto reads = static_cast<int64_t>(read_.rows().size()), asked = static_cast<int64_t>(candidates_.rows().size());
  const auto users = static_cast<int64_t>(users_.rows().size());
  const auto pair_user = [&](int64_t p) { return instance_user_[pair_instance_[p]]; };
  const auto item = [&](int64_t b) { return pair_instance_[b / L] * L + b % L; };
  DhanBatch batch;
  batch.instances = instances();
  batch.pairs = pairs();
  auto first = arena.array<int64_t>(instances() + 1);
  for (int64_t p = 0, i = 0; i <= instances(); first[i++] = p)
    while (p < pairs() && pair_instance_[p] < i) ++p;
  batch.first_pair = first;
  batch.history = make_index(arena, history_, reads);
  batch.instance_user = make_index(arena, instance_user_, users);
  batch.pair_instance = make_index(arena, pair_instance_, instances());
  batch.pair_candidate = make_index(arena, pair_candidate_, asked);
  batch.pair_user = index_of(arena, pairs(), users, pair_user);
  batch.block_read = index_of(arena, blocks, reads, [&](int64_t b) { return history_[item(b)]; });
  batch.block_candidate = index_of(arena, blocks, asked, [&](int64_t b) { return pair_candidate_[b / L]; });
  batch.block_user = index_of(arena, blocks, users, [&](int64_t b) { return pair_user(b / L); });
  batch.block_item = index_of(arena, blocks, instances() * L, item);
  batch.block_pair = index_of(arena, blocks, pairs(), [&](int64_t b) { return b / L; });
  if (model_.uses_elements()) {
    batch.token_read =
        index_of(arena, blocks * E, reads * E, [&](int64_t i) { return history_[item(i / E)] * E + i % E; });
    batch.token_candidate =
        index_of(arena, blocks * E, asked * E, [&](int64_t i) { return pair_candidate_[i / E / L] * E + i % E; });
  }
  fill_times(arena, model_.options(), instance_, batch);
  return batch;
}

Var DhanStep::logits(Tape& tape, const uint64_t* draw, DhanAttention* attention) {
  Arena& arena = tape.arena();
  DhanParts parts;
  parts.shared = model_.shared(tape);
  parts.read = model_.read(tape, data_.frozen(), dhan_articles(arena, model_, data_, read_.rows()), parts.shared);
  parts.candidates =
      model_.candidates(tape, data_.frozen(), dhan_articles(arena, model_, data_, candidates_.rows()), parts.shared);
  parts.users = model_.users(tape, make_index(arena, users_.rows(), model_.shape().users + 1));
  return model_.logits(tape, parts, batch(arena), draw, attention);
}

}  // namespace nd
