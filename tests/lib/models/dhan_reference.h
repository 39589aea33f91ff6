// D-HAN once more, in float64, one pair at a time, with vectors concatenated as the paper prints them, tokens written
// out, the calendar from the C library, and no product made before it is needed.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "lib/models/dhan.h"
#include "lib/models/dhan_data.h"
#include "tests/lib/models/dhan_world.h"
#include "tests/lib/models/vec.h"
#include "tests/lib/tensor/reference.h"

namespace nd::dhan_reference {

using namespace vec;
using Rows = std::vector<Vec>;

// What was left out of a training step, where the reference is to leave out the same.
struct Training {
  uint64_t seed, draw;
};

class Reference {
 public:
  Reference(const DhanOptions& options, const DhanShape& shape, const DhanData& data, const Tensors& tensors,
            const Training* training = nullptr)
      : o_(options), shape_(shape), data_(data), t_(tensors), training_(training) {}

  // Of one pair; what number it has among all decides what is dropped.
  double logit(const dhan_world::Instance& in, int32_t candidate, int64_t pair = 0) const {
    const int64_t L = o_.length;
    const Vec user = row("id.user", in.user);
    const Vec c = article_vector(candidate, text_mean(candidate), element_mean(candidate));
    Rows x;
    for (int64_t l = 0; l < L; ++l) {
      const int32_t a = in.article[static_cast<size_t>(l)];
      Vec g = article_vector(a, sentence(a, candidate, user, pair * L + l), element(a, candidate, pair * L + l));
      const Vec then = absolute(in.time[l]),
                since = relative(in.time[l], o_.rel_anchor == "last" ? in.time[L - 1] : in.now);
      Vec input = join(join(g, then), since);
      if (!o_.extra_token()) {
        input = join(join(input, c), absolute(in.now));
        if (!o_.official()) input = join(input, user);
      }
      x.push_back(times(input, sequence_weights(!o_.extra_token())) + row("sequence.b", 0));
    }
    if (o_.extra_token()) x.push_back(times(join(c, absolute(in.now)), sequence_weights(false)) + row("sequence.b", 0));
    if (o_.has('N')) x = layer("sequence.layer", x, 1, pair);
    if (o_.extra_token()) {
      Rows shorter(static_cast<size_t>(L), Vec(x[0].size(), 0.0));
      for (int64_t l = 0; l < L; ++l) {
        for (size_t j = 0; j < x[0].size(); ++j) shorter[l][j] = row("sequence.shorten.b", 0)[l];
        for (int64_t t = 0; t <= L; ++t) shorter[l] = shorter[l] + row("sequence.shorten.w", t)[l] * x[t];
      }
      x = shorter;
    }
    if (o_.time == "decay")
      for (int64_t l = 0; l < L; ++l) x[l] = std::exp(-0.01 * static_cast<double>(in.now - in.time[l]) / 3600) * x[l];
    x = summary(x, pair);
    Vec f;
    for (const Vec& v : x) f = join(f, v);
    f = join(join(f, c), user);
    f = map(times(f, stack("head", {"w_sequence", "w_text", "w_id", "w_element", "w_user"})) + row("head.b", 0), relu);
    if (o_.head == "two-hidden") f = map(linear("head.second", f), relu);
    return linear("head.last", f)[0];
  }

  // Eq. (9) of all pairs.
  double loss(const std::vector<dhan_world::Instance>& all) const {
    double sum[2] = {}, count[2] = {};
    int64_t pair = 0;
    for (const auto& in : all)
      for (size_t c = 0; c < in.candidate.size(); ++c, ++pair) {
        const double z = logit(in, in.candidate[c], pair);
        sum[in.positive[c]] -= std::log(1 / (1 + std::exp(in.positive[c] ? -z : z)));
        ++count[in.positive[c]];
      }
    return sum[0] / count[0] + sum[1] / count[1];
  }

  // Softmax weights that were met on the way, by level, in order, where they are asked for.
  mutable std::map<std::string, Rows> weights;
  bool keep_weights = false;

