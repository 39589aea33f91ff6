// KRED once more, in float64, one article and one entity at a time, with vectors concatenated as the paper prints them.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/models/kred.h"
#include "lib/models/kred_data.h"
#include "tests/lib/models/kred_world.h"
#include "tests/lib/models/vec.h"

namespace nd::kred_reference {

using namespace vec;

class Reference {
 public:
  Reference(const KredOptions& options, const KredData& data, const Tensors& tensors)
      : o_(options), data_(data), t_(tensors) {}

  // Eqs. (1)-(3)
  Vec entity(int64_t head) const {
    const int32_t h = data_.head_entity[head];
    const Vec self = row(data_.frozen().entity_x, h);
    if (o_.model != "kred" || o_.kgat == "off") return self;
    const int64_t begin = data_.neighbour_offsets[head], end = data_.neighbour_offsets[head + 1];
    Vec weight(static_cast<size_t>(end - begin), o_.kgat == "mean" ? 1.0 / static_cast<double>(end - begin) : 1.0);
    if (o_.kgat == "softmax") {
      for (int64_t j = begin; j < end; ++j) {
        const Vec input = join(join(self, row(data_.frozen().relation_x, data_.neighbour_relation[j])),
                               row(data_.frozen().entity_x, data_.neighbour_tail[j]));
        weight[j - begin] = two_layers(input, {"kgat.w1_head", "kgat.w1_relation", "kgat.w1_tail"}, "kgat");
      }
      weight = softmax(weight);
    }
    Vec sum(self.size(), 0.0);
    for (int64_t j = begin; j < end; ++j)
      sum = sum + weight[j - begin] * row(data_.frozen().entity_x, data_.neighbour_tail[j]);
    return map(times(join(self, sum), {"kgat.w0_self", "kgat.w0_neighbours"}), relu);
  }

  // Eqs. (4)-(8)
  Vec article(int64_t a) const {
    const auto known = articles_.find(a);
    return known != articles_.end() ? known->second : articles_[a] = compute(a);
  }

  Vec compute(int64_t a) const {
    const Vec v = row(data_.frozen().document_x, data_.article_document[a]);
    if (o_.model == "dv") return v;
    std::vector<Vec> links;
    Vec logits;
    for (int64_t l = data_.link_offsets[a]; l < data_.link_offsets[a + 1]; ++l) {
      Vec e = entity(data_.link_head[l]);
      if (o_.model == "kred" && o_.context)
        e = e + row("context.position", data_.link_position[l]) + row("context.frequency", data_.link_frequency[l]) +
            row("context.type", data_.link_type[l]);
      logits.push_back(o_.model == "dv-entity" ? two_layers(e, {"distill.w1_entity"}, "distill")
                       : o_.distill == "attention"
                           ? two_layers(join(e, v), {"distill.w1_entity", "distill.w1_document"}, "distill")
                           : 0.0);
      links.push_back(e);
    }
    Vec pool(static_cast<size_t>(data_.frozen().entity_x.cols), 0.0);
    if (links.empty() && o_.no_entity == "learned") pool = row("distill.empty", 0);
    if (!links.empty() && o_.model == "kred" && o_.distill == "max") {
      pool = links[0];
      for (const Vec& e : links)
        for (size_t i = 0; i < e.size(); ++i) pool[i] = std::max(pool[i], e[i]);
    } else if (!links.empty()) {
      Vec weight = softmax(logits);
      if (o_.model == "kred" && o_.distill == "mean")
        weight.assign(links.size(), 1.0 / static_cast<double>(links.size()));
      if (o_.model == "kred" && o_.distill == "sum") weight.assign(links.size(), 1.0);
      for (size_t i = 0; i < links.size(); ++i) pool = pool + weight[i] * links[i];
    }
    if (o_.model == "dv-entity") return join(pool, v);
    return map(times(join(pool, v), {"out.w3_entity", "out.w3_document"}) + row("out.b3", 0),
               [](double x) { return std::tanh(x); });
  }

