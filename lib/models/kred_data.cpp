#include "lib/models/kred_data.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "lib/io/error.h"
#include "lib/tensor/random.h"

namespace nd {
namespace {

using RowOf = std::unordered_map<std::string_view, int32_t>;

RowOf rows_by_id(const Strings& ids) {
  RowOf rows;
  rows.reserve(static_cast<size_t>(ids.size()));
  for (int64_t i = 0; i < ids.size(); ++i) rows.emplace(ids[i], static_cast<int32_t>(i));
  return rows;
}

int32_t find(const RowOf& rows, std::string_view id) {
  const auto found = rows.find(id);
  return found == rows.end() ? -1 : found->second;
}

// Ids as they look on both sides, so that a prefix or another numbering is seen at once.
std::string examples(const Strings& corpus, const Strings& others, const std::string& where) {
  const auto first = [](const Strings& ids) { return ids.size() ? std::string(ids[0]) : std::string("none"); };
  return " (" + first(corpus) + " in the corpus, " + first(others) + " in the " + where + ")";
}

// The operations read matrices through plain pointers and never write those.
Mat view(const Matrix& m) { return {const_cast<float*>(m.values.data()), m.rows, m.cols}; }

}  // namespace

json::Value NeighbourOptions::to_json() const {
  return json::Object{{"most", most},
                      {"pick", pick},
                      {"with_replacement", with_replacement},
                      {"undirected", undirected},
                      {"resample", resample}};
}

NeighbourOptions NeighbourOptions::from_json(const json::Value& value) {
  NeighbourOptions o;
  const auto flag = [&](const char* key, bool& out) {
    const json::Value* v = value.find(key);
    if (!v || !v->boolean()) throw Error(std::string("option neighbours.") + key + " is missing");
    out = *v->boolean();
  };
  const json::Value *most = value.find("most"), *pick = value.find("pick");
  if (!most || !most->integer() || *most->integer() < 1) throw Error("option neighbours.most is missing");
  if (!pick || !pick->string()) throw Error("option neighbours.pick is missing");
  o.most = *most->integer();
  o.pick = *pick->string();
  flag("with_replacement", o.with_replacement);
  flag("undirected", o.undirected);
  flag("resample", o.resample);
  return o;
}

KredData::KredData(const Corpus& corpus, const Vectors& documents, const Vectors* entities, const Kg* kg,
                   const Strings& types, int64_t frequencies, const NeighbourOptions& neighbours, uint64_t seed)
    : neighbours_(neighbours), seed_(seed) {
  join_documents(corpus, documents);
  link_offsets.assign(static_cast<size_t>(corpus.size()) + 1, 0);
  neighbour_offsets.assign(1, 0);
  if (entities) join_links(corpus, *entities, types, frequencies);
  if (entities && kg) {
    join_graph(corpus, *entities, *kg);
    choose_neighbours(0);
  }
}

void KredData::join_documents(const Corpus& corpus, const Vectors& documents) {
  const RowOf rows = rows_by_id(documents.id);
  article_document.resize(static_cast<size_t>(corpus.size()));
  coverage_.articles = corpus.size();
  for (int64_t a = 0; a < corpus.size(); ++a) {
    article_document[a] = find(rows, corpus.id[a]);
    coverage_.without_vector += article_document[a] < 0;
  }
  if (coverage_.without_vector == corpus.size())
    throw Error("no article has a document vector: the corpus and the document vectors share no id" +
                examples(corpus.id, documents.id, "vectors"));
  document_x_ = documents.x;
  if (coverage_.without_vector > 0) {  // one more row, of zeros, stands for all that have none
    std::vector<float> values(documents.x.values.begin(), documents.x.values.end());
    values.resize(values.size() + static_cast<size_t>(documents.x.cols), 0.0f);
    document_x_ = {std::move(values), documents.x.rows + 1, documents.x.cols};
    for (int32_t& row : article_document)
      if (row < 0) row = static_cast<int32_t>(documents.x.rows);
  }
  frozen_.document_x = to_device(tables_, view(document_x_));
}

void KredData::join_links(const Corpus& corpus, const Vectors& entities, const Strings& types, int64_t frequencies) {
  // A copy, as the arena's memory is in huge pages: rows are read in no order, each a page of its own.
  frozen_.entity_x = tables_.mat(entities.x.rows, entities.x.cols);
  copy_in(entities.x.values.data(), frozen_.entity_x);
  const RowOf rows = rows_by_id(entities.id), type_rows = rows_by_id(types);
  std::vector<int32_t> type_row(static_cast<size_t>(corpus.type_name.size()) + 1, static_cast<int32_t>(types.size()));
  for (int64_t t = 0; t < corpus.type_name.size(); ++t)
    if (const int32_t row = find(type_rows, corpus.type_name[t]); row >= 0) type_row[t] = row;

  std::vector<int32_t> vector_row(static_cast<size_t>(corpus.entity_id.size()));
  for (int64_t e = 0; e < corpus.entity_id.size(); ++e) vector_row[e] = find(rows, corpus.entity_id[e]);
  // Heads are numbered in corpus order, those that are linked and have a vector.
  std::vector<int32_t> head(vector_row.size(), -1);
  for (int32_t e : corpus.link_entity.values)
    if (vector_row[e] >= 0) head[e] = 0;
  for (size_t e = 0; e < head.size(); ++e) {
    if (head[e] < 0) continue;
    head[e] = static_cast<int32_t>(head_entity.size());
    head_entity.push_back(vector_row[e]);
    head_corpus.push_back(static_cast<int32_t>(e));
    head_key_.push_back(Random::hash(corpus.entity_id[static_cast<int64_t>(e)]));
  }

  std::vector<int64_t> last_article(head.size(), -1);
  for (int64_t a = 0; a < corpus.size(); ++a) {
    const int64_t begin = corpus.link_entity.offsets[a], end = corpus.link_entity.offsets[a + 1];
    for (int64_t l = begin; l < end; ++l) {
      const int32_t e = corpus.link_entity.values[l];
      if (std::exchange(last_article[e], a) == a)
        throw Error("article " + std::string(corpus.id[a]) + " links " + std::string(corpus.entity_id[e]) +
                    " more than once: run entity-link-filter on the corpus first");
      ++coverage_.links;
      if (head[e] < 0) {
        ++coverage_.links_without_vector;
        continue;
      }
      link_head.push_back(head[e]);
      link_position.push_back(corpus.link_position[l]);
      link_frequency.push_back(static_cast<int32_t>(std::clamp<int64_t>(corpus.link_frequency[l], 1, frequencies) - 1));
      const int32_t type = corpus.link_type[l];
      link_type.push_back(type < 0 ? static_cast<int32_t>(types.size()) : type_row[type]);
    }
    link_offsets[a + 1] = static_cast<int64_t>(link_head.size());
    coverage_.without_entity += link_offsets[a + 1] == link_offsets[a];
  }
  coverage_.entities = heads();
  if (heads() == 0)
    throw Error("no linked entity has a vector: the corpus and the entity vectors share no id" +
                examples(corpus.entity_id, entities.id, "vectors"));
}

void KredData::join_graph(const Corpus& corpus, const Vectors& entities, const Kg& kg) {
  if (entities.relation_x.rows == 0) throw Error("the entity vectors hold no relation vectors; kg-transe writes both");
  relation_x_ = entities.relation_x;
  frozen_.relation_x = to_device(tables_, view(relation_x_));
  const RowOf entity_rows = rows_by_id(entities.id), relation_rows = rows_by_id(entities.relation_id);
  std::vector<int32_t> entity(static_cast<size_t>(kg.entity_id.size())), relation(kg.relation_id.size());
  for (int64_t e = 0; e < kg.entity_id.size(); ++e) entity[e] = find(entity_rows, kg.entity_id[e]);
  for (int64_t r = 0; r < kg.relation_id.size(); ++r) relation[r] = find(relation_rows, kg.relation_id[r]);
  std::vector<int32_t> head_of(static_cast<size_t>(entities.x.rows), -1);
  for (int64_t h = 0; h < heads(); ++h) head_of[head_entity[h]] = static_cast<int32_t>(h);
  entity_degree_.assign(static_cast<size_t>(entities.x.rows), 0);

  // A counting sort of the triples by head: count, then place.
  triple_offsets_.assign(static_cast<size_t>(heads()) + 1, 0);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<int64_t> at(triple_offsets_.begin(), triple_offsets_.end() - 1);
    const auto use = [&](int32_t h, int32_t r, int32_t t) {
      const int32_t head = head_of[h];
      if (head < 0) return;
      if (pass == 0) {
        ++triple_offsets_[head + 1];
      } else {
        triple_tail_[at[head]] = t;
        triple_relation_[at[head]++] = r;
      }
    };
    for (int64_t i = 0; i < kg.size(); ++i) {
      const int32_t h = entity[kg.head[i]], r = relation[kg.relation[i]], t = entity[kg.tail[i]];
      if (h < 0 || r < 0 || t < 0) {
        coverage_.triples_without_vector += pass == 0;
        continue;
      }
      if (pass == 0) {
        ++entity_degree_[h];
        ++entity_degree_[t];
      }
      use(h, r, t);
      if (neighbours_.undirected) use(t, r, h);
    }
    if (pass == 0) {
      std::partial_sum(triple_offsets_.begin(), triple_offsets_.end(), triple_offsets_.begin());
      triple_tail_.resize(static_cast<size_t>(triple_offsets_.back()));
      triple_relation_.resize(triple_tail_.size());
    }
  }
  if (triple_tail_.empty())
    throw Error("no linked entity is the head of a triple: the corpus and the graph share no entity" +
                examples(corpus.entity_id, kg.entity_id, "graph"));
  for (int64_t h = 0; h < heads(); ++h) coverage_.without_neighbours += triple_offsets_[h] == triple_offsets_[h + 1];
}

