// The table of operation cases: one list drives every test of values, gradients and bits, and will drive the comparison
// of backends. A case says its inputs' shapes, which rows its items use, the operation on the tape and the same in
// float64; nothing in it knows where the data lies.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/tensor/grad.h"
#include "lib/tensor/random.h"
#include "tests/lib/tensor/reference.h"

namespace nd::cases {

using reference::Choice;
using reference::Matrix64;

struct Input {
  int64_t rows, cols;
  bool wanted = true;  // its gradient is asked for
  double scale = 1;    // values are uniform in [-scale, scale)
};

// What a case's function gets, in the order of the case's lists.
struct Operands {
  std::vector<Var> x;
  std::vector<Index> index;
  std::vector<const int32_t*> row;  // of each choice
};
struct Operands64 {
  std::vector<Matrix64> x;
  std::vector<Choice> choice;
};

struct OpCase {
  std::string name;
  std::vector<Input> inputs;
  std::vector<Choice> choices;
  std::function<Var(Tape&, const Operands&)> on_tape;
  std::function<Matrix64(const Operands64&)> in_float64;
};

// How gtest names and prints a case.
inline void PrintTo(const OpCase& c, std::ostream* out) { *out << c.name; }

// --- Which rows items use ---

inline Choice each(int64_t n) {
  Choice c{n, {}};
  for (int64_t i = 0; i < n; ++i) c.row.push_back(static_cast<int32_t>(i));
  return c;
}
// Sets of these sizes, one after another.
inline Choice runs(const std::vector<int64_t>& sizes) {
  Choice c{static_cast<int64_t>(sizes.size()), {}};
  for (size_t r = 0; r < sizes.size(); ++r) c.row.insert(c.row.end(), sizes[r], static_cast<int32_t>(r));
  return c;
}
// `items` rows drawn from [0, rows): some repeat, some are never used.
inline Choice drawn(int64_t items, int64_t rows, const std::string& name) {
  Choice c{rows, {}};
  const Random random(1, "choice/" + name);
  for (int64_t i = 0; i < items; ++i) c.row.push_back(static_cast<int32_t>(random.below(rows, i)));
  return c;
}
// `segments` sets of 0 to `most` items.
inline Choice drawn_runs(int64_t segments, int64_t most, const std::string& name) {
  std::vector<int64_t> sizes;
  const Random random(1, "runs/" + name);
  for (int64_t r = 0; r < segments; ++r) sizes.push_back(static_cast<int64_t>(random.below(most + 1, r)));
  return runs(sizes);
}

// --- Families of cases ---

inline Matrix64 activated(Activation act, const Matrix64& x) {
  switch (act) {
    case Activation::relu:
      return reference::map(x, reference::relu);
    case Activation::tanh:
      return reference::map(x, [](double v) { return std::tanh(v); });
    case Activation::sigmoid:
      return reference::map(x, reference::sigmoid);
    default:
      return x;
  }
}

struct Linear {
  int64_t m;
  std::vector<int64_t> inner;  // columns of each term
  int64_t n;
  Activation act = Activation::none;
  bool bias = true;
  int64_t table = 0;     // rows of the frozen table the first term gathers from, 0 when it doesn't
  bool x_wanted = true;  // of terms that don't gather
  bool w_wanted = true;
};

inline OpCase linear(const std::string& name, const Linear& o) {
  OpCase c;
  c.name = "linear_" + name;
  for (size_t j = 0; j < o.inner.size(); ++j) {
    const bool gathers = j == 0 && o.table > 0;
    c.inputs.push_back({gathers ? o.table : o.m, o.inner[j], o.x_wanted && !gathers});
    c.inputs.push_back({o.inner[j], o.n, o.w_wanted});
  }
  if (o.bias) c.inputs.push_back({1, o.n});
  if (o.table) c.choices.push_back(drawn(o.m, o.table, c.name));
  c.on_tape = [o](Tape& tape, const Operands& in) {
    const auto term = [&](size_t j) {
      return grad::Term{in.x[2 * j], in.x[2 * j + 1], j == 0 && o.table ? in.row[0] : nullptr};
    };
    const Var bias = o.bias ? in.x.back() : nullptr;
    switch (o.inner.size()) {
      case 1:
        return grad::linear(tape, {term(0)}, bias, o.act, o.m);
      case 2:
        return grad::linear(tape, {term(0), term(1)}, bias, o.act, o.m);
      default:
        return grad::linear(tape, {term(0), term(1), term(2)}, bias, o.act, o.m);
    }
  };
  c.in_float64 = [o](const Operands64& in) {
    Matrix64 y(o.m, o.n);
    for (size_t j = 0; j < o.inner.size(); ++j) {
      const Matrix64 x = j == 0 && o.table ? reference::gather(in.x[0], in.choice[0]) : in.x[2 * j];
      y = reference::sum(y, reference::product(x, in.x[2 * j + 1]));
    }
    if (o.bias) y = reference::add_to_rows(y, in.x.back());
    return activated(o.act, y);
  };
  return c;
}

inline OpCase activate(const std::string& name, Activation act, int64_t rows, int64_t cols, double scale = 3) {
  return {"activate_" + name,
          {{rows, cols, true, scale}},
          {},
          [act](Tape& tape, const Operands& in) { return grad::activate(tape, act, in.x[0]); },
          [act](const Operands64& in) { return activated(act, in.x[0]); }};
}

// One table per choice; `frozen` tables get no gradient.
inline std::vector<Input> tables(const std::vector<Choice>& choices, int64_t cols, const std::vector<bool>& frozen) {
  std::vector<Input> list;
  for (size_t j = 0; j < choices.size(); ++j) list.push_back({choices[j].rows, cols, j >= frozen.size() || !frozen[j]});
  return list;
}
inline Matrix64 gathered_sum(const Operands64& in, size_t count) {
  Matrix64 y = reference::gather(in.x[0], in.choice[0]);
  for (size_t j = 1; j < count; ++j) y = reference::sum(y, reference::gather(in.x[j], in.choice[j]));
  return y;
}
// f with the first `count` tables as a list.
template <class F>
Var with_rows(const Operands& in, size_t count, F&& f) {
  const auto rows = [&](size_t j) { return grad::Rows{in.x[j], in.index[j]}; };
  switch (count) {
    case 1:
      return f(std::initializer_list<grad::Rows>{rows(0)});
    case 2:
      return f(std::initializer_list<grad::Rows>{rows(0), rows(1)});
    case 3:
      return f(std::initializer_list<grad::Rows>{rows(0), rows(1), rows(2)});
    case 4:
      return f(std::initializer_list<grad::Rows>{rows(0), rows(1), rows(2), rows(3)});
    default:
      return f(std::initializer_list<grad::Rows>{rows(0), rows(1), rows(2), rows(3), rows(4)});
  }
}

inline OpCase gather_sum(const std::string& name, const std::vector<Choice>& choices, int64_t cols,
                         const std::vector<bool>& frozen = {}) {
  const size_t count = choices.size();
  return {"gather_sum_" + name, tables(choices, cols, frozen), choices,
          [count](Tape& tape, const Operands& in) {
            return with_rows(in, count, [&](auto list) { return grad::gather_sum(tape, list); });
          },
          [count](const Operands64& in) { return gathered_sum(in, count); }};
}

inline OpCase relu_dot(const std::string& name, const std::vector<Choice>& choices, int64_t cols, bool bias,
                       const std::vector<bool>& frozen = {}, bool w_wanted = true) {
  const size_t count = choices.size();
  OpCase c{"relu_dot_" + name, tables(choices, cols, frozen), choices, nullptr, nullptr};
  c.inputs.push_back({cols, 1, w_wanted});
  if (bias) c.inputs.push_back({1, 1});
  c.on_tape = [count, bias](Tape& tape, const Operands& in) {
    return with_rows(in, count, [&](auto list) {
      return grad::relu_dot(tape, list, in.x[count], bias ? in.x[count + 1] : nullptr);
    });
  };
  c.in_float64 = [count, bias](const Operands64& in) {
    Matrix64 s = reference::product(reference::map(gathered_sum(in, count), reference::relu), in.x[count]);
    return bias ? reference::add_to_rows(s, in.x[count + 1]) : s;
  };
  return c;
}

inline OpCase row_dots(const std::string& name, const Choice& a, const Choice& b, int64_t cols, bool cosine,
                       const std::vector<bool>& frozen = {}) {
  return {"row_dots_" + name,
          tables({a, b}, cols, frozen),
          {a, b},
          [cosine](Tape& tape, const Operands& in) {
            return grad::row_dots(tape, {in.x[0], in.index[0]}, {in.x[1], in.index[1]}, cosine);
          },
          [cosine](const Operands64& in) {
            return reference::row_dots(reference::gather(in.x[0], in.choice[0]),
                                       reference::gather(in.x[1], in.choice[1]), cosine);
          }};
}

inline OpCase segment_softmax(const std::string& name, const Choice& segments, double scale = 1) {
  return {"segment_softmax_" + name,
          {{segments.items(), 1, true, scale}},
          {segments},
          [](Tape& tape, const Operands& in) { return grad::segment_softmax(tape, in.index[0], in.x[0]); },
          [](const Operands64& in) { return reference::segment_softmax(in.choice[0], in.x[0]); }};
}

inline OpCase segment_sum(const std::string& name, const Choice& segments, const Choice& rows, int64_t cols,
                          bool p_wanted = true, bool x_wanted = true) {
  return {"segment_sum_" + name,
          {{segments.items(), 1, p_wanted}, {rows.rows, cols, x_wanted}},
          {segments, rows},
          [](Tape& tape, const Operands& in) {
            return grad::segment_sum(tape, in.index[0], in.x[0], {in.x[1], in.index[1]});
          },
          [](const Operands64& in) {
            return reference::segment_sum(in.choice[0], in.x[0], reference::gather(in.x[1], in.choice[1]));
          }};
}

// Of sums of rows of several tables.
inline OpCase segment_sum_of(const std::string& name, const Choice& segments, std::vector<Choice> choices, int64_t cols,
                             bool p_wanted = true, const std::vector<bool>& frozen = {}) {
  const size_t count = choices.size();
  OpCase c{"segment_sum_of_" + name, tables(choices, cols, frozen), choices, nullptr, nullptr};
  c.inputs.push_back({segments.items(), 1, p_wanted});
  c.choices.push_back(segments);
  c.on_tape = [count](Tape& tape, const Operands& in) {
    return with_rows(in, count, [&](std::initializer_list<grad::Rows> list) {
      return grad::segment_sum(tape, in.index[count], in.x[count], std::span(list.begin(), list.size()));
    });
  };
  c.in_float64 = [count](const Operands64& in) {
    return reference::segment_sum(in.choice[count], in.x[count], gathered_sum(in, count));
  };
  return c;
}

// Keys of `cols` columns and then values of `inner`, one or more tables each, which of them are frozen, and w.
inline OpCase set_attention(const std::string& name, const Choice& segments, const std::vector<Choice>& keys,
                            const std::vector<Choice>& values, int64_t cols, int64_t inner,
                            const std::vector<bool>& frozen = {}, bool w_wanted = true) {
  const size_t k = keys.size(), v = values.size();
  OpCase c{"set_attention_" + name, tables(keys, cols, frozen), keys, nullptr, nullptr};
  for (size_t j = 0; j < v; ++j) {
    c.inputs.push_back({values[j].rows, inner, k + j >= frozen.size() || !frozen[k + j]});
    c.choices.push_back(values[j]);
  }
  c.inputs.push_back({cols, 1, w_wanted});
  c.choices.push_back(segments);
  c.on_tape = [k, v](Tape& tape, const Operands& in) {
    std::vector<grad::Rows> rows;
    for (size_t j = 0; j < k + v; ++j) rows.push_back({in.x[j], in.index[j]});
    const std::span<const grad::Rows> all = rows;
    return grad::set_attention(tape, in.index[k + v], all.first(k), in.x[k + v], all.subspan(k), nullptr);
  };
  c.in_float64 = [k, v](const Operands64& in) {
    const auto sum = [&](size_t first, size_t count) {
      Matrix64 x = reference::gather(in.x[first], in.choice[first]);
      for (size_t j = first + 1; j < first + count; ++j)
        x = reference::sum(x, reference::gather(in.x[j], in.choice[j]));
      return x;
    };
    const Matrix64 s = reference::product(reference::map(sum(0, k), reference::relu), in.x[k + v]);
    const Choice& segments = in.choice[k + v];
    return reference::segment_sum(segments, reference::segment_softmax(segments, s), sum(k, v));
  };
  return c;
}

// A head a set, a relation and a row of the frozen table an item; what is not `wanted` gets no gradient.
struct NeighbourAttention {
  bool head = true, relation = true, layer = true, w = true;  // wanted
  double scale = 1;                                           // of the second layer
};
inline OpCase neighbour_attention(const std::string& name, const Choice& segments, const Choice& relation,
                                  const Choice& tail, int64_t inner, int64_t cols, const NeighbourAttention& o = {}) {
  OpCase c{"neighbour_attention_" + name,
           {{segments.rows, cols, o.head},
            {relation.rows, cols, o.relation},
            {tail.rows, inner, false},
            {inner, cols, o.layer},
            {cols, 1, o.w, o.scale}},
           {segments, relation, tail},
           nullptr,
           nullptr};
  c.on_tape = [](Tape& tape, const Operands& in) {
    return grad::neighbour_attention(tape, in.index[0], in.x[0], {in.x[1], in.index[1]}, {in.x[2]->value, in.row[2]},
                                     in.x[3], in.x[4], nullptr);
  };
  c.in_float64 = [](const Operands64& in) {
    const Matrix64 tails = reference::gather(in.x[2], in.choice[2]);
    const Matrix64 hidden = reference::sum(
        reference::sum(reference::gather(in.x[0], in.choice[0]), reference::gather(in.x[1], in.choice[1])),
        reference::product(tails, in.x[3]));
    const Matrix64 s = reference::product(reference::map(hidden, reference::relu), in.x[4]);
    return reference::segment_sum(in.choice[0], reference::segment_softmax(in.choice[0], s), tails);
  };
  return c;
}

inline OpCase segment_max(const std::string& name, const Choice& segments, int64_t cols) {
  return {"segment_max_" + name,
          {{segments.items(), cols}},
          {segments},
          [](Tape& tape, const Operands& in) { return grad::segment_max(tape, in.index[0], in.x[0]); },
          [](const Operands64& in) { return reference::segment_max(in.choice[0], in.x[0]); }};
}

inline OpCase rank_loss(const std::string& name, const Choice& segments, float gamma, double scale = 1) {
  return {"rank_loss_" + name,
          {{segments.items(), 1, true, scale}},
          {segments},
          [gamma](Tape& tape, const Operands& in) { return grad::rank_loss(tape, in.index[0], in.x[0], gamma); },
          [gamma](const Operands64& in) { return reference::rank_loss(in.choice[0], in.x[0], gamma); }};
}

inline OpCase cross_entropy(const std::string& name, int64_t rows, int64_t classes, double scale = 1) {
  return {"cross_entropy_" + name,
          {{rows, classes, true, scale}},
          {drawn(rows, classes, name)},
          [](Tape& tape, const Operands& in) { return grad::cross_entropy(tape, in.x[0], in.row[0]); },
          [](const Operands64& in) { return reference::cross_entropy(in.x[0], in.choice[0].row); }};
}

// --- Blocks of tokens ---

// A dropout and the same for the reference.
inline Dropout dropped(double rate, const std::string& name) { return {rate, Random(5, name).key(), 77}; }
inline reference::Dropped dropped64(const Dropout& d) { return {d.rate, d.key, d.draw}; }

inline OpCase dropout(const std::string& name, int64_t rows, int64_t cols, double rate) {
  const Dropout drop = dropped(rate, name);
  return {"dropout_" + name,
          {{rows, cols}},
          {},
          [drop](Tape& tape, const Operands& in) { return grad::dropout(tape, drop, in.x[0]); },
          [drop](const Operands64& in) { return reference::dropout(dropped64(drop), in.x[0]); }};
}

inline OpCase layer_norm(const std::string& name, int64_t rows, int64_t cols, bool residual, double rate,
                         bool x_wanted = true, bool parameters_wanted = true) {
  const Dropout drop = dropped(rate, name);
  OpCase c{"layer_norm_" + name,
           {{rows, cols, x_wanted}, {1, cols, parameters_wanted}, {1, cols, parameters_wanted}},
           {},
           nullptr,
           nullptr};
  if (residual) c.inputs.push_back({rows, cols});
  c.on_tape = [residual, drop](Tape& tape, const Operands& in) {
    return grad::layer_norm(tape, in.x[0], residual ? in.x[3] : nullptr, drop, in.x[1], in.x[2]);
  };
  c.in_float64 = [residual, drop](const Operands64& in) {
    Matrix64 s = in.x[0];
    if (residual) s = reference::sum(s, reference::dropout(dropped64(drop), in.x[3]));
    return reference::layer_norm(s, in.x[1], in.x[2]);
  };
  return c;
}

struct Blocks {
  int64_t blocks, tokens, heads, n;
  double scale = 0.5, rate = 0, size = 1;
  bool wanted[3] = {true, true, true};
};
inline OpCase block_attention(const std::string& name, const Blocks& o) {
  const BlockAttention form{o.tokens, o.heads, static_cast<float>(o.scale), dropped(o.rate, name)};
  const int64_t rows = o.blocks * o.tokens;
  return {
      "block_attention_" + name,
      {{rows, o.n, o.wanted[0], o.size}, {rows, o.n, o.wanted[1], o.size}, {rows, o.n, o.wanted[2]}},
      {},
      [form](Tape& tape, const Operands& in) { return grad::block_attention(tape, form, in.x[0], in.x[1], in.x[2]); },
      [form](const Operands64& in) {
        const Matrix64 p = reference::block_softmax(form.tokens, form.heads, form.scale, in.x[0], in.x[1]);
        return reference::block_sums(form.tokens, form.heads, reference::dropout(dropped64(form.drop), p), in.x[2]);
      }};
}

struct Stack {
  Choice of;  // blocks -> stacks
  int64_t height;
  std::vector<Choice> extra = {};  // blocks -> rows of a table, none to two
  int64_t n = 16;
  double rate = 0, size = 1;  // of queries and keys
  bool wanted = true;         // the tokens' gradients
  Choice joined = {};         // which stack of another table each block adds; without extras only
};
// Every block's tokens written out, and the parts of the operation one after another.
inline OpCase stack_attention(const std::string& name, const Stack& o) {
  OpCase c;
  c.name = "stack_attention_" + name;
  c.choices.push_back(o.of);
  const auto tokens = [&](int64_t rows) {
    for (int k = 0; k < 4; ++k) c.inputs.push_back({rows, o.n, o.wanted, k == 1 || k == 2 ? o.size : 1});
  };
  tokens(o.of.rows * o.height);
  for (const Choice& extra : o.extra) {
    c.choices.push_back(extra);
    tokens(extra.rows);
  }
  if (o.joined.rows > 0) {
    c.choices.push_back(o.joined);
    tokens(o.joined.rows * o.height);
  }
  const auto extras = static_cast<int64_t>(o.extra.size()), T = o.height + extras;
  const bool joins = o.joined.rows > 0;
  for (int k = 0; k < 3; ++k) c.inputs.push_back({1, o.n});
  c.inputs.push_back({T, 1});
  c.inputs.push_back({1, 1});
  const Dropout weights = dropped(o.rate, name + "/weights"), output = dropped(o.rate, name + "/output");
  constexpr float kScale = 0.25;
  c.on_tape = [=](Tape& tape, const Operands& in) {
    const auto take = [&](size_t k) { return grad::TokenVars{in.x[k], in.x[k + 1], in.x[k + 2], in.x[k + 3]}; };
    grad::StackVars v{take(0), in.index[0], static_cast<int>(extras)};
    size_t at = 4;
    for (int j = 0; j < v.extras; ++j, at += 4) {
      v.extra[j] = take(at);
      v.extra_of[j] = in.index[static_cast<size_t>(1 + j)];
    }
    if (joins) {
      v.joined = take(at);
      v.joined_of = in.index.back();
      at += 4;
    }
    v.bias = in.x[at];
    v.gamma = in.x[at + 1];
    v.beta = in.x[at + 2];
    v.pool = in.x[at + 3];
    v.pool_bias = in.x[at + 4];
    return grad::stack_attention(tape, v, kScale, weights, output);
  };
  c.in_float64 = [=, height = o.height](const Operands64& in) {
    const int64_t blocks = in.choice[0].items();
    const auto side = [&](size_t k) {
      Matrix64 x(blocks * T, in.x[k].cols);
      for (int64_t b = 0; b < blocks; ++b)
        for (int64_t t = 0; t < T; ++t) {
          const size_t table = t < height ? 0 : static_cast<size_t>(t - height + 1);
          const int64_t row = t < height ? in.choice[0].row[b] * height + t : in.choice[table].row[b];
          for (int64_t j = 0; j < x.cols; ++j) {
            x.at(b * T + t, j) = in.x[4 * table + k].at(row, j);
            if (joins) x.at(b * T + t, j) += in.x[4 + k].at(in.choice[1].row[b] * height + t, j);
          }
        }
      return x;
    };
    const size_t at = 4 * static_cast<size_t>(1 + extras + joins);
    const Matrix64 p = reference::block_softmax(T, 1, kScale, side(1), side(2));
    const Matrix64 sums = reference::block_sums(T, 1, reference::dropout(dropped64(weights), p), side(3));
    const Matrix64 y = reference::dropout(dropped64(output), reference::add_to_rows(sums, in.x[at]));
    const Matrix64 normed = reference::layer_norm(reference::sum(side(0), y), in.x[at + 1], in.x[at + 2]);
    return reference::mix_tokens(normed, in.x[at + 3], in.x[at + 4]);
  };
  return c;
}

struct Transformer {
  int64_t blocks, tokens, n = 16, inner = 20;
  double rate = 0, size = 1;  // of queries' weights
  bool wanted = true;         // of x
};
inline OpCase transformer_layer(const std::string& name, const Transformer& o) {
  const int64_t n = o.n, f = o.inner;
  constexpr float kScale = 0.25;
  const auto stream = [&](const char* site) { return dropped(o.rate, name + site); };
  const Dropout weights = stream("/weights"), attention = stream("/attention"), outer = stream("/outer");
  OpCase c;
  c.name = "transformer_layer_" + name;
  c.inputs = {{o.blocks * o.tokens, n, o.wanted}};
  for (int k = 0; k < 3; ++k) {
    c.inputs.push_back({n, n, true, k == 0 ? 0.4 * o.size : 0.4});
    c.inputs.push_back({1, n});
  }
  for (int k = 0; k < 3; ++k) c.inputs.push_back({1, n});
  c.inputs.insert(c.inputs.end(), {{n, f}, {1, f}, {f, n}, {1, n}});
  for (int k = 0; k < 2; ++k) c.inputs.push_back({1, n});
  c.on_tape = [=, T = o.tokens](Tape& tape, const Operands& in) {
    TransformerLayer form;
    form.tokens = T;
    form.scale = kScale;
    form.drop_weights = weights;
    form.drop_attention = attention;
    form.drop_outer = outer;
    Var part[TransformerLayer::kParts];
    std::copy(in.x.begin() + 1, in.x.end(), part);
    return grad::transformer_layer(tape, form, part, in.x[0]);
  };
  c.in_float64 = [=, T = o.tokens](const Operands64& in) {
    const auto times = [&](const Matrix64& x, size_t k) {
      return reference::add_to_rows(reference::product(x, in.x[k]), in.x[k + 1]);
    };
    const Matrix64& x = in.x[0];
    const Matrix64 p = reference::block_softmax(T, 1, kScale, times(x, 1), times(x, 3));
    const Matrix64 sums = reference::block_sums(T, 1, reference::dropout(dropped64(weights), p), times(x, 5));
    const Matrix64 y = reference::dropout(dropped64(attention), reference::add_to_rows(sums, in.x[7]));
    const Matrix64 h = reference::layer_norm(reference::sum(x, y), in.x[8], in.x[9]);
    const Matrix64 active = reference::map(times(h, 10), [](double v) { return v * reference::normal_below(v); });
    const Matrix64 z = reference::dropout(dropped64(outer), times(active, 12));
    return reference::layer_norm(reference::sum(h, z), in.x[14], in.x[15]);
  };
  return c;
}

inline OpCase mix_tokens(const std::string& name, int64_t blocks, int64_t from, int64_t to, int64_t n) {
  return {"mix_tokens_" + name,
          {{blocks * from, n}, {from, to}, {1, to}},
          {},
          [](Tape& tape, const Operands& in) { return grad::mix_tokens(tape, in.x[0], in.x[1], in.x[2]); },
          [](const Operands64& in) { return reference::mix_tokens(in.x[0], in.x[1], in.x[2]); }};
}
inline OpCase shift_tokens(const std::string& name, int64_t blocks, int64_t tokens, int64_t by, int64_t n) {
  return {"shift_tokens_" + name,
          {{blocks * tokens, n}},
          {},
          [=](Tape& tape, const Operands& in) { return grad::shift_tokens(tape, tokens, by, in.x[0]); },
          [=](const Operands64& in) { return reference::shift_tokens(tokens, by, in.x[0]); }};
}
inline OpCase lstm(const std::string& name, int64_t blocks, int64_t tokens, bool reverse, int64_t n, double scale = 1) {
  return {"lstm_" + name,
          {{blocks * tokens, 4 * n, true, scale}, {n, 4 * n}},
          {},
          [=](Tape& tape, const Operands& in) { return grad::lstm(tape, tokens, reverse, in.x[0], in.x[1]); },
          [=](const Operands64& in) { return reference::lstm(tokens, reverse, in.x[0], in.x[1]); }};
}
inline OpCase two_means_loss(const std::string& name, const std::vector<uint8_t>& positive, double scale = 1) {
  return {"two_means_loss_" + name,
          {{static_cast<int64_t>(positive.size()), 1, true, scale}},
          {},
          [positive](Tape& tape, const Operands& in) { return grad::two_means_loss(tape, in.x[0], positive.data()); },
          [positive](const Operands64& in) { return reference::two_means_loss(in.x[0], positive); }};
}

// The whole additive attention of KRED's eqs. (2), (3) and the sum of (1), or (5)-(7), as fused steps on the tape and
// as its definition in float64: s = w2 · relu(x W1 + c V1 + b1) for concatenated inputs, softmax in each set, weighted
// sum.
inline OpCase attention(const std::string& name, const Choice& segments, const Choice& rows, int64_t cols,
                        int64_t query_cols, int64_t hidden, bool frozen) {
  return {"attention_" + name,
          {{rows.rows, cols, !frozen},
           {segments.rows, query_cols},
           {cols, hidden},
           {query_cols, hidden},
           {1, hidden},
           {hidden, 1, true, 3}},
          {segments, rows},
          [rows = rows.rows, sets = segments.rows](Tape& tape, const Operands& in) {
            const grad::Rows x{in.x[0], in.index[1]};
            const Var keys = grad::linear(tape, {{in.x[0], in.x[2]}}, in.x[4], Activation::none, rows);
            const Var queries = grad::linear(tape, {{in.x[1], in.x[3]}}, nullptr, Activation::none, sets);
            const Var s = grad::relu_dot(tape, {{keys, in.index[1]}, {queries, in.index[0]}}, in.x[5], nullptr);
            return grad::segment_sum(tape, in.index[0], grad::segment_softmax(tape, in.index[0], s), x);
          },
          [](const Operands64& in) {
            const Matrix64 x = reference::gather(in.x[0], in.choice[1]);
            const Matrix64 both = reference::concat(x, reference::gather(in.x[1], in.choice[0]));
            Matrix64 w1(in.x[2].rows + in.x[3].rows, in.x[2].cols);
            w1.values = in.x[2].values;
            w1.values.insert(w1.values.end(), in.x[3].values.begin(), in.x[3].values.end());
            const Matrix64 layer = reference::add_to_rows(reference::product(both, w1), in.x[4]);
            const Matrix64 s = reference::product(reference::map(layer, reference::relu), in.x[5]);
            return reference::segment_sum(in.choice[0], reference::segment_softmax(in.choice[0], s), x);
          }};
}

// --- The table ---

inline std::vector<OpCase> all() {
  constexpr auto none = Activation::none, relu = Activation::relu, tanh = Activation::tanh,
                 sigmoid = Activation::sigmoid;
  std::vector<OpCase> list;
  const auto add = [&list](OpCase c) { list.push_back(std::move(c)); };

  // Products: every width of tile and every rest of one, rows from none to several blocks, sums long enough to be cut.
  add(linear("one_row", {1, {5}, 17}));
  add(linear("no_rows", {0, {5}, 17}));
  add(linear("no_inputs", {3, {0}, 5}));
  add(linear("one_column", {13, {128}, 1}));
  add(linear("one_input", {7, {1}, 90}));
  for (int64_t n : {5, 16, 17, 32, 48, 64, 90, 128, 130})
    add(linear("to_" + std::to_string(n), {11, {17}, n, n % 2 ? relu : tanh}));
  for (int64_t m : {2, 3, 4, 5, 6, 7, 95, 96, 97}) add(linear(std::to_string(m) + "_rows", {m, {9}, 21, sigmoid}));
  for (int64_t k : {47, 48, 49, 90, 130}) add(linear(std::to_string(k) + "_inputs", {10, {k}, 18}));
  add(linear("without_bias", {9, {6}, 7, relu, false}));
  add(linear("two_terms", {19, {90, 33}, 40, tanh}));
  add(linear("three_terms", {10, {3, 20, 5}, 17, relu}));
  add(linear("three_terms_without_bias", {10, {3, 20, 5}, 17, sigmoid, false}));
  add(linear("gathered", {40, {30}, 128, none, true, 12}));
  add(linear("gathered_and_plain", {40, {30, 18}, 90, tanh, true, 1000}));
  add(linear("frozen_inputs", {9, {6, 4}, 7, relu, true, 0, false}));
  add(linear("frozen_weights", {9, {6, 4}, 7, relu, true, 0, true, false}));
  add(linear("only_bias_wanted", {9, {6}, 7, tanh, true, 0, false, false}));
  add(linear("many_rows", {2300, {17}, 33, tanh}));
  add(linear("many_gathered_rows", {3100, {50}, 40, none, true, 700}));

  for (auto [name, act] : {std::pair{"none", none}, {"relu", relu}, {"tanh", tanh}, {"sigmoid", sigmoid}}) {
    add(activate(name, act, 7, 17));
    add(activate(std::string(name) + "_one", act, 1, 1));
    add(activate(std::string(name) + "_many", act, 700, 50));
    add(activate(std::string(name) + "_far_out", act, 9, 9, 30));
  }
  add({"concat",
       {{20, 17}, {20, 5}},
       {},
       [](Tape& tape, const Operands& in) { return grad::concat(tape, in.x[0], in.x[1]); },
       [](const Operands64& in) { return reference::concat(in.x[0], in.x[1]); }});
  add({"concat_half_frozen",
       {{200, 90, false}, {200, 128}},
       {},
       [](Tape& tape, const Operands& in) { return grad::concat(tape, in.x[0], in.x[1]); },
       [](const Operands64& in) { return reference::concat(in.x[0], in.x[1]); }});

  for (auto [name, rows, cols, scale] :
       {std::tuple{"small", 7, 17, 3.0}, {"one", 1, 1, 1.0}, {"many", 700, 50, 3.0}, {"far_out", 30, 30, 30.0}})
    add({std::string("gelu_") + name,
         {{rows, cols, true, scale}},
         {},
         [](Tape& tape, const Operands& in) { return grad::gelu(tape, in.x[0]); },
         [](const Operands64& in) {
           return reference::map(in.x[0], [](double v) { return v * reference::normal_below(v); });
         }});
  add({"reshape",
       {{20, 18}},
       {},
       [](Tape& tape, const Operands& in) { return grad::reshape(tape, in.x[0], 90); },
       [](const Operands64& in) {
         Matrix64 y(4, 90);
         y.values = in.x[0].values;
         return y;
       }});

  // Blocks of tokens: none, one, more than a thread takes at a time; rows of dropout that end inside a sixteen.
  add(dropout("nothing", 9, 17, 0));
  for (int64_t cols : {1, 16, 22, 64, 100}) add(dropout("width_" + std::to_string(cols), 37, cols, 0.2));
  add(dropout("nearly_all", 50, 33, 0.96));
  add(dropout("no_rows", 0, 16, 0.5));
  add(dropout("many_rows", 1500, 64, 0.2));
  for (int64_t cols : {2, 5, 16, 17, 64, 100})
    add(layer_norm("width_" + std::to_string(cols), 9, cols, cols % 2 == 0, cols == 64 ? 0.3 : 0));
  add(layer_norm("dropped", 150, 48, true, 0.2));
  add(layer_norm("frozen_x", 20, 17, true, 0.2, false));
  add(layer_norm("frozen_parameters", 20, 17, true, 0, true, false));
  add(layer_norm("no_rows", 0, 17, true, 0.2));
  for (int64_t tokens : {1, 2, 5, 10, 11, 16, 22, 40})
    add(block_attention(std::to_string(tokens) + "_tokens",
                        {.blocks = 3, .tokens = tokens, .heads = 1, .n = 16, .rate = tokens % 2 * 0.3}));
  for (int64_t heads : {2, 4, 8})
    add(block_attention(std::to_string(heads) + "_heads",
                        {.blocks = 5, .tokens = 10, .heads = heads, .n = 32, .rate = 0.2}));
  add(block_attention("odd_width", {.blocks = 4, .tokens = 7, .heads = 3, .n = 21}));
  add(block_attention("no_blocks", {.blocks = 0, .tokens = 7, .heads = 1, .n = 16}));
  add(block_attention("many_blocks", {.blocks = 200, .tokens = 10, .heads = 2, .n = 32, .rate = 0.2}));
  add(block_attention("large_logits", {.blocks = 4, .tokens = 9, .heads = 1, .n = 16, .size = 30}));
  add(block_attention("frozen_query", {.blocks = 4, .tokens = 9, .heads = 1, .n = 16, .wanted = {false, true, true}}));
  add(block_attention("frozen_values", {.blocks = 4, .tokens = 9, .heads = 1, .n = 16, .wanted = {true, true, false}}));
  add(stack_attention("sentences", {drawn(24, 5, "of"), 20, {drawn(24, 9, "c"), drawn(24, 4, "u")}, 32, 0.2}));
  add(stack_attention("without_dropout", {drawn(40, 7, "of"), 6, {drawn(40, 9, "c"), drawn(40, 4, "u")}}));
  add(stack_attention("elements", {each(60), 5, {}, 32, 0.2}));
  add(stack_attention("joined", {drawn(60, 7, "of"), 5, {}, 32, 0.2, 1, true, drawn(60, 9, "j")}));
  add(stack_attention("joined_many_tokens", {drawn(20, 3, "of"), 12, {}, 16, 0, 2, true, drawn(20, 2, "j")}));
  add(stack_attention("joined_frozen", {drawn(9, 3, "of"), 5, {}, 16, 0, 1, false, drawn(9, 2, "j")}));
  add(stack_attention("logits_of_80", {drawn(90, 3, "of"), 20, {drawn(90, 40, "c"), runs({30, 60})}, 64, 0, 9, false}));
  add(stack_attention("one_token", {drawn(5, 2, "of"), 1}));
  add(stack_attention("one_extra", {drawn(12, 3, "of"), 3, {drawn(12, 5, "c")}, 16, 0.3}));
  add(stack_attention("only_extras", {drawn(12, 3, "of"), 0, {drawn(12, 5, "c"), drawn(12, 5, "u")}}));
  add(stack_attention("large_logits", {drawn(12, 3, "of"), 4, {drawn(12, 5, "c"), drawn(12, 5, "u")}, 16, 0, 40}));
  add(stack_attention("no_blocks", {drawn(0, 3, "of"), 4, {drawn(0, 5, "c"), drawn(0, 5, "u")}}));
  add(stack_attention("many_blocks_a_stack", {drawn(200, 2, "of"), 3, {drawn(200, 5, "c"), each(200)}, 16, 0.2}));
  add(stack_attention("frozen_tokens",
                      {drawn(12, 3, "of"), 4, {drawn(12, 5, "c"), drawn(12, 5, "u")}, 16, 0.2, 1, false}));
  add(transformer_layer("of_ten", {.blocks = 25, .tokens = 10, .n = 32, .inner = 48, .rate = 0.2}));
  add(transformer_layer("without_dropout", {.blocks = 7, .tokens = 4}));
  add(transformer_layer("one_token", {.blocks = 5, .tokens = 1, .rate = 0.3}));
  add(transformer_layer("many_tokens", {.blocks = 2, .tokens = 130, .rate = 0.2}));
  add(transformer_layer("large_logits", {.blocks = 3, .tokens = 6, .size = 10}));
  add(transformer_layer("frozen_tokens", {.blocks = 3, .tokens = 6, .rate = 0.2, .wanted = false}));
  add(transformer_layer("no_blocks", {.blocks = 0, .tokens = 6}));
  add(mix_tokens("to_one", 11, 5, 1, 17));
  add(mix_tokens("eleven_to_ten", 30, 11, 10, 16));
  add(mix_tokens("no_blocks", 0, 3, 2, 16));
  for (int64_t by : {-3, -1, 0, 1, 2})
    add(shift_tokens((by < 0 ? "back_" : "on_") + std::to_string(std::abs(by)), 30, 3, by, 17));
  for (bool reverse : {false, true}) {
    const std::string way = reverse ? "backwards" : "forwards";
    add(lstm(way, 20, 10, reverse, 16));
    add(lstm(way + "_odd_width", 3, 4, reverse, 5));
    add(lstm(way + "_large_gates", 3, 4, reverse, 16, 40));
  }
  add(lstm("one_token", 5, 1, false, 16));
  add(lstm("no_blocks", 0, 4, false, 16));
  add(two_means_loss("both", {1, 0, 0, 0, 1, 0, 0, 0}));
  add(two_means_loss("only_positives", {1, 1}));
  add(two_means_loss("only_negatives", {0, 0, 0}));
  add(two_means_loss("large_logits", {1, 0, 0, 1, 1, 0}, 300));

  // Rows of tables.
  for (int64_t cols : {1, 5, 17, 90, 128, 130}) {
    const std::string width = "width_" + std::to_string(cols);
    add(gather_sum(width, {drawn(30, 7, "a"), each(30)}, cols));
    add(relu_dot(width, {drawn(30, 7, "a"), each(30)}, cols, cols % 2 == 0));
    add(row_dots(width, drawn(30, 7, "a"), each(30), cols, false));
    // In one dimension a cosine is plus or minus one, and its gradient nothing but rounding.
    if (cols > 1) add(row_dots("cosine_" + width, drawn(30, 7, "a"), each(30), cols, true));
    add(segment_sum(width, runs({3, 0, 1, 20, 6}), drawn(30, 12, "x"), cols));
    add(segment_max(width, runs({3, 0, 1, 20, 6}), cols));
  }
  const Choice few = drawn(40, 5, "few"), many = drawn(40, 300, "many"), sets = runs({0, 17, 1, 0, 22, 0}),
               id = each(40);
  add(gather_sum("one_table", {few}, 18));
  add(gather_sum("three_tables", {few, sets, id}, 18));
  add(gather_sum("four_tables", {few, many, sets, id}, 18));
  add(gather_sum("five_tables", {few, many, few, sets, id}, 18));
  add(gather_sum("frozen_first", {few, many}, 18, {true, false}));
  add(gather_sum("no_items", {drawn(0, 5, "none"), each(0)}, 18));
  add(gather_sum("many_items", {drawn(2000, 300, "l"), drawn(2000, 1700, "m")}, 33));
  add(relu_dot("one_table", {few}, 18, true));
  add(relu_dot("one_item", {drawn(1, 3, "one"), each(1)}, 18, true));
  add(relu_dot("three_tables", {sets, few, many}, 128, false));
  add(relu_dot("four_tables", {few, many, sets, id}, 34, true));
  add(relu_dot("five_tables", {few, many, few, sets, id}, 128, false));
  add(relu_dot("frozen_table", {few, many}, 33, true, {true, false}));
  add(relu_dot("only_frozen_tables", {few, many}, 33, false, {true, true}));
  add(relu_dot("frozen_w", {few, many}, 33, true, {false, false}, false));
  add(relu_dot("only_bias_wanted", {few, many}, 33, true, {true, true}, false));
  add(relu_dot("no_items", {drawn(0, 5, "none"), each(0)}, 18, true));
  add(relu_dot("many_items", {drawn_runs(220, 20, "heads"), drawn(drawn_runs(220, 20, "heads").items(), 900, "tails")},
               40, true));
  add(row_dots("repeated_rows", few, many, 18, false));
  add(row_dots("cosine_repeated_rows", few, many, 18, true));
  add(row_dots("frozen_first", few, id, 18, true, {true, false}));
  add(row_dots("frozen_second", few, id, 18, true, {false, true}));
  add(row_dots("no_items", drawn(0, 5, "none"), each(0), 18, true));
  add(row_dots("many_items", drawn(2000, 300, "l"), drawn(2000, 1700, "m"), 33, true));

  // Sets: empty ones, sets of one, lengths around a vector's, logits that overflow without the maximum taken off.
  add(segment_softmax("ragged", runs({0, 1, 2, 15, 16, 17, 0, 33, 100})));
  add(segment_softmax("all_empty", runs({0, 0, 0})));
  add(segment_softmax("no_sets", runs({})));
  add(segment_softmax("ones", runs({1, 1, 1, 1})));
  add(segment_softmax("large_logits", runs({3, 0, 1, 20, 6}), 500));
  add(segment_softmax("many_sets", drawn_runs(900, 24, "softmax")));
  for (int64_t cols : {1, 15, 16, 17, 90, 128, 130})
    add(neighbour_attention("width_" + std::to_string(cols), sets, drawn(sets.items(), 5, "relation"),
                            drawn(sets.items(), 12, "tail"), 9, cols));
  for (int64_t inner : {1, 16, 33, 90, 100})
    add(neighbour_attention("inner_" + std::to_string(inner), sets, drawn(sets.items(), 5, "relation"),
                            drawn(sets.items(), 12, "tail"), inner, 24));
  add(neighbour_attention("no_sets", runs({}), drawn(0, 3, "none"), drawn(0, 3, "none"), 9, 18));
  add(neighbour_attention("all_empty", runs({0, 0, 0}), drawn(0, 3, "none"), drawn(0, 3, "none"), 9, 18));
  const Choice around = runs({63, 64, 65, 0, 128, 129, 1, 200, 60, 4, 1, 0});  // of a chunk's size, and over it
  add(neighbour_attention("around_a_chunk", around, drawn(around.items(), 40, "relation"),
                          drawn(around.items(), 300, "tail"), 9, 18));
  const Choice heads_of_20 = runs(std::vector<int64_t>(150, 20));
  add(neighbour_attention("many", heads_of_20, drawn(3000, 40, "relation"), drawn(3000, 900, "tail"), 9, 18));
  add(neighbour_attention("large_logits", sets, drawn(sets.items(), 5, "relation"), drawn(sets.items(), 12, "tail"), 9,
                          18, {.scale = 100}));
  add(neighbour_attention("only_layer", sets, drawn(sets.items(), 5, "relation"), drawn(sets.items(), 12, "tail"), 9,
                          18, {.head = false, .relation = false, .w = false}));
  add(neighbour_attention("frozen_layer", sets, drawn(sets.items(), 5, "relation"), drawn(sets.items(), 12, "tail"), 9,
                          18, {.layer = false}));
  add(segment_sum("all_empty", runs({0, 0, 0}), each(0), 18));
  add(set_attention("one_table", sets, {many}, {many}, 18, 9));
  add(set_attention("as_kred_has_it", sets, {many, drawn(40, 2, "two"), few, sets}, {many, drawn(40, 2, "two"), few},
                    128, 90));
  add(set_attention("five_tables", sets, {many, few, id, few, sets}, {few, many, id, few, sets}, 33, 17));
  add(set_attention("frozen_tables", sets, {few, many}, {many, id}, 18, 9, {true, false, true, false}));
  add(set_attention("frozen_values", sets, {sets, few, many}, {many}, 18, 9, {false, false, false, true}));
  add(set_attention("frozen_w", sets, {few, many}, {many, id}, 18, 9, {}, false));
  add(set_attention("only_w_wanted", sets, {few, many}, {many, id}, 18, 9, {true, true, true, true}));
  add(set_attention("no_sets", runs({}), {drawn(0, 3, "none")}, {drawn(0, 3, "none")}, 18, 9));
  add(set_attention("all_empty", runs({0, 0, 0}), {drawn(0, 3, "none")}, {each(0), drawn(0, 3, "none")}, 18, 9));
  add(segment_sum("frozen_weights", sets, few, 18, false, true));
  add(segment_sum("frozen_values", sets, many, 18, true, false));
  add(segment_sum("plain", sets, id, 90));
  add(segment_sum("many_sets", drawn_runs(900, 9, "sum"), drawn(drawn_runs(900, 9, "sum").items(), 700, "x"), 33));
  add(segment_sum_of("one_table", sets, {many}, 18));
  add(segment_sum_of("four_tables", sets, {many, drawn(40, 2, "two"), few, id}, 90));
  add(segment_sum_of("five_tables", sets, {few, many, sets, few, id}, 33));
  add(segment_sum_of("frozen_weights", sets, {few, many}, 18, false));
  add(segment_sum_of("frozen_table", sets, {few, many}, 18, true, {true, false}));
  add(segment_sum_of("only_weights_wanted", sets, {few, many}, 18, true, {true, true}));
  add(segment_sum_of("all_empty", runs({0, 0, 0}), {each(0), drawn(0, 3, "none")}, 18));
  add(segment_max("all_empty", runs({0, 0}), 5));
  add(segment_max("many_sets", drawn_runs(900, 5, "max"), 9));

  add(rank_loss("one_positive", runs({1}), 10));
  add(rank_loss("six_each", runs({6, 6, 6, 6}), 10));
  add(rank_loss("ragged", runs({6, 1, 2, 0, 17}), 1));
  add(rank_loss("large_logits", runs({6, 3, 6}), 10, 100));
  add(cross_entropy("two_classes", 1, 2));
  add(cross_entropy("one_class", 4, 1));
  add(cross_entropy("fifteen_classes", 20, 15));
  add(cross_entropy("large_logits", 20, 15, 300));

  // One value in several places of one operation.
  add({"attention_of_a_value_to_itself",
       {{30, 16}},
       {},
       [](Tape& tape, const Operands& in) {
         const BlockAttention form{10, 2, 0.5f, {}};
         const Var y = grad::block_attention(tape, form, in.x[0], in.x[0], in.x[0]);
         return grad::gather_sum(tape, {{y, identity(30)}, {in.x[0], identity(30)}});
       },
       [](const Operands64& in) {
         const Matrix64 p = reference::block_softmax(10, 2, 0.5, in.x[0], in.x[0]);
         return reference::sum(reference::block_sums(10, 2, p, in.x[0]), in.x[0]);
       }});
  add({"norm_of_a_value_added_to_itself",
       {{30, 18}, {1, 18}, {1, 18}},
       {},
       [](Tape& tape, const Operands& in) {
         return grad::layer_norm(tape, in.x[0], in.x[0], dropped(0.3, "itself"), in.x[1], in.x[2]);
       },
       [](const Operands64& in) {
         const auto drop = dropped64(dropped(0.3, "itself"));
         return reference::layer_norm(reference::sum(in.x[0], reference::dropout(drop, in.x[0])), in.x[1], in.x[2]);
       }});

  // Several operations on shared values: gradients are added up from all who use them.
  add({"shared_by_two_layers",
       {{9, 6}, {6, 7}, {6, 7}},
       {each(9), each(9)},
       [](Tape& tape, const Operands& in) {
         const Var a = grad::linear(tape, {{in.x[0], in.x[1]}}, nullptr, Activation::tanh, 9);
         const Var b = grad::linear(tape, {{in.x[0], in.x[2]}}, nullptr, Activation::sigmoid, 9);
         return grad::gather_sum(tape, {{a, in.index[0]}, {b, in.index[1]}});
       },
       [](const Operands64& in) {
         return reference::sum(activated(Activation::tanh, reference::product(in.x[0], in.x[1])),
                               activated(Activation::sigmoid, reference::product(in.x[0], in.x[2])));
       }});
  add({"same_layer_twice",
       {{9, 6}, {6, 6}, {1, 6}},
       {},
       [](Tape& tape, const Operands& in) {
         const Var once = grad::linear(tape, {{in.x[0], in.x[1]}}, in.x[2], Activation::tanh, 9);
         return grad::linear(tape, {{once, in.x[1]}}, in.x[2], Activation::tanh, 9);
       },
       [](const Operands64& in) {
         const auto layer = [&](const Matrix64& x) {
           return activated(Activation::tanh, reference::add_to_rows(reference::product(x, in.x[1]), in.x[2]));
         };
         return layer(layer(in.x[0]));
       }});
  add({"same_table_twice",
       {{5, 18}},
       {drawn(40, 5, "a"), drawn(40, 5, "b")},
       [](Tape& tape, const Operands& in) {
         return grad::gather_sum(tape, {{in.x[0], in.index[0]}, {in.x[0], in.index[1]}});
       },
       [](const Operands64& in) {
         return reference::sum(reference::gather(in.x[0], in.choice[0]), reference::gather(in.x[0], in.choice[1]));
       }});
  add({"same_table_twice_in_relu_dot",
       {{5, 18}, {18, 1}},
       {drawn(40, 5, "a"), drawn(40, 5, "b")},
       [](Tape& tape, const Operands& in) {
         return grad::relu_dot(tape, {{in.x[0], in.index[0]}, {in.x[0], in.index[1]}}, in.x[1], nullptr);
       },
       [](const Operands64& in) {
         const Matrix64 x =
             reference::sum(reference::gather(in.x[0], in.choice[0]), reference::gather(in.x[0], in.choice[1]));
         return reference::product(reference::map(x, reference::relu), in.x[1]);
       }});
  add({"cosine_of_a_table_with_itself",
       {{9, 6}},
       {drawn(20, 9, "a"), drawn(20, 9, "b")},
       [](Tape& tape, const Operands& in) {
         return grad::row_dots(tape, {in.x[0], in.index[0]}, {in.x[0], in.index[1]}, true);
       },
       [](const Operands64& in) {
         return reference::row_dots(reference::gather(in.x[0], in.choice[0]), reference::gather(in.x[0], in.choice[1]),
                                    true);
       }});
  add({"values_that_make_their_own_weights",
       {{40, 18}, {18, 1}},
       {sets, id},
       [](Tape& tape, const Operands& in) {
         const Var s = grad::linear(tape, {{in.x[0], in.x[1]}}, nullptr, Activation::none, 40);
         return grad::segment_sum(tape, in.index[0], grad::segment_softmax(tape, in.index[0], s),
                                  {in.x[0], in.index[1]});
       },
       [](const Operands64& in) {
         return reference::segment_sum(
             in.choice[0], reference::segment_softmax(in.choice[0], reference::product(in.x[0], in.x[1])), in.x[0]);
       }});
  add(attention("small", runs({3, 0, 1, 7}), drawn(11, 6, "x"), 5, 4, 6, false));
  add(attention("frozen", runs({3, 0, 1, 20, 6}), drawn(30, 12, "x"), 90, 17, 128, true));
  add(attention("one_set", runs({24}), each(24), 33, 130, 20, false));
  add(attention("many_sets", drawn_runs(300, 8, "att"), drawn(drawn_runs(300, 8, "att").items(), 500, "t"), 9, 8, 17,
                false));
  return list;
}

}  // namespace nd::cases