 private:
  static Vec row(const Mat& m, int64_t r) { return Vec(m.row(r), m.row(r) + m.cols); }
  Vec row(const std::string& name, int64_t r) const {
    const Tensor& t = t_.at(name);
    return Vec(t.x.begin() + r * t.cols, t.x.begin() + (r + 1) * t.cols);
  }
  // x · W, where W is the named matrices stacked.
  Vec times(const Vec& x, const std::vector<std::string>& stacked) const {
    Vec y(static_cast<size_t>(t_.at(stacked[0]).cols), 0.0);
    size_t at = 0;
    for (const std::string& name : stacked) {
      const Tensor& w = t_.at(name);
      if (at + static_cast<size_t>(w.rows) > x.size()) throw std::logic_error("weights do not fit their input");
      for (int64_t i = 0; i < w.rows; ++i, ++at)
        for (int64_t j = 0; j < w.cols; ++j) y[j] += x[at] * w.x[i * w.cols + j];
    }
    if (at != x.size()) throw std::logic_error("weights do not fit their input");
    return y;
  }
  Vec linear(const std::string& name, const Vec& x) const { return times(x, {name + ".w"}) + row(name + ".b", 0); }
  // Those of the names that exist.
  std::vector<std::string> stack(const std::string& block, const std::vector<std::string>& names) const {
    std::vector<std::string> out;
    for (const std::string& name : names)
      if (t_.count(block + "." + name)) out.push_back(block + "." + name);
    return out;
  }
  double factor(const std::string& site, int64_t cols, int64_t r, int64_t j) const {
    if (!training_) return 1;
    return reference::Dropped{o_.dropout, Random(training_->seed, "dropout/" + site).key(), training_->draw}.factor(
        cols, r, j);
  }
  Vec dropped(const std::string& site, int64_t r, Vec x) const {
    for (size_t j = 0; j < x.size(); ++j)
      x[j] *= factor(site, static_cast<int64_t>(x.size()), r, static_cast<int64_t>(j));
    return x;
  }

  // --- 1.4 ---
  bool text() const { return shape_.sentences > 0; }
  bool elements() const { return shape_.elements > 0 && o_.has('E'); }
  Vec article_vector(int32_t a, const Vec& s, const Vec& v) const {
    return join(join(s, row("id.article", data_.article_id[a])), v);
  }
  Vec mean(const Rows& rows) const {
    Vec m(rows[0].size(), 0.0);
    for (const Vec& r : rows) m = m + (1.0 / static_cast<double>(rows.size())) * r;
    return m;
  }
  Rows sentence_rows(int32_t a) const {
    Rows s;
    for (int64_t t = 0; t < shape_.sentences; ++t)
      s.push_back(row(data_.frozen().sentence_x, data_.article_sentence[a] * shape_.sentences + t));
    return s;
  }
  Rows element_rows(int32_t a) const {
    Rows v;
    for (int64_t t = 0; t < shape_.elements; ++t)
      v.push_back(row(data_.frozen().element_x, data_.article_element[a] * shape_.elements + t));
    return v;
  }
  Vec text_mean(int32_t a) const { return text() ? mean(sentence_rows(a)) : Vec(); }
  Vec element_mean(int32_t a) const { return elements() ? mean(element_rows(a)) : Vec(); }