void KredData::choose_neighbours(int64_t epoch) {
  const Random random(seed_, "neighbours/" + std::to_string(neighbours_.resample ? epoch : 0));
  neighbour_offsets.assign(1, 0);
  neighbour_tail.clear();
  neighbour_relation.clear();
  std::vector<int64_t> chosen;
  for (int64_t h = 0; h < heads(); ++h) {
    const int64_t begin = triple_offsets_[h], n = triple_offsets_[h + 1] - begin;
    const uint64_t key = head_key_[h];
    chosen.clear();
    if (neighbours_.with_replacement && n > 0) {
      for (int64_t i = 0; i < neighbours_.most; ++i)
        chosen.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(n), key, static_cast<uint64_t>(i))));
    } else {
      chosen.resize(static_cast<size_t>(n));
      std::iota(chosen.begin(), chosen.end(), 0);
      if (n > neighbours_.most) {
        // The `most` with the smallest keys, then back in graph order; equal keys go by place.
        const auto rank = [&](int64_t i) -> uint64_t {
          if (neighbours_.pick == "first") return 0;
          if (neighbours_.pick == "degree") return ~static_cast<uint64_t>(entity_degree_[triple_tail_[begin + i]]);
          return random.bits(key, static_cast<uint64_t>(i));
        };
        std::vector<std::pair<uint64_t, int64_t>> ranked;
        for (int64_t i = 0; i < n; ++i) ranked.emplace_back(rank(i), i);
        std::nth_element(ranked.begin(), ranked.begin() + neighbours_.most, ranked.end());
        chosen.clear();
        for (int64_t i = 0; i < neighbours_.most; ++i) chosen.push_back(ranked[i].second);
        std::sort(chosen.begin(), chosen.end());
      }
    }
    for (int64_t i : chosen) {
      neighbour_tail.push_back(triple_tail_[begin + i]);
      neighbour_relation.push_back(triple_relation_[begin + i]);
    }
    neighbour_offsets.push_back(static_cast<int64_t>(neighbour_tail.size()));
  }
  see_whether_tails_repeat();
}

