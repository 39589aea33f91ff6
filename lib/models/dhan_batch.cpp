#include "lib/models/dhan_batch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace nd {
namespace {

// make_index of what f(i) gives.
template <class F>
Index index_of(Arena& arena, int64_t items, int64_t rows, F&& f) {
  auto row = arena.array<int32_t>(items);
  for (int64_t i = 0; i < items; ++i) row[i] = static_cast<int32_t>(f(i));
  return make_index(arena, row, rows);
}

Index index(Arena& arena, std::span<const int32_t> row, int64_t of, bool by_row) {
  return by_row ? make_index(arena, row, of) : Index{static_cast<int64_t>(row.size()), of, row.data()};
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

DhanArticles dhan_candidates_there(Arena& arena, const Dhan& model, const DhanData& data,
                                   std::span<const int32_t> articles, bool by_row) {
  DhanArticles out;
  out.count = static_cast<int64_t>(articles.size());
  const auto rows = [&](std::span<const int32_t> list, int64_t height) {
    auto to = arena.array<int32_t>(out.count * height);
    ops::rows_of(arena.device(), list, articles, height, to.data());
    return to;
  };
  if (model.uses_text()) out.sentence_mean = rows(data.lists.sentence, 1).data();
  if (model.uses_elements()) {
    out.element_mean = rows(data.lists.element, 1).data();
    out.element = rows(data.lists.element, model.shape().elements).data();
  }
  const std::span<const int32_t> id = rows(data.lists.id, 1);
  out.id = {out.count, model.shape().articles + 1, id.data()};
  if (!by_row) return out;
  auto offsets = arena.array<int64_t>(out.id.rows + 1);
  auto item = arena.array<int32_t>(out.count);
  ops::sort_items(arena.device(), id, out.id.rows, offsets.data(), item.data());
  out.id.offsets = offsets.data();
  out.id.item = item.data();
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
    auto decay = arena.array<float>(n * L);
    for (int64_t i = 0; i < n * L; ++i) {
      const double hours = static_cast<double>(instances[i / L].now - instances[i / L].time[i % L]) / 3600;
      decay[i] = static_cast<float>(std::exp(-0.01 * hours));
    }
    batch.decay = {decay.data(), n * L, 1};
  }
}

DhanParts dhan_parts(Tape& tape, Dhan& model, const DhanData& data, const DhanArticles& read,
                     const DhanArticles& candidates, const Index& users) {
  DhanParts parts;
  parts.shared = model.shared(tape);
  parts.read = model.read(tape, data.frozen(), read, parts.shared);
  parts.candidates = model.candidates(tape, data.frozen(), candidates, parts.shared);
  parts.users = model.users(tape, users);
  return parts;
}

DhanBatch dhan_instances(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row) {
  DhanBatch batch;
  batch.instances = static_cast<int64_t>(rows.instances.size());
  batch.history = index(arena, rows.history, rows.read, by_row);
  batch.instance_user = index(arena, rows.instance_user, rows.users, by_row);
  fill_times(arena, model.options(), rows.instances, batch);
  return batch;
}

void add_pairs(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row, DhanBatch& batch) {
  const int64_t L = model.options().length, instances = batch.instances;
  const auto pairs = static_cast<int64_t>(rows.pair_instance.size()), blocks = pairs * L;
  const auto index_of = [&](int64_t items, int64_t of, auto&& f) {
    auto row = arena.array<int32_t>(items);
    for (int64_t i = 0; i < items; ++i) row[i] = static_cast<int32_t>(f(i));
    return index(arena, row, of, by_row);
  };
  const auto pair_user = [&](int64_t p) { return rows.instance_user[rows.pair_instance[p]]; };
  const auto item = [&](int64_t b) { return rows.pair_instance[b / L] * L + b % L; };
  batch.pairs = pairs;
  auto first = arena.array<int64_t>(instances + 1);
  for (int64_t p = 0, i = 0; i <= instances; first[i++] = p)
    while (p < pairs && rows.pair_instance[p] < i) ++p;
  batch.first_pair = first;
  batch.pair_instance = index(arena, rows.pair_instance, instances, by_row);
  batch.pair_candidate = index(arena, rows.pair_candidate, rows.candidates, by_row);
  batch.pair_user = index_of(pairs, rows.users, pair_user);
  batch.block_item = index_of(blocks, instances * L, item);
  batch.block_pair = index_of(blocks, pairs, [&](int64_t b) { return b / L; });
  if (!by_row) return;
  batch.block_read = index_of(blocks, rows.read, [&](int64_t b) { return rows.history[item(b)]; });
  batch.block_candidate = index_of(blocks, rows.candidates, [&](int64_t b) { return rows.pair_candidate[b / L]; });
  batch.block_user = index_of(blocks, rows.users, [&](int64_t b) { return pair_user(b / L); });
}

DhanBatch dhan_batch(Arena& arena, const Dhan& model, const DhanRows& rows, bool by_row) {
  DhanBatch batch = dhan_instances(arena, model, rows, by_row);
  add_pairs(arena, model, rows, by_row, batch);
  return batch;
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
  arena_.reset();
}

void DhanStep::instance(const DhanInstance& instance) {
  const auto L = static_cast<size_t>(model_.options().length);
  if (instance.article.size() != L || instance.time.size() != L)
    throw std::logic_error("DhanStep: a history is not as long as the model's");
  instance_.push_back(instance);
  instance_user_.push_back(users_(instance.user));
  for (int32_t a : instance.article) history_.push_back(read_(a));
}

void DhanStep::prepare_instances() {
  rows_ = {.instances = instance_,
           .history = arena_.copy(history_),
           .instance_user = arena_.copy(instance_user_),
           .read = static_cast<int64_t>(read_.rows().size()),
           .users = static_cast<int64_t>(users_.rows().size())};
  read_articles_ = dhan_articles(arena_, model_, data_, read_.rows());
  user_rows_ = make_index(arena_, arena_.copy(users_.rows()), model_.shape().users + 1);
  batch_ = dhan_instances(arena_, model_, rows_, true);
}

void DhanStep::candidate(int64_t i, int32_t article) {
  pair_instance_.push_back(static_cast<int32_t>(i));
  pair_candidate_.push_back(candidates_(article));
}

void DhanStep::prepare_candidates() {
  rows_.pair_instance = arena_.copy(pair_instance_);
  rows_.pair_candidate = arena_.copy(pair_candidate_);
  rows_.candidates = static_cast<int64_t>(candidates_.rows().size());
  candidate_articles_ = dhan_articles(arena_, model_, data_, candidates_.rows());
  add_pairs(arena_, model_, rows_, true, batch_);
}

void DhanStep::prepare_pairs(std::span<const int64_t> offsets, bool by_row) {
  const Index pairs = make_segments(arena_, offsets);
  auto each = arena_.array<int32_t>(pairs.items);
  std::iota(each.begin(), each.end(), 0);
  rows_.pair_instance = {pairs.row, static_cast<size_t>(pairs.items)};
  rows_.pair_candidate = each;
  rows_.candidates = pairs.items;
  add_pairs(arena_, model_, rows_, by_row, batch_);
  by_row_ = by_row;
}

void DhanStep::candidates(std::span<const int32_t> articles) {
  candidate_articles_ = dhan_candidates_there(arena_, model_, data_, articles, by_row_);
}

Var DhanStep::logits(Tape& tape, const uint64_t* draw, DhanAttention* attention) {
  const DhanParts parts = dhan_parts(tape, model_, data_, read_articles_, candidate_articles_, user_rows_);
  return model_.logits(tape, parts, batch_, draw, attention);
}

}  // namespace nd