  // --- 1.2, 1.3 ---
  Vec norm(const std::string& name, const Vec& x) const {
    double m = 0, v = 0;
    const auto n = static_cast<double>(x.size());
    for (double a : x) m += a / n;
    for (double a : x) v += (a - m) * (a - m) / n;
    Vec y = x;
    const Vec gamma = row(name + ".gamma", 0), beta = row(name + ".beta", 0);
    for (size_t j = 0; j < x.size(); ++j) y[j] = (x[j] - m) / std::sqrt(v + 1e-5) * gamma[j] + beta[j];
    return y;
  }
  Vec block(const std::string& name, const Rows& x, size_t own, int64_t b) const {
    Rows q, k, v;
    for (const Vec& token : x) {
      q.push_back(linear(name + ".query", token));
      k.push_back(linear(name + ".key", token));
      v.push_back(linear(name + ".value", token));
    }
    const size_t T = x.size();
    Vec z(x[0].size(), 0.0);
    for (size_t t = 0; t < T; ++t) {
      const int64_t r = b * static_cast<int64_t>(T) + static_cast<int64_t>(t);
      Vec s;
      for (size_t j = 0; j < T; ++j) s.push_back(dot(q[t], k[j]) / std::sqrt(static_cast<double>(o_.hidden)));
      const Vec plain = softmax(s), p = dropped(name + ".weights", r, plain);
      if (keep_weights) weights[name].push_back(plain);
      Vec y(z.size(), 0.0);
      for (size_t j = 0; j < T; ++j) y = y + p[j] * v[j];
      const Vec out = norm(name + ".norm", x[t] + dropped(name + ".output", r, linear(name + ".output", y)));
      const double w = o_.pool == "positional" ? row(name + ".pool.w", static_cast<int64_t>(t))[0]
                       : o_.pool == "mean"     ? 1.0 / static_cast<double>(T)
                       : t < own               ? 1.0 / static_cast<double>(own)
                                               : 0;
      z = z + w * out;
    }
    if (o_.pool == "positional")
      for (double& a : z) a += row(name + ".pool.b", 0)[0];
    return linear(name + ".leave", z);
  }
  Vec sentence(int32_t a, int32_t candidate, const Vec& user, int64_t b) const {
    if (!text()) return {};
    if (!o_.has('S')) return text_mean(a);
    Rows x = sentence_rows(a);
    const size_t own = x.size();
    x.push_back(text_mean(candidate));
    x.push_back(user);
    for (Vec& token : x) token = linear("sentence.input", token);
    return block("sentence", x, own, b);
  }
  Vec element(int32_t a, int32_t candidate, int64_t b) const {
    if (!elements()) return {};
    Rows x = element_rows(a);
    const Rows other = element_rows(candidate);
    for (size_t t = 0; t < x.size(); ++t)
      x[t] =
          times(join(x[t], other[t]), {"element.input.w_own", "element.input.w_candidate"}) + row("element.input.b", 0);
    return block("element", x, x.size(), b);
  }

  // --- 1.5 ---
  struct Fields {
    int value[6];  // year, month, day, weekday (Monday 0), hour, minute
  };
  Fields fields(int64_t time) const {
    const time_t t = static_cast<time_t>(time + o_.times.utc_offset);
    tm c{};
    gmtime_r(&t, &c);
    return {{c.tm_year + 1900, c.tm_mon, c.tm_mday - 1, (c.tm_wday + 6) % 7, c.tm_hour, c.tm_min}};
  }
  static constexpr const char* kFields[6] = {"year", "month", "day", "weekday", "hour", "minute"};
  Vec absolute(int64_t time) const {
    if (!o_.absolute()) return {};
    const Fields f = fields(time);
    Vec joined, mean(static_cast<size_t>(o_.hidden), 0.0);
    for (int k = o_.times.absolute == "concat6" ? 0 : 1; k < 6; ++k) {
      int64_t r = f.value[k];
      if (k == 0)
        r = r >= o_.times.first_year && r < o_.times.first_year + o_.times.years ? r - o_.times.first_year
                                                                                 : o_.times.years;
      const Vec part = row(std::string("time.abs.") + kFields[k], r);
      if (o_.times.absolute == "mean5") mean = mean + 0.2 * part;
      else joined = join(joined, part);
    }
    return o_.times.absolute == "mean5" ? mean : joined;
  }
  Vec relative(int64_t time, int64_t anchor) const {
    if (!o_.relative()) return {};
    if (o_.times.relative == "log")
      return row("time.rel.log", static_cast<int64_t>(std::min(
                                     47.0, std::floor(2 * std::log2(1 + static_cast<double>(anchor - time) / 60)))));
    const Fields from = fields(time), to = fields(anchor);
    constexpr int rows[6] = {0, 12, 31, 7, 24, 60};
    Vec joined;
    for (int k = 1; k < 6; ++k)
      joined = join(joined, row(std::string("time.rel.") + kFields[k], to.value[k] - from.value[k] + rows[k]));
    return joined;
  }

