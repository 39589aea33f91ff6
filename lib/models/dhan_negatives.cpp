#include "lib/models/dhan_negatives.h"

#include <algorithm>
#include <cmath>

#include "lib/tensor/parallel.h"

namespace nd {
namespace {

constexpr int64_t kDrawBlock = 8;  // clicks one thread draws for at a time

Index picks(std::span<const int32_t> rows, int64_t of) { return {static_cast<int64_t>(rows.size()), of, rows.data()}; }

}  // namespace

DhanNegatives::DhanNegatives(Dhan& model, const DhanData& data, const Clicks& clicks, const TrainingNegatives& drawn,
                             const DhanNegativeOptions& options, uint64_t seed)
    : model_(model), data_(data), clicks_(clicks), drawn_(drawn), options_(options), scorer_(model, data) {
  options_.pool = std::min(options_.pool, drawn.articles());  // what is asked for takes no memory, what is there does
  if (drawn.by_operation()) lists_ = drawn.lists(tables_);
  if (options.dns != "bilinear") return;
  const DhanShape& s = model.shape();
  const int64_t h = model.options().hidden, text = model.uses_text() ? s.sentence_dim : 0,
                elements = model.uses_elements() ? s.element_dim : 0, inputs = text + elements + model.options().width;
  const auto add = [&](const char* name, int64_t rows, int64_t cols, int64_t fan) -> Parameter& {
    return model.parameters().add(name, rows, cols, Init::uniform, seed, false,
                                  1 / std::sqrt(static_cast<double>(fan)));
  };
  if (text) add("negatives.w_text", text, h, inputs);
  if (elements) add("negatives.w_element", elements, h, inputs);
  add("negatives.w_id", model.options().width, h, inputs);
  add("negatives.b", 1, h, inputs).decayed = false;
  add("negatives.w", h, h, h);
}

void DhanNegatives::draw(std::span<const int32_t> clicks, std::span<const DhanInstance> instances, int64_t epoch,
                         DhanPool& pool) const {
  const auto n = static_cast<int64_t>(clicks.size());
  Arena& arena = pool.arena;
  arena.reset();
  pool.instances = instances;
  auto positive = arena.array<int32_t>(n);
  auto drawn = arena.array<int64_t>(n + 1), candidates = arena.array<int64_t>(n + 1);
  drawn[0] = candidates[0] = 0;
  for (int64_t i = 0; i < n; ++i) {
    positive[i] = clicks_.article.values[clicks[i]];
    const int64_t count = drawn_.count(clicks[i], options_.pool);
    drawn[i + 1] = drawn[i] + count;
    candidates[i + 1] = candidates[i] + 1 + std::min(count, options_.each);
  }
  pool.positive = positive;
  pool.drawn = make_segments(arena, drawn);
  pool.candidates = make_segments(arena, candidates);
  auto positive_of = arena.array<int32_t>(pool.drawn.items);
  for (int64_t i = 0; i < pool.drawn.items; ++i) positive_of[i] = positive[pool.drawn.row[i]];
  pool.positive_of = positive_of;
  pool.article = arena.array<int32_t>(pool.drawn.items);
  if (drawn_.by_operation()) {
    pool.draws = lists_;
    drawn_.for_clicks(clicks, epoch, arena, pool.draws);
  } else {
    parallel_ranges(n, kDrawBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        drawn_.draw(clicks[i], epoch,
                    pool.article.subspan(static_cast<size_t>(drawn[i]), static_cast<size_t>(drawn[i + 1] - drawn[i])));
    });
  }
  if (options_.dns != "score" || arena.device() == Device::cpu) return;
  if (!pool.scored) pool.scored = std::make_unique<DhanStep>(model_, data_);
  pool.scored->clear();
  for (const DhanInstance& instance : instances) pool.scored->instance(instance);
  pool.scored->prepare_instances();
  pool.scored->prepare_pairs(drawn, !model_.scores_item_by_item());
}

// Of each of the pool with its positive: the sum of three cosines.
Mat DhanNegatives::cosines(DhanPool& pool) {
  Arena& arena = pool.arena;
  const int64_t items = pool.drawn.items;
  const Mat total = arena.mat(items, 1), one = arena.mat(items, 1);
  fill(total, 0.0f);
  const auto add = [&](const Mat& table, std::span<const int32_t> list) {
    const auto rows = [&](std::span<const int32_t> articles) {
      auto to = arena.array<int32_t>(items);
      ops::rows_of(arena.device(), list, articles, 1, to.data());
      return picks(to, table.rows);
    };
    ops::row_dots(table, rows(pool.article), table, rows(pool.positive_of), true, one);
    ops::axpy(1.0f, one, total);
  };
  if (model_.uses_text()) add(data_.frozen().sentence_mean, data_.lists.sentence);
  if (model_.uses_elements()) add(data_.frozen().element_mean, data_.lists.element);
  add(model_.parameters().find("id.article")->value, data_.lists.id);
  return total;
}

