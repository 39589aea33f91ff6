// Queries are taken 96 at a time, entities in panels of 64: a panel's columns stay in the first-level cache while all
// queries of the block pass over it, and nothing as wide as the number of entities is ever held. Two passes would be
// needed to know the answer's distance first, so it is taken from its own panel beforehand, by the same operation: an
// element of a product depends on its row and column only (ops.inc), so these are the same bits.
#include "lib/models/link_prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "lib/data/interner.h"
#include "lib/io/error.h"
#include "lib/tensor/arena.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd {
namespace {

constexpr int64_t kQueries = 96, kPanel = 64;
constexpr int64_t kBlocksAtOnce = 64;  // between two calls of progress

// For each (entity, relation), the entities that answer it in any split: sorted, distinct.
class Answers {
 public:
  Answers(const Kg& kg, const Array<int32_t>& from, const Array<int32_t>& to) {
    std::vector<Entry> all;
    all.reserve(static_cast<size_t>(kg.size()));
    for (int64_t i = 0; i < kg.size(); ++i) all.push_back({key(from[i], kg.relation[i]), to[i]});
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    entries_ = std::move(all);
  }
  struct Entry {
    uint64_t key;
    int32_t answer;
    auto operator<=>(const Entry&) const = default;
  };
  std::span<const Entry> of(int32_t from, int32_t relation) const {
    const uint64_t k = key(from, relation);
    const auto range = std::ranges::equal_range(entries_, k, {}, &Entry::key);
    return {range.begin(), range.end()};
  }

 private:
  static uint64_t key(int32_t from, int32_t relation) {
    return static_cast<uint64_t>(from) << 32 | static_cast<uint32_t>(relation);
  }
  std::vector<Entry> entries_;
};

struct Query {
  int32_t from, relation, answer;  // rows of the graph
};

class Ranker {
 public:
  Ranker(const Kg& kg, const Vectors& vectors, bool l1) : l1_(l1), width_(vectors.dim()) {
    const Vocabulary ids(vectors.id), relation_ids(vectors.relation_id);
    candidate_.assign(static_cast<size_t>(kg.entity_id.size()), -1);
    for (int64_t e = 0; e < kg.entity_id.size(); ++e) {
      const int32_t row = ids.find(kg.entity_id[e]);
      if (row < 0) continue;
      candidate_[e] = static_cast<int32_t>(vector_.size());
      vector_.push_back(vectors.x[row].data());
    }
    for (int64_t r = 0; r < kg.relation_id.size(); ++r) {
      const int32_t row = relation_ids.find(kg.relation_id[r]);
      relation_.push_back(row < 0 ? nullptr : vectors.relation_x[row].data());
    }
    fill_panels();
  }

  int64_t candidates() const { return static_cast<int64_t>(vector_.size()); }
  bool knows(int32_t entity) const { return candidate_[entity] >= 0; }
  bool knows_relation(int32_t relation) const { return relation_[relation] != nullptr; }

