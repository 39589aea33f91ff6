// One small, valid struct of every kind, for tests that go over all of them.
#pragma once

#include <gtest/gtest.h>

#include "formats/kinds.h"
#include "lib/io/container.h"

namespace nd::sample {

// Every kind, for TYPED_TEST_SUITE.
template <class Tuple>
struct TypesOf;
template <class... Kind>
struct TypesOf<std::tuple<Kind...>> {
  using Types = testing::Types<Kind...>;
};
using All = TypesOf<Kinds>::Types;

template <class... Texts>
Strings strings(Texts... texts) {
  StringsBuilder out;
  (out.push(texts), ...);
  return out.take();
}

template <class T>
Ragged<T> ragged(const std::vector<std::vector<T>>& rows) {
  RaggedBuilder<T> out;
  for (const auto& row : rows) {
    out.append(row);
    out.end_row();
  }
  return out.take();
}

inline Matrix matrix(int64_t rows, int64_t cols, std::vector<float> values, Stored stored = Stored::f32) {
  return {Array<float>(std::move(values)), rows, cols, stored};
}

inline Meta meta() {
  return {.tool = "sample 1",
          .options = json::Object{{"seed", 7}, {"rate", 0.1}, {"name", "blåbær"}},
          .inputs = {{"corpus", "corpus/1", 0x0123456789abcdef}}};
}

inline Corpus corpus() {
  Corpus c;
  c.id = strings("N1", "N2");
  c.category = std::vector<int32_t>{0, -1};
  c.subcategory = std::vector<int32_t>{-1, 0};
  c.title = strings("Snø i nord", "");
  c.abstract = strings("", "雪");
  c.body = strings("", "");
  c.url = strings("https://a.example/1", "");
  c.published = std::vector<int64_t>{1573552800, -1};
  c.category_name = strings("weather");
  c.subcategory_name = strings("snow");
  c.entity_id = strings("Q1", "Q2");
  c.entity_label = strings("universe", "");
  c.type_name = strings("C");
  c.link_entity = ragged<int32_t>({{0, 1}, {}});
  c.link_type = std::vector<int32_t>{0, -1};
  c.link_position = std::vector<uint8_t>{0, 1};
  c.link_frequency = std::vector<int32_t>{1, 3};
  c.link_first = std::vector<int32_t>{4, -1};
  c.link_confidence = std::vector<float>{1, 0.5f};
  return c;
}

inline Behavior behavior() {
  Behavior b;
  b.user_id = strings("U1", "U2");
  b.history = ragged<int32_t>({{}, {1, 0, 1}});
  b.impression_id = strings("1", "2", "3");
  b.user = std::vector<int32_t>{0, 1, 0};
  b.time = std::vector<int64_t>{100, -1, 300};
  b.impression_history = std::vector<int32_t>{0, 1, 0};
  b.candidate = ragged<int32_t>({{0, 1}, {}, {1}});
  b.label = std::vector<uint8_t>{1, 0, 255};
  b.corpus_size = std::vector<int64_t>{2};
  return b;
}

inline Clicks clicks() {
  Clicks c;
  c.user_id = strings("U1", "U2", "U3");
  c.article = ragged<int32_t>({{1, 0, 1}, {}, {0}});
  c.time = std::vector<int64_t>{100, 100, 300, 0};
  c.session = std::vector<int32_t>{0, 0, -1, 1};
  c.corpus_size = std::vector<int64_t>{2};
  return c;
}

inline Kg kg() {
  Kg k;
  k.entity_id = strings("a", "b");
  k.relation_id = strings("r");
  k.head = std::vector<int32_t>{0, 1, 0};
  k.relation = std::vector<int32_t>{0, 0, 0};
  k.tail = std::vector<int32_t>{1, 0, 0};
  k.split = std::vector<int64_t>{2, 2, 3};
  return k;
}

inline Vectors vectors(Stored stored = Stored::f32) {
  Vectors v;
  v.id = strings("x", "y");
  v.x = matrix(2, 3, {1, 2, 3, -0.5f, 0, 65504}, stored);
  v.relation_id = strings("r");
  v.relation_x = matrix(1, 3, {0.25f, 0, 1}, stored);
  return v;
}

inline Stacks stacks(Stored stored = Stored::f32) {
  Stacks s;
  s.id = strings("N1", "N2");
  s.label = strings("time", "person", "keywords");
  s.x = matrix(6, 2, {1, -1, 0.5f, -0.5f, 0, 0, 2, 65504, -1, 1, 0.25f, 3}, stored);
  return s;
}

inline Candidates candidates() {
  Candidates c;
  c.impression = std::vector<int32_t>{0, 2, 2};
  c.candidate = ragged<int32_t>({{1, 0}, {1}, {}});
  c.label = std::vector<uint8_t>{0, 1, 255};
  return c;
}

inline Scores scores() {
  Scores s;
  s.impression_id = strings("1", "2");
  s.user_id = strings("U1", "U2");
  s.time = std::vector<int64_t>{100, -1};
  s.score = ragged<float>({{0.5f, -1}, {3}});
  s.label = std::vector<uint8_t>{1, 0, 255};
  return s;
}

inline Params params() {
  Params p;
  p.tensor["attention.w"] = matrix(2, 2, {1, 2, 3, 4});
  p.tensor["attention.b"] = matrix(1, 2, {0, -1});
  p.strings["type_name"] = strings("P", "G");
  return p;
}

inline Checkpoint checkpoint() {
  Checkpoint c;
  c.tensor["now.w"] = matrix(1, 2, {1, 2});
  c.counter["epoch"] = std::vector<int64_t>{3};
  c.number["validation"] = std::vector<double>{0.5, 0.625};
  return c;
}

// The sample of a kind by its type.
template <class T>
T of() {
  if constexpr (std::is_same_v<T, Corpus>) return corpus();
  if constexpr (std::is_same_v<T, Behavior>) return behavior();
  if constexpr (std::is_same_v<T, Clicks>) return clicks();
  if constexpr (std::is_same_v<T, Kg>) return kg();
  if constexpr (std::is_same_v<T, Vectors>) return vectors();
  if constexpr (std::is_same_v<T, Stacks>) return stacks();
  if constexpr (std::is_same_v<T, Candidates>) return candidates();
  if constexpr (std::is_same_v<T, Scores>) return scores();
  if constexpr (std::is_same_v<T, Params>) return params();
  if constexpr (std::is_same_v<T, Checkpoint>) return checkpoint();
}

}  // namespace nd::sample