// As the model now scores them.
Mat DhanNegatives::scores(DhanPool& pool) {
  if (pool.scored) {
    pool.scored->candidates(pool.article);
    arena_.reset();
    Tape tape(arena_, false);
    return pool.scored->logits(tape)->value;
  }
  const std::span offsets(pool.drawn.offsets, pool.instances.size() + 1);
  const std::vector<float> values = scorer_.score(pool.instances, offsets, pool.article);
  const Mat s = pool.arena.mat(pool.drawn.items, 1);
  copy_in(values.data(), s);
  return s;
}

// h of these articles; identities and vectors get no gradient from it.
Var DhanNegatives::net(Tape& tape, std::span<const int32_t> articles) {
  const auto n = static_cast<int64_t>(articles.size());
  const auto p = [&](const char* name) { return model_.parameters().on(tape, name); };
  const auto term = [&](const Mat& table, std::span<const int32_t> list, const char* weight) {
    auto rows = tape.arena().array<int32_t>(n);
    ops::rows_of(tape.arena().device(), list, articles, 1, rows.data());
    return grad::Term{tape.constant(table), p(weight), rows.data()};
  };
  const auto text = [&] { return term(data_.frozen().sentence_mean, data_.lists.sentence, "negatives.w_text"); };
  const auto element = [&] { return term(data_.frozen().element_mean, data_.lists.element, "negatives.w_element"); };
  const grad::Term id = term(model_.parameters().find("id.article")->value, data_.lists.id, "negatives.w_id");
  const Var bias = p("negatives.b");
  constexpr auto act = Activation::tanh;
  if (model_.uses_text() && model_.uses_elements()) return grad::linear(tape, {text(), element(), id}, bias, act, n);
  if (model_.uses_text()) return grad::linear(tape, {text(), id}, bias, act, n);
  if (model_.uses_elements()) return grad::linear(tape, {element(), id}, bias, act, n);
  return grad::linear(tape, {id}, bias, act, n);
}

Mat DhanNegatives::matches(DhanPool& pool) {
  arena_.reset();
  Tape tape(arena_, false);
  Var left = grad::linear(tape, {{net(tape, pool.positive), model_.parameters().on(tape, "negatives.w")}}, nullptr,
                          Activation::none, pool.drawn.rows);
  return grad::row_dots(tape, {left, pool.drawn}, {net(tape, pool.article), identity(pool.drawn.items)}, false)->value;
}

Var DhanNegatives::loss(Tape& tape, const DhanPool& pool) {
  if (options_.dns != "bilinear") return nullptr;
  Arena& arena = tape.arena();
  const int64_t n = pool.drawn.rows;
  // The last article read beside the positive, then the first one drawn beside it.
  auto last = arena.array<int32_t>(n);
  auto offsets = arena.array<int64_t>(n + 1);
  offsets[0] = 0;
  for (int64_t i = 0; i < n; ++i) {
    last[i] = pool.instances[static_cast<size_t>(i)].article.back();
    offsets[i + 1] = offsets[i] + (pool.drawn.begin(i) < pool.drawn.end(i) ? 2 : 1);
  }
  const Index pairs = make_segments(arena, offsets);
  auto one_reader = arena.array<uint8_t>(pairs.items);
  std::ranges::fill(one_reader, 0);
  for (int64_t i = 0; i < n; ++i) one_reader[offsets[i]] = 1;
  const Mat order = arena.mat(pool.drawn.items, 1);
  ops::rank_in_sets(pool.drawn, {}, nullptr, order);
  auto beside = arena.array<int32_t>(pairs.items);
  ops::pick_ranked(pool.drawn, order, pool.article.data(), last.data(), pairs, beside.data());
  Var left = grad::linear(tape, {{net(tape, pool.positive), model_.parameters().on(tape, "negatives.w")}}, nullptr,
                          Activation::none, n);
  Var s = grad::row_dots(tape, {left, pairs}, {net(tape, beside), identity(pairs.items)}, false);
  return grad::two_means_loss(tape, s, one_reader.data());
}

void DhanNegatives::choose(DhanPool& pool) {
  Arena& arena = pool.arena;
  if (drawn_.by_operation()) ops::draw_apart(arena.device(), pool.draws, pool.drawn, pool.article.data());
  const Mat by = options_.dns == "similar"    ? cosines(pool)
                 : options_.dns == "bilinear" ? matches(pool)
                 : options_.dns == "score"    ? scores(pool)
                                              : Mat{};
  pool.rank = arena.mat(pool.drawn.items, 1);
  ops::rank_in_sets(pool.drawn, by, pool.article.data(), pool.rank);
  pool.candidate = arena.array<int32_t>(pool.candidates.items);
  ops::pick_ranked(pool.drawn, pool.rank, pool.article.data(), pool.positive.data(), pool.candidates,
                   pool.candidate.data());
}

double DhanNegatives::mean_rank(DhanPool& pool) {
  const Mat rank = pool.arena.mat(pool.drawn.items, 1);
  ops::rank_in_sets(pool.drawn, cosines(pool), pool.article.data(), rank);
  const std::vector<float> near = values_of(rank), preferred = values_of(pool.rank);
  double sum = 0, chosen = 0;
  for (size_t i = 0; i < near.size(); ++i) {
    if (preferred[i] >= static_cast<float>(options_.each)) continue;
    sum += near[i];
    ++chosen;
  }
  return sum / std::max(chosen, 1.0);
}

}  // namespace nd
