// A made-up newsroom for D-HAN, small enough to compute by hand: articles without text, without elements, without an
// identity, a user nobody knows, times over a month's and a year's end all occur in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/kinds.h"
#include "lib/models/dhan.h"
#include "lib/tensor/random.h"

namespace nd::dhan_world {

constexpr int64_t kArticles = 24, kKnown = 20, kUsers = 5, kSentences = 6, kElements = 4, kWidth = 12, kElementDim = 9,
                  kLength = 4, kInstances = 5;

inline DhanOptions small() {
  DhanOptions o;
  o.length = kLength;
  o.width = kWidth;
  o.hidden = 16;
  o.inner = 20;
  o.head_width = 14;
  o.dropout = 0;
  o.times.first_year = 2016;
  o.times.years = 2;
  return o;
}
inline DhanShape shape() { return {kUsers, kKnown, kSentences, kWidth, kElements, kElementDim}; }

struct World {
  Corpus corpus;
  Stacks sentences, elements;
  Strings known;

  World() {
    RandomSequence r(7, "world");
    const auto strings = [](const char* letter, int64_t begin, int64_t end) {
      StringsBuilder b;
      for (int64_t i = begin; i < end; ++i) b.push(letter + std::to_string(i));
      return b.take();
    };
    const auto matrix = [&](int64_t rows, int64_t cols) {
      std::vector<float> x(static_cast<size_t>(rows * cols));
      for (float& v : x) v = static_cast<float>(r.normal());
      return Matrix{std::move(x), rows, cols};
    };
    corpus.id = strings("N", 0, kArticles);
    sentences = {strings("N", 2, kArticles), strings("s", 0, kSentences), matrix((kArticles - 2) * kSentences, kWidth)};
    elements = {strings("N", 0, kArticles - 3), strings("e", 0, kElements),
                matrix((kArticles - 3) * kElements, kElementDim)};
    known = strings("N", kArticles - kKnown, kArticles);
  }
};

struct Instance {
  int32_t user;
  std::vector<int32_t> article;
  std::vector<int64_t> time;
  int64_t now;
  std::vector<int32_t> candidate;
  std::vector<uint8_t> positive;
};

inline std::vector<Instance> instances(uint64_t seed = 8) {
  RandomSequence r(seed, "instances");
  std::vector<Instance> all;
  for (int64_t i = 0; i < kInstances; ++i) {
    Instance in;
    in.user = static_cast<int32_t>(r.below(kUsers + 1));  // one more: nobody known
    // Around the turns of 2016, 2017 and 2018; one in the first year of all.
    int64_t t = i == 0 ? 31 * 86400 - 200 : 1451606400 + 31622400 * (i / 2) - 90000;
    for (int64_t l = 0; l < kLength; ++l) {
      in.article.push_back(static_cast<int32_t>(r.below(kArticles)));
      in.time.push_back(t);
      t += l == 1 ? 0 : static_cast<int64_t>(r.below(40000));  // equal times occur
    }
    in.now = t + 61;
    const int64_t n = i == 3 ? 1 : 2 + static_cast<int64_t>(r.below(3));
    for (int64_t c = 0; c < n; ++c) {
      in.candidate.push_back(static_cast<int32_t>(r.below(kArticles)));
      in.positive.push_back(c == 0);
    }
    all.push_back(in);
  }
  return all;
}

}  // namespace nd::dhan_world