  // --- 1.6, 1.7 ---
  std::vector<std::string> sequence_weights(bool with_candidate) const {
    std::vector<std::string> names = stack("sequence.read", {"w_text", "w_id", "w_element"});
    const std::vector<std::string> calendar = {"year", "month", "day", "weekday", "hour", "minute", "all", "log"};
    const auto add = [&](const std::string& block, const std::vector<std::string>& more) {
      const auto found = stack(block, more);
      names.insert(names.end(), found.begin(), found.end());
    };
    add("sequence.abs", calendar);
    add("sequence.rel", calendar);
    if (!with_candidate) return names;
    add("sequence.candidate", {"w_text", "w_id", "w_element"});
    add("sequence.now", calendar);
    add("sequence", {"w_user"});
    return names;
  }
  Rows layer(const std::string& name, const Rows& x, int64_t heads, int64_t pair) const {
    const size_t T = x.size(), width = x[0].size() / static_cast<size_t>(heads);
    const double scale = std::sqrt(static_cast<double>(o_.official() && heads == 1 ? x[0].size() / 4 : width));
    Rows q, k, v, y(T, Vec(x[0].size(), 0.0)), out;
    for (const Vec& token : x) {
      q.push_back(linear(name + ".query", token));
      k.push_back(linear(name + ".key", token));
      v.push_back(linear(name + ".value", token));
    }
    for (size_t h = 0; h < static_cast<size_t>(heads); ++h)
      for (size_t i = 0; i < T; ++i) {
        Vec s(T, 0.0);
        for (size_t j = 0; j < T; ++j)
          for (size_t c = h * width; c < (h + 1) * width; ++c) s[j] += q[i][c] * k[j][c] / scale;
        const Vec plain = softmax(s);
        if (keep_weights) weights[name].push_back(plain);
        const int64_t r = (pair * heads + static_cast<int64_t>(h)) * static_cast<int64_t>(T) + static_cast<int64_t>(i);
        const Vec p = dropped(name + ".weights", r, plain);
        for (size_t j = 0; j < T; ++j)
          for (size_t c = h * width; c < (h + 1) * width; ++c) y[i][c] += p[j] * v[j][c];
      }
    for (size_t i = 0; i < T; ++i) {
      const int64_t r = pair * static_cast<int64_t>(T) + static_cast<int64_t>(i);
      const Vec seen = norm(name + ".norm1", x[i] + dropped(name + ".attention", r, linear(name + ".output", y[i])));
      const Vec inner = map(linear(name + ".inner", seen), [](double a) { return a * reference::normal_below(a); });
      out.push_back(norm(name + (o_.official() ? ".norm1" : ".norm2"),
                         seen + dropped(name + ".outer", r, linear(name + ".outer", inner))));
    }
    return out;
  }
  Rows lstm(const std::string& name, const Rows& x, bool reverse) const {
    const size_t n = static_cast<size_t>(t_.at(name + ".u").rows);
    Vec h(n, 0.0), cell(n, 0.0);
    Rows out(x.size());
    for (size_t step = 0; step < x.size(); ++step) {
      const size_t at = reverse ? x.size() - 1 - step : step;
      const Vec gates = linear(name, x[at]) + times(h, {name + ".u"});
      for (size_t j = 0; j < n; ++j) {
        const auto s = [&](size_t k) { return 1 / (1 + std::exp(-gates[k * n + j])); };
        cell[j] = s(1) * cell[j] + s(0) * std::tanh(gates[2 * n + j]);
        h[j] = s(3) * std::tanh(cell[j]);
      }
      out[at] = h;
    }
    return out;
  }
  Rows summary(Rows x, int64_t pair) const {
    const int64_t L = o_.length;
    if (o_.summary == "lstm") return lstm("summary.forward", x, false);
    if (o_.summary == "bilstm") {
      const Rows on = lstm("summary.forward", x, false), back = lstm("summary.backward", x, true);
      for (size_t l = 0; l < x.size(); ++l) x[l] = join(on[l], back[l]);
      return x;
    }
    for (int i = 0; i < 2; ++i) {
      const std::string name = "summary." + std::to_string(i);
      if (o_.summary == "sh" || o_.summary[0] == 'm')
        x = layer(name, x, o_.summary == "sh" ? 1 : o_.summary[2] - '0', pair);
      if (o_.summary == "cnn") {
        Rows y;
        for (int64_t l = 0; l < L; ++l) {
          Vec v = row(name + ".b", 0);
          for (int64_t k = 0; k < 3; ++k)
            if (l + k - 1 >= 0 && l + k - 1 < L) v = v + times(x[l + k - 1], {name + ".w" + std::to_string(k)});
          y.push_back(dropped(name, pair * L + l, map(v, relu)));
        }
        x = y;
      }
    }
    return x;
  }

  const DhanOptions& o_;
  const DhanShape& shape_;
  const DhanData& data_;
  const Tensors& t_;
  const Training* training_;
};

}  // namespace nd::dhan_reference
