// PV-DM (Le and Mikolov, "Distributed Representations of Sentences and Documents", ICML 2014), one tag a sentence.
//
// A word of a sentence is predicted from h, the mean of the sentence's own vector (its tag) and of the vectors of the
// words around. The softmax over all words is replaced by negative sampling (Mikolov et al. 2013):
//
//   loss = -log sigmoid(o_target . h) - sum over the others drawn of log sigmoid(-o_other . h)
//
// After training the tags are the sentences' vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lib/data/sentence_vectors.h"

namespace nd {

// The parameters, and one step of gradient descent. A template, so that its gradient can be tested in double.
template <class T>
class PvdmNet {
 public:
  PvdmNet(int64_t dim, int64_t tags, int64_t words)
      : tag(static_cast<size_t>(tags * dim)),
        word(static_cast<size_t>(words * dim)),
        output(static_cast<size_t>(words * dim)),
        dim_(dim),
        hidden_(static_cast<size_t>(dim)),
        pull_(static_cast<size_t>(dim)) {}

  // The loss of predicting `target`; then every parameter moves by -rate times its gradient. `other` has the words it
  // is told from, among which the target may be: it is passed over.
  T step(int64_t sentence, std::span<const int32_t> context, int32_t target, std::span<const int32_t> other, T rate) {
    const T share = T{1} / static_cast<T>(context.size() + 1);
    copy(row(tag, sentence), hidden_.data());
    for (const int32_t w : context) add(T{1}, row(word, w), hidden_.data());
    for (T& h : hidden_) h *= share;

    // All slopes first: the same word may be drawn twice.
    std::fill(pull_.begin(), pull_.end(), T{0});
    slope_.clear();
    T loss = slope(target, true);
    for (const int32_t w : other)
      if (w != target) loss += slope(w, false);
    for (const auto& [w, s] : slope_) add(s, row(output, w), pull_.data());
    for (const auto& [w, s] : slope_) add(-rate * s, hidden_.data(), row(output, w));
    add(-rate * share, pull_.data(), row(tag, sentence));
    for (const int32_t w : context) add(-rate * share, pull_.data(), row(word, w));
    return loss;
  }

  std::vector<T> tag, word, output;  // [sentences x dim], [words x dim], [words x dim]

 private:
  T* row(std::vector<T>& x, int64_t i) { return x.data() + i * dim_; }
  void copy(const T* from, T* to) const { std::copy(from, from + dim_, to); }
  void add(T scale, const T* x, T* to) const {
    for (int64_t j = 0; j < dim_; ++j) to[j] += scale * x[j];
  }
  T dot(const T* a, const T* b) const {
    constexpr int64_t kLanes = 16;  // sums side by side, which the compiler may not make of one
    T lane[kLanes] = {}, sum = 0;
    int64_t j = 0;
    for (; j + kLanes <= dim_; j += kLanes)
      for (int64_t l = 0; l < kLanes; ++l) lane[l] += a[j + l] * b[j + l];
    for (; j < dim_; ++j) sum += a[j] * b[j];
    for (const T part : lane) sum += part;
    return sum;
  }
  // Loss of one word, and its derivative by o . h.
  T slope(int32_t w, bool is_target) {
    const T z = dot(row(output, w), hidden_.data()), e = std::exp(-std::abs(z));
    const T sigmoid = z >= 0 ? 1 / (1 + e) : e / (1 + e);
    slope_.emplace_back(w, sigmoid - (is_target ? 1 : 0));
    return std::log1p(e) + std::max(is_target ? -z : z, T{0});
  }

  int64_t dim_;
  std::vector<T> hidden_, pull_;
  std::vector<std::pair<int32_t, T>> slope_;
};

// [s x dim] The vectors of the sentences, learnt by stochastic gradient descent, word by word in reading order, on one
// thread whatever is set, since steps depend on those before. `words` is the number of distinct words. The window is
// drawn anew for each word, uniformly from 1 to options.window; the others are drawn in proportion to count^0.75;
// frequent words are passed over at random in place of a list of stop words; the rate falls to 0 linearly.
// options.epochs 0: as many as make twenty million words, at least 5, at most 50.
Matrix train_pvdm(const Sentences& sentences, int64_t words, const WordVectorOptions& options);

}  // namespace nd