void KredData::see_whether_tails_repeat() {
  const int64_t n = neighbour_offsets[std::min(heads(), kFewHeads)];
  std::vector<int32_t> tails(neighbour_tail.begin(), neighbour_tail.begin() + n);
  std::sort(tails.begin(), tails.end());
  const int64_t distinct = std::unique(tails.begin(), tails.end()) - tails.begin();
  tails_repeat = n - distinct > n / 3;
}

std::vector<bool> articles_of(const Behavior& behavior, int64_t corpus_size) {
  std::vector<bool> used(static_cast<size_t>(corpus_size), false);
  for (int32_t a : behavior.candidate.values) used[a] = true;
  for (int32_t a : behavior.history.values) used[a] = true;
  return used;
}

Strings types_of(const Corpus& corpus, const std::vector<bool>& used) {
  std::vector<bool> seen(static_cast<size_t>(corpus.type_name.size()), false);
  for (int64_t a = 0; a < corpus.size(); ++a) {
    if (!used[a]) continue;
    for (int64_t l = corpus.link_entity.offsets[a]; l < corpus.link_entity.offsets[a + 1]; ++l)
      if (corpus.link_type[l] >= 0) seen[corpus.link_type[l]] = true;
  }
  StringsBuilder out;
  for (int64_t t = 0; t < corpus.type_name.size(); ++t)
    if (seen[t]) out.push(corpus.type_name[t]);
  return out.take();
}

}  // namespace nd
