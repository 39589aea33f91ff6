#include "lib/models/dhan_negatives.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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

void DhanNegatives::draw(std::span<const int32_t> clicks, int64_t epoch, DhanPool& pool) const {
  const auto n = static_cast<int64_t>(clicks.size()), most = options_.pool;
  pool.positive.resize(clicks.size());
  pool.article.resize(static_cast<size_t>(n * most));
  std::vector<int64_t> count(clicks.size());
  parallel_ranges(n, kDrawBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      pool.positive[static_cast<size_t>(i)] = clicks_.article.values[clicks[i]];
      count[i] = drawn_.draw(clicks[i], epoch,
                             std::span(pool.article).subspan(static_cast<size_t>(i * most), static_cast<size_t>(most)));
    }
  });
  pool.offsets.assign(1, 0);
  pool.owner.clear();
  for (int64_t i = 0; i < n; ++i) {  // closes the gaps of pools that are not full
    std::copy_n(pool.article.begin() + i * most, count[i], pool.article.begin() + pool.offsets.back());
    pool.owner.insert(pool.owner.end(), static_cast<size_t>(count[i]), static_cast<int32_t>(i));
    pool.offsets.push_back(pool.offsets.back() + count[i]);
  }
  pool.article.resize(static_cast<size_t>(pool.offsets.back()));
}

// Of each of the pool with its positive: the sum of three cosines.
std::vector<float> DhanNegatives::cosines(const DhanPool& pool) {
  arena_.reset();
  const auto items = static_cast<int64_t>(pool.article.size());
  const Mat total = arena_.mat(items, 1), one = arena_.mat(items, 1);
  fill(total, 0.0f);
  const auto add = [&](const Mat& table, const std::vector<int32_t>& row_of) {
    auto mine = arena_.array<int32_t>(items), its = arena_.array<int32_t>(items);
    for (int64_t i = 0; i < items; ++i) {
      mine[i] = row_of[static_cast<size_t>(pool.article[i])];
      its[i] = row_of[static_cast<size_t>(pool.positive[static_cast<size_t>(pool.owner[i])])];
    }
    ops::row_dots(table, picks(mine, table.rows), table, picks(its, table.rows), true, one);
    ops::axpy(1.0f, one, total);
  };
  if (model_.uses_text()) add(data_.frozen().sentence_mean, data_.article_sentence);
  if (model_.uses_elements()) add(data_.frozen().element_mean, data_.article_element);
  add(model_.parameters().find("id.article")->value, data_.article_id);
  return values_of(total);
}

// h of these articles; identities and vectors get no gradient from it.
Var DhanNegatives::net(Tape& tape, std::span<const int32_t> articles) {
  const auto n = static_cast<int64_t>(articles.size());
  const auto p = [&](const char* name) { return model_.parameters().on(tape, name); };
  const auto term = [&](const Mat& table, const std::vector<int32_t>& row_of, const char* weight) {
    auto rows = tape.arena().array<int32_t>(n);
    for (int64_t i = 0; i < n; ++i) rows[i] = row_of[static_cast<size_t>(articles[i])];
    return grad::Term{tape.constant(table), p(weight), rows.data()};
  };
  const auto text = [&] { return term(data_.frozen().sentence_mean, data_.article_sentence, "negatives.w_text"); };
  const auto element = [&] { return term(data_.frozen().element_mean, data_.article_element, "negatives.w_element"); };
  const grad::Term id = term(model_.parameters().find("id.article")->value, data_.article_id, "negatives.w_id");
  const Var bias = p("negatives.b");
  constexpr auto act = Activation::tanh;
  if (model_.uses_text() && model_.uses_elements()) return grad::linear(tape, {text(), element(), id}, bias, act, n);
  if (model_.uses_text()) return grad::linear(tape, {text(), id}, bias, act, n);
  if (model_.uses_elements()) return grad::linear(tape, {element(), id}, bias, act, n);
  return grad::linear(tape, {id}, bias, act, n);
}

