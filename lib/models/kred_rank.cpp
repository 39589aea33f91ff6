#include "lib/models/kred_rank.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "lib/tensor/parallel.h"

namespace nd {
namespace {

// Large enough to keep every core busy, small enough that a block's values stay in cache or in bounded memory.
constexpr int64_t kArticleBlock = 1024, kHeadBlock = 4096, kImpressionBlock = 1024, kPairBlock = 1 << 20;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void append(std::vector<float>& out, const Mat& x) {
  out.resize(out.size() + static_cast<size_t>(x.size()));
  copy_out(x, out.data() + out.size() - x.size());
}

}  // namespace

// Vectors of the articles that some histories and candidates name, and where each is.
struct KredRanker::Encoded {
  std::vector<int32_t> place;  // [articles of the corpus] row of x, -1 when not asked for
  std::vector<int32_t> article;
  Arena memory;
  Mat x;       // [asked, article_dim]
  Mat logits;  // [asked, 1] of the history attention
  int64_t rows() const { return static_cast<int64_t>(article.size()); }

  Encoded(int64_t articles) : place(static_cast<size_t>(articles), -1) {}
  void ask(std::span<const int32_t> rows) {
    for (int32_t a : rows)
      if (place[a] < 0) {
        place[a] = static_cast<int32_t>(article.size());
        article.push_back(a);
      }
  }
  void fill(KredRanker& ranker) {
    x = memory.mat(rows(), ranker.model_.article_dim());
    copy_in(ranker.encode(article).data(), x);
    Tape tape(memory, false);
    logits = ranker.model_.history_logits(tape, tape.constant(x))->value;
  }
};

KredRanker::KredRanker(Kred& model, const KredData& data, int64_t max_history)
    : model_(model), data_(data), batcher_(model, data), max_history_(max_history) {}

// Of every entity that occurs in these articles; the others' rows are never read.
KredRanker::EntityTable KredRanker::entity_table(Arena& arena, std::span<const int32_t> articles) {
  EntityTable table;
  if (!model_.uses_neighbours()) return table;
  table.vectors = arena.mat(data_.heads(), model_.shape().entity_dim);
  if (model_.uses_entity_keys()) table.keys = arena.mat(data_.heads(), model_.options().hidden);
  std::vector<char> wanted(static_cast<size_t>(data_.heads()), false);
  for (int32_t a : articles)
    for (int64_t l = data_.link_offsets[a]; l < data_.link_offsets[a + 1]; ++l) wanted[data_.link_head[l]] = true;
  std::vector<int32_t> heads;
  for (int64_t h = 0; h < data_.heads(); ++h)
    if (wanted[h]) heads.push_back(static_cast<int32_t>(h));

  Arena block_arena;
  Tape tape(block_arena, false);
  const auto keep = [](std::span<const int32_t> block, Var rows, const Mat& all) {
    ops::put_rows(rows->value, block.data(), all);
  };
  for (size_t begin = 0; begin < heads.size(); begin += kHeadBlock) {
    const auto block = std::span(heads).subspan(begin, std::min<size_t>(kHeadBlock, heads.size() - begin));
    tape.reset();
    Var e = model_.entities(tape, data_.frozen(), batcher_.entities(block_arena, block));
    keep(block, e, table.vectors);
    if (!table.keys.empty()) keep(block, model_.entity_keys(tape, e), table.keys);
  }
  return table;
}

Var KredRanker::articles(Tape& tape, std::span<const int32_t> block, const EntityTable& table,
                         KredAttention* attention) {
  const ArticleBatch batch = batcher_.articles(tape.arena(), block, nullptr);
  Var entities = nullptr, keys = nullptr;
  if (!table.vectors.empty()) entities = tape.constant(table.vectors);
  else if (model_.uses_entities()) entities = tape.constant(data_.frozen().entity_x);
  if (!table.keys.empty()) keys = tape.constant(table.keys);
  return model_.articles(tape, data_.frozen(), batch, entities, keys, attention);
}

std::vector<float> KredRanker::encode(std::span<const int32_t> articles, double* table_seconds) {
  const int64_t n = static_cast<int64_t>(articles.size());
  const double began = now();
  Arena table_arena;
  const EntityTable table = entity_table(table_arena, articles);
  if (table_seconds) *table_seconds = now() - began;
  std::vector<float> out;
  out.reserve(static_cast<size_t>(n * model_.article_dim()));
  Arena arena;
  Tape tape(arena, false);
  for (int64_t begin = 0; begin < n; begin += kArticleBlock) {
    tape.reset();
    const Mat v = this->articles(tape, articles.subspan(begin, std::min(kArticleBlock, n - begin)), table)->value;
    append(out, v);
  }
  return out;
}

KredRanker::Attention KredRanker::attention(std::span<const int32_t> articles) {
  Attention out;
  Arena arena, table_arena;
  Tape tape(arena, false);
  EntityTable table;
  if (model_.uses_neighbours()) {
    table.vectors = table_arena.mat(data_.heads(), model_.shape().entity_dim);
    std::vector<int32_t> heads(static_cast<size_t>(data_.heads()));
    std::iota(heads.begin(), heads.end(), 0);
    for (int64_t begin = 0; begin < data_.heads(); begin += kHeadBlock) {
      const auto block = std::span(heads).subspan(begin, std::min(kHeadBlock, data_.heads() - begin));
      tape.reset();
      Var weights = nullptr;
      const Mat e = model_.entities(tape, data_.frozen(), batcher_.entities(arena, block), &weights)->value;
      ops::put_rows(e, block.data(), table.vectors);
      append(out.neighbour, weights->value);
    }
  }
  for (size_t begin = 0; begin < articles.size(); begin += kArticleBlock) {
    tape.reset();
    KredAttention weights;
    this->articles(tape, articles.subspan(begin, std::min<size_t>(kArticleBlock, articles.size() - begin)), table,
                   &weights);
    if (weights.entity) append(out.link, weights.entity->value);
  }
  return out;
}

Var KredRanker::users(Tape& tape, const Encoded& encoded, const Ragged<int32_t>& histories,
                      std::span<const int32_t> rows) {
  Arena& arena = tape.arena();
  auto offsets = arena.array<int64_t>(static_cast<int64_t>(rows.size()) + 1);
  offsets[0] = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    offsets[i + 1] = offsets[i] + std::min<int64_t>(max_history_, static_cast<int64_t>(histories[rows[i]].size()));
  auto clicked = arena.array<int32_t>(offsets[rows.size()]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto history = histories[rows[i]].last(static_cast<size_t>(offsets[i + 1] - offsets[i]));
    for (size_t j = 0; j < history.size(); ++j) clicked[offsets[i] + j] = encoded.place[history[j]];
  }
  Var x = tape.constant(encoded.x), logits = tape.constant(encoded.logits);
  const Index index{static_cast<int64_t>(clicked.size()), encoded.rows(), clicked.data()};
  return model_.users(tape, x, logits, make_segments(arena, offsets), index);
}

std::vector<float> KredRanker::score(const Behavior& behavior, std::span<const int32_t> impression,
                                     const Ragged<int32_t>& candidate) {
  Encoded encoded(data_.articles());
  encoded.ask(candidate.values);
  for (int32_t i : impression) {
    const auto history = behavior.history[behavior.impression_history[i]];
    encoded.ask(history.last(std::min<size_t>(static_cast<size_t>(max_history_), history.size())));
  }
  encoded.fill(*this);

  std::vector<float> out(static_cast<size_t>(candidate.values.size()));
  Arena arena;
  Tape tape(arena, false);
  Distinct distinct(behavior.history.size()), asked(encoded.rows());
  const auto n = static_cast<int64_t>(impression.size());
  for (int64_t begin = 0; begin < n; begin += kImpressionBlock) {
    const int64_t end = std::min(n, begin + kImpressionBlock);
    tape.reset();
    const int64_t first = candidate.offsets[begin], pairs = candidate.offsets[end] - first;
    auto user = arena.array<int32_t>(pairs), article = arena.array<int32_t>(pairs);
    distinct.clear();
    asked.clear();
    for (int64_t i = begin; i < end; ++i) {
      const int32_t u = distinct(behavior.impression_history[impression[i]]);
      for (int64_t c = candidate.offsets[i]; c < candidate.offsets[i + 1]; ++c) {
        user[c - first] = u;
        article[c - first] = asked(encoded.place[candidate.values[c]]);
      }
    }
    // Only the block's own articles go through the predictor's first layer.
    const auto rows = static_cast<int64_t>(asked.rows().size());
    Var all = tape.constant(encoded.x);
    Var x = grad::gather_sum(tape, {{all, Index{rows, encoded.rows(), asked.rows().data()}}});
    Var u = users(tape, encoded, behavior.history, distinct.rows());
    Var s = model_.scores(tape, u, {pairs, u->value.rows, user.data()}, x, {pairs, rows, article.data()});
    copy_out(s->value, out.data() + first);
  }
  return out;
}

std::vector<float> KredRanker::score(const Behavior& behavior) {
  std::vector<int32_t> all(static_cast<size_t>(behavior.size()));
  std::iota(all.begin(), all.end(), 0);
  return score(behavior, all, behavior.candidate);
}

std::vector<KredRanker::Best> KredRanker::top(const Ragged<int32_t>& histories, std::span<const int32_t> pool,
                                              int64_t k, bool skip_seen) {
  Encoded encoded(data_.articles());
  encoded.ask(pool);
  for (int64_t h = 0; h < histories.size(); ++h)
    encoded.ask(histories[h].last(std::min<size_t>(static_cast<size_t>(max_history_), histories[h].size())));
  encoded.fill(*this);

  std::vector<Best> out;
  Arena arena;
  Tape tape(arena, false);
  const auto m = static_cast<int64_t>(pool.size()), n = histories.size();
  std::vector<bool> seen(static_cast<size_t>(data_.articles()), false);
  std::vector<int64_t> order;
  // Some users at once, as the pool goes through the predictor's first layer once for all of them.
  const int64_t users_each = std::clamp<int64_t>(kPairBlock / std::max<int64_t>(m, 1), 1, kImpressionBlock);
  for (int64_t begin = 0; begin < n; begin += users_each) {
    const int64_t count = std::min(users_each, n - begin);
    tape.reset();
    auto place = arena.array<int32_t>(m), row = arena.array<int32_t>(count);
    auto user = arena.array<int32_t>(count * m), article = arena.array<int32_t>(count * m);
    for (int64_t j = 0; j < m; ++j) place[j] = encoded.place[pool[j]];
    for (int64_t u = 0; u < count; ++u) {
      row[u] = static_cast<int32_t>(begin + u);
      std::fill_n(user.begin() + u * m, m, static_cast<int32_t>(u));
      std::iota(article.begin() + u * m, article.begin() + (u + 1) * m, 0);
    }
    Var all = tape.constant(encoded.x);
    Var x = grad::gather_sum(tape, {{all, Index{m, encoded.rows(), place.data()}}});
    Var s = model_.scores(tape, users(tape, encoded, histories, row), {count * m, count, user.data()}, x,
                          {count * m, m, article.data()});
    const std::vector<float> scores = values_of(s->value);
    for (int64_t u = 0; u < count; ++u) {
      const float* score = scores.data() + u * m;
      const auto history = histories[begin + u];
      for (int32_t a : history) seen[a] = skip_seen;
      order.clear();
      for (int64_t j = 0; j < m; ++j)
        if (!seen[pool[j]]) order.push_back(j);
      for (int32_t a : history) seen[a] = false;
      const auto better = [&](int64_t a, int64_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; };
      const auto listed = std::min<int64_t>(k, static_cast<int64_t>(order.size()));
      std::partial_sort(order.begin(), order.begin() + listed, order.end(), better);
      Best& best = out.emplace_back();
      for (int64_t i = 0; i < listed; ++i) {
        best.article.push_back(pool[order[i]]);
        best.score.push_back(score[order[i]]);
      }
    }
  }
  return out;
}

}  // namespace nd