  Vec user(const std::vector<int32_t>& history) const {
    Vec logits, u(static_cast<size_t>(width()), 0.0);
    std::vector<Vec> clicked;
    for (int32_t a : history) {
      clicked.push_back(article(a));
      logits.push_back(o_.user_attn == "mlp" ? two_layers(clicked.back(), {"user.w1"}, "user")
                                             : times(clicked.back(), {"user.w"})[0]);
    }
    const Vec alpha = softmax(logits);
    for (size_t i = 0; i < clicked.size(); ++i) u = u + alpha[i] * clicked[i];
    return u;
  }

  // Eq. (9)
  double score(const Vec& u, const Vec& v) const {
    double s;
    if (o_.predictor == "mlp")
      s = two_layers(join(u, v), {"predictor.w1_user", "predictor.w1_document"}, "predictor") +
          row("predictor.b2", 0)[0];
    else if (o_.predictor == "linear")
      s = times(join(u, v), {"predictor.w_user", "predictor.w_document"})[0] + row("predictor.b", 0)[0];
    else if (o_.predictor == "dot") s = dot(u, v);
    else s = dot(u, v) / (std::max(std::sqrt(dot(u, u)), 1e-8) * std::max(std::sqrt(dot(v, v)), 1e-8));
    return o_.bound == "sigmoid" ? 1 / (1 + std::exp(-s)) : s;
  }

  // Logits of the category head.
  Vec category(int64_t a) const {
    const Vec hidden = map(times(article(a), {"category.w1"}) + row("category.b1", 0), relu);
    return times(hidden, {"category.w2"}) + row("category.b2", 0);
  }

  // Eq. (12), mean over documents, without the L2 term.
  double category_loss(const kred_world::Batch& batch) const {
    articles_.clear();
    double total = 0;
    for (size_t i = 0; i < batch.document.size(); ++i)
      total -= std::log(softmax(category(batch.document[i]))[batch.label[i]]);
    return total / static_cast<double>(batch.document.size());
  }

  // Eqs. (10)-(11), mean over users, without the L2 term; the first candidate is the clicked one.
  double loss(const kred_world::Batch& batch) const {
    articles_.clear();  // the caller may have changed a parameter
    double total = 0;
    for (size_t i = 0; i < batch.history.size(); ++i) {
      const Vec u = user(batch.history[i]);
      Vec s;
      for (int32_t a : batch.candidate[i]) s.push_back(o_.gamma * score(u, article(a)));
      total -= std::log(softmax(s)[0]);
    }
    return total / static_cast<double>(batch.history.size());
  }

 private:
  int64_t width() const {
    return o_.model == "kred" ? o_.width
                              : data_.frozen().document_x.cols + (o_.model == "dv" ? 0 : data_.frozen().entity_x.cols);
  }
  static Vec row(const Mat& m, int64_t r) { return Vec(m.row(r), m.row(r) + m.cols); }
  Vec row(const std::string& name, int64_t r) const {
    const Tensor& t = t_.at(name);
    return Vec(t.x.begin() + r * t.cols, t.x.begin() + (r + 1) * t.cols);
  }
  // x · W, where W is the named matrices stacked.
  Vec times(const Vec& x, const std::vector<std::string>& stack) const {
    Vec y(static_cast<size_t>(t_.at(stack[0]).cols), 0.0);
    size_t at = 0;
    for (const std::string& name : stack) {
      const Tensor& w = t_.at(name);
      for (int64_t i = 0; i < w.rows; ++i, ++at)
        for (int64_t j = 0; j < w.cols; ++j) y[j] += x[at] * w.x[i * w.cols + j];
    }
    return y;
  }
  // w2 · ReLU(W1 x + b1)
  double two_layers(const Vec& x, const std::vector<std::string>& stack, const std::string& block) const {
    return dot(map(times(x, stack) + row(block + ".b1", 0), relu), t_.at(block + ".w2").x);
  }

  const KredOptions& o_;
  const KredData& data_;
  const Tensors& t_;
  mutable std::map<int64_t, Vec> articles_;
};

}  // namespace nd::kred_reference