std::vector<float> DhanNegatives::matches(const DhanPool& pool) {
  arena_.reset();
  Tape tape(arena_, false);
  const auto clicks = static_cast<int64_t>(pool.positive.size()), items = static_cast<int64_t>(pool.article.size());
  Var left = grad::linear(tape, {{net(tape, pool.positive), model_.parameters().on(tape, "negatives.w")}}, nullptr,
                          Activation::none, clicks);
  return values_of(
      grad::row_dots(tape, {left, picks(pool.owner, clicks)}, {net(tape, pool.article), identity(items)}, false)
          ->value);
}

Var DhanNegatives::loss(Tape& tape, const DhanPool& pool, std::span<const DhanInstance> instances) {
  if (options_.dns != "bilinear") return nullptr;
  const auto n = static_cast<int64_t>(instances.size());
  // The last article read beside the positive, then the first one drawn beside it.
  std::vector<int32_t> beside, owner;
  std::vector<uint8_t> one_reader;
  for (int64_t i = 0; i < n; ++i) {
    beside.push_back(instances[i].article.back());
    owner.push_back(static_cast<int32_t>(i));
    one_reader.push_back(1);
    if (pool.offsets[i] == pool.offsets[i + 1]) continue;
    beside.push_back(pool.article[static_cast<size_t>(pool.offsets[i])]);
    owner.push_back(static_cast<int32_t>(i));
    one_reader.push_back(0);
  }
  const auto items = static_cast<int64_t>(beside.size());
  const auto rows = tape.arena().copy(owner);
  const auto positive = tape.arena().copy(one_reader);
  Var left = grad::linear(tape, {{net(tape, pool.positive), model_.parameters().on(tape, "negatives.w")}}, nullptr,
                          Activation::none, n);
  Var s = grad::row_dots(tape, {left, make_index(tape.arena(), rows, n)}, {net(tape, beside), identity(items)}, false);
  return grad::two_means_loss(tape, s, positive.data());
}

void DhanNegatives::choose(const DhanPool& pool, std::span<const DhanInstance> instances) {
  const std::vector<float> by = options_.dns == "similar"    ? cosines(pool)
                                : options_.dns == "bilinear" ? matches(pool)
                                : options_.dns == "score"    ? scorer_.score(instances, pool.offsets, pool.article)
                                                             : std::vector<float>(pool.article.size(), 0.0f);
  chosen_.clear();
  offsets_.assign(1, 0);
  std::vector<int64_t> order;
  for (size_t i = 0; i < instances.size(); ++i) {
    order.resize(static_cast<size_t>(pool.offsets[i + 1] - pool.offsets[i]));
    std::iota(order.begin(), order.end(), pool.offsets[i]);
    const auto k = std::min(static_cast<int64_t>(order.size()), options_.each);
    if (options_.dns != "uniform")  // of equals the article that comes first in the corpus
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
        return by[a] != by[b] ? by[a] > by[b] : pool.article[a] < pool.article[b];
      });
    for (int64_t j = 0; j < k; ++j) chosen_.push_back(pool.article[static_cast<size_t>(order[j])]);
    offsets_.push_back(static_cast<int64_t>(chosen_.size()));
  }
}

double DhanNegatives::mean_rank(const DhanPool& pool) {
  const std::vector<float> by = cosines(pool);
  double sum = 0;
  for (size_t i = 0; i + 1 < offsets_.size(); ++i)
    for (const int32_t a : of(static_cast<int64_t>(i))) {
      const auto begin = pool.article.begin() + pool.offsets[i], end = pool.article.begin() + pool.offsets[i + 1];
      const auto mine = std::find(begin, end, a) - pool.article.begin();
      for (auto other = pool.offsets[i]; other < pool.offsets[i + 1]; ++other)
        sum += by[other] > by[mine] || (by[other] == by[mine] && pool.article[other] < a);
    }
  return sum / static_cast<double>(std::max<size_t>(chosen_.size(), 1));
}

}  // namespace nd