  // Ranks queries [0, n), n at most kQueries, whose point is vector(from) + sign * vector(relation).
  void rank(std::span<const Query> queries, float sign, const Answers& answers, LinkRank* raw,
            LinkRank* filtered) const {
    static thread_local Arena arena(Device::cpu);
    arena.reset();
    const auto n = static_cast<int64_t>(queries.size());
    const Mat points = arena.mat(n, width_), distances = arena.mat(n, kPanel);
    auto squares = arena.array<float>(n), answer = arena.array<float>(n);
    for (int64_t i = 0; i < n; ++i) {
      const float *from = vector_[candidate_[queries[i].from]], *r = relation_[queries[i].relation];
      float* point = points.row(i);
      squares[i] = 0;
      for (int64_t k = 0; k < width_; ++k) {
        point[k] = from[k] + sign * r[k];
        squares[i] += point[k] * point[k];
      }
      const int32_t true_one = candidate_[queries[i].answer];
      measure({point, 1, width_}, &squares[i], true_one / kPanel, {distances.data, 1, kPanel});
      answer[i] = distances.data[true_one % kPanel];
    }
    std::vector<std::vector<int32_t>> others(queries.size());  // other true answers, as candidates, in rising order
    for (int64_t i = 0; i < n; ++i) {
      for (const auto& entry : answers.of(queries[i].from, queries[i].relation))
        if (entry.answer != queries[i].answer && knows(entry.answer)) others[i].push_back(candidate_[entry.answer]);
      raw[i] = {0, -1};  // the answer itself is among its equals
      filtered[i] = {};
    }
    std::vector<size_t> next(queries.size(), 0);
    const int64_t panels = (candidates() + kPanel - 1) / kPanel;
    for (int64_t panel = 0; panel < panels; ++panel) {
      measure(points, squares.data(), panel, distances);
      const int64_t first = panel * kPanel, count = std::min(kPanel, candidates() - first);
      for (int64_t i = 0; i < n; ++i) {
        const float* d = distances.row(i);
        int32_t better = 0, equal = 0;
        for (int64_t j = 0; j < count; ++j) {
          better += d[j] < answer[i];
          equal += d[j] == answer[i];
        }
        raw[i].better += better;
        raw[i].equal += equal;
        for (size_t& at = next[i]; at < others[i].size() && others[i][at] < first + count; ++at) {
          const float other = d[others[i][at] - first];
          filtered[i].better -= other < answer[i];
          filtered[i].equal -= other == answer[i];
        }
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      filtered[i].better += raw[i].better;
      filtered[i].equal += raw[i].equal;
    }
  }

 private:
  // Candidates as columns, 64 to a matrix; the last one is filled up with zeros.
  void fill_panels() {
    const int64_t panels = (candidates() + kPanel - 1) / kPanel;
    panels_ = arena_.mat(panels * width_, kPanel);
    square_.assign(static_cast<size_t>(panels * kPanel), 0.0f);
    std::fill_n(panels_.data, panels_.size(), 0.0f);
    for (int64_t c = 0; c < candidates(); ++c)
      for (int64_t k = 0; k < width_; ++k) {
        const float x = vector_[c][k];
        panels_.row(c / kPanel * width_ + k)[c % kPanel] = x;
        square_[c] += x * x;
      }
  }

  // Distances of points to the candidates of a panel; for l2 their squares, which rank the same.
  void measure(const Mat& points, const float* squares, int64_t panel, Mat d) const {
    const Mat columns{panels_.row(panel * width_), width_, kPanel};
    if (l1_) ops::l1_distances(points, columns, d);
    else ops::gemm(points, nullptr, columns, {}, Activation::none, false, d);
    const float* candidate_square = square_.data() + panel * kPanel;
    for (int64_t i = 0; i < d.rows; ++i)
      for (int64_t j = 0; j < kPanel; ++j) {
        float& x = d.row(i)[j];
        if (!l1_) x = squares[i] + candidate_square[j] - 2 * x;
        x = std::isnan(x) ? std::numeric_limits<float>::infinity() : x;
      }
  }

  const bool l1_;
  const int64_t width_;
  std::vector<int32_t> candidate_;      // by entity of the graph, -1 without a vector
  std::vector<const float*> vector_;    // by candidate
  std::vector<const float*> relation_;  // by relation of the graph, null without a vector
  Arena arena_{Device::cpu};
  Mat panels_;
  std::vector<float> square_;  // by candidate
};

std::vector<LinkRank> joined(const std::vector<LinkRank>& a, const std::vector<LinkRank>& b) {
  std::vector<LinkRank> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

json::Value summary_json(const LinkSummary& s) {
  return json::Object{{"mrr", s.mrr}, {"mr", s.mr}, {"hits@1", s.hits1}, {"hits@3", s.hits3}, {"hits@10", s.hits10}};
}

json::Value side_json(const std::vector<LinkRank>& ranks) {
  const LinkSummary s = summarise(ranks, Ties::realistic);
  json::Value out = summary_json(s);
  out["queries"] = s.queries;
  out["ties"] = s.ties;
  out["optimistic"] = summary_json(summarise(ranks, Ties::optimistic));
  out["pessimistic"] = summary_json(summarise(ranks, Ties::pessimistic));
  return out;
}

std::string table_row(const std::string& name, const LinkSummary& s) {
  char line[160];
  std::snprintf(line, sizeof line, "%-26s %7.4f %10.2f %7.4f %7.4f %7.4f\n", name.c_str(), s.mrr, s.mr, s.hits1,
                s.hits3, s.hits10);
  return line;
}

}  // namespace

LinkRanks rank_links(const Kg& kg, int64_t begin, int64_t end, const Vectors& vectors, const std::string& norm,
                     const std::function<void(int64_t)>& progress) {
  if (vectors.relation_id.size() == 0) throw Error("the vectors have none for relations, expected TransE's");
  const Ranker ranker(kg, vectors, norm == "l1");
  LinkRanks out;
  out.triples = end - begin;
  out.candidates = ranker.candidates();
  if (out.candidates == 0) throw Error("no entity of the graph has a vector; expected ids of the same kind in both");

  std::vector<bool> seen(static_cast<size_t>(kg.entity_id.size())), seen_relation(kg.relation_id.size());
  for (int64_t i = 0; i < kg.split[0]; ++i) seen[kg.head[i]] = seen[kg.tail[i]] = seen_relation[kg.relation[i]] = true;
  std::vector<Query> tails, heads;
  for (int64_t i = begin; i < end; ++i) {
    const int32_t h = kg.head[i], r = kg.relation[i], t = kg.tail[i];
    if (!ranker.knows(h) || !ranker.knows(t) || !ranker.knows_relation(r)) {
      ++out.unknown;
      continue;
    }
    if (!seen[h] || !seen[t] || !seen_relation[r]) ++out.unseen;
    tails.push_back({h, r, t});
    heads.push_back({t, r, h});
  }
  if (tails.empty())
    throw Error("none of the " + std::to_string(out.triples) +
                " triples of the split can be ranked: expected vectors for both entities and the relation");

  const Answers true_tails(kg, kg.head, kg.tail), true_heads(kg, kg.tail, kg.head);
  for (auto* ranks : {&out.head_raw, &out.head, &out.tail_raw, &out.tail}) ranks->resize(tails.size());
  const auto n = static_cast<int64_t>(tails.size());
  for (int64_t done = 0; done < n; done += kBlocksAtOnce * kQueries) {
    if (progress) progress(done);
    const int64_t stop = std::min(n, done + kBlocksAtOnce * kQueries);
    parallel_ranges(stop - done, kQueries, [&](int64_t first, int64_t last) {
      const int64_t i = done + first, count = last - first;
      ranker.rank({tails.data() + i, static_cast<size_t>(count)}, 1, true_tails, &out.tail_raw[i], &out.tail[i]);
      ranker.rank({heads.data() + i, static_cast<size_t>(count)}, -1, true_heads, &out.head_raw[i], &out.head[i]);
    });
  }
  if (progress) progress(n);
  return out;
}

LinkSummary summarise(const std::vector<LinkRank>& ranks, Ties ties) {
  LinkSummary s;
  s.queries = static_cast<int64_t>(ranks.size());
  for (const LinkRank& r : ranks) {
    s.ties += r.equal > 0;
    const double share = ties == Ties::optimistic ? 0.0 : ties == Ties::pessimistic ? 1.0 : 0.5;
    const double rank = 1 + static_cast<double>(r.better) + share * static_cast<double>(r.equal);
    s.mrr += 1 / rank;
    s.mr += rank;
    s.hits1 += rank <= 1;
    s.hits3 += rank <= 3;
    s.hits10 += rank <= 10;
  }
  if (s.queries > 0)
    for (double* sum : {&s.mrr, &s.mr, &s.hits1, &s.hits3, &s.hits10}) *sum /= static_cast<double>(s.queries);
  return s;
}

json::Value link_json(const LinkRanks& r) {
  json::Value out =
      json::Object{{"triples", r.triples}, {"unknown", r.unknown}, {"unseen", r.unseen}, {"candidates", r.candidates}};
  out["filtered"] = json::Object{
      {"both", side_json(joined(r.head, r.tail))}, {"head", side_json(r.head)}, {"tail", side_json(r.tail)}};
  out["raw"] = json::Object{{"both", side_json(joined(r.head_raw, r.tail_raw))},
                            {"head", side_json(r.head_raw)},
                            {"tail", side_json(r.tail_raw)}};
  return out;
}

std::string link_table(const LinkRanks& r) {
  const auto both = joined(r.head, r.tail), both_raw = joined(r.head_raw, r.tail_raw);
  const LinkSummary s = summarise(both, Ties::realistic);
  char head[200];
  std::snprintf(head, sizeof head, "%-26s %7s %10s %7s %7s %7s\n", "", "MRR", "MR", "H@1", "H@3", "H@10");
  return head + table_row("filtered, both sides", s) + table_row("filtered, head", summarise(r.head, Ties::realistic)) +
         table_row("filtered, tail", summarise(r.tail, Ties::realistic)) +
         table_row("raw, both sides", summarise(both_raw, Ties::realistic)) +
         table_row("raw, head", summarise(r.head_raw, Ties::realistic)) +
         table_row("raw, tail", summarise(r.tail_raw, Ties::realistic)) +
         table_row("filtered, ties optimistic", summarise(both, Ties::optimistic)) +
         table_row("filtered, ties pessimistic", summarise(both, Ties::pessimistic)) + std::to_string(s.ties) + " of " +
         std::to_string(s.queries) + " queries with ties; " + std::to_string(r.triples) + " triples, " +
         std::to_string(r.unknown) + " not ranked for want of vectors, " + std::to_string(r.unseen) +
         " with something unseen in training; " + std::to_string(r.candidates) + " candidates\n";
}

}  // namespace nd
