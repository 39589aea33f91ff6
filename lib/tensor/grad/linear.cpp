#include "lib/tensor/grad.h"

#include <algorithm>
#include <stdexcept>

namespace nd::grad {
namespace {
constexpr size_t kMostTerms = 3;
}

Var linear(Tape& tape, std::initializer_list<Term> terms, Var bias, Activation act, int64_t m) {
  if (terms.size() == 0 || terms.size() > kMostTerms) throw std::logic_error("linear takes one to three terms");
  struct {
    Term term[kMostTerms];
    size_t count;
  } list{{}, terms.size()};
  std::copy_n(terms.begin(), list.count, list.term);

  bool wanted = bias && bias->wanted;
  for (const Term& t : terms) {
    if (t.rows && t.x->wanted) throw std::logic_error("linear: a table whose rows are picked gets no gradient");
    wanted |= t.x->wanted || t.w->wanted;
  }
  Var y = tape.result(m, terms.begin()->w->value.cols, wanted);
  for (size_t j = 0; j < list.count; ++j) {
    const Term& t = list.term[j];
    const bool last = j + 1 == list.count;
    ops::gemm(t.x->value, t.rows, t.w->value, last && bias ? bias->value : Mat{}, last ? act : Activation::none, j > 0,
              y->value);
  }
  if (!wanted) return y;
  tape.record([&tape, list, bias, act, y] {
    if (!y->started) return;
    const Mat d = y->grad;
    if (act != Activation::none) ops::activate_backward(act, y->value, d, false, d);
    for (size_t j = 0; j < list.count; ++j) {
      const Term& t = list.term[j];
      if (t.w->wanted) {
        const auto g = tape.gradient(t.w);
        ops::gemm_tn(t.x->value, t.rows, d, g.add, g.mat);
      }
      if (t.x->wanted) {
        const auto g = tape.gradient(t.x);
        ops::gemm_nt(d, t.w->value, g.add, g.mat);
      }
    }
    if (bias && bias->wanted) {
      const auto g = tape.gradient(bias);
      ops::column_sums(d, g.add, g.mat);
    }
  });
  return y;
}

Var activate(Tape& tape, Activation act, Var x) {
  Var y = tape.result(x->value.rows, x->value.cols, x->wanted);
  ops::activate(act, x->value, y->value);
  if (y->wanted)
    tape.record([&tape, act, x, y] {
      if (!y->started) return;
      const auto g = tape.gradient(x);
      ops::activate_backward(act, y->value, y->grad, g.add, g.mat);
    });
  return y;
}

Var gelu(Tape& tape, Var x) {
  Var y = tape.result(x->value.rows, x->value.cols, x->wanted);
  ops::gelu(x->value, y->value);
  if (y->wanted)
    tape.record([&tape, x, y] {
      if (!y->started) return;
      const auto g = tape.gradient(x);
      ops::gelu_backward(x->value, y->grad, g.add, g.mat);
    });
  return y;
}

Var reshape(Tape& tape, Var x, int64_t cols) {
  if (cols < 1 || x->value.size() % cols != 0) throw std::logic_error("reshape: the numbers make no whole rows");
  Mat value = x->value;
  value.rows = value.size() / cols;
  value.cols = cols;
  Var y = tape.result(value, x->wanted);
  if (y->wanted)
    tape.record([&tape, x, y] {
      if (!y->started) return;
      Mat d = y->grad;
      d.rows = x->value.rows;
      d.cols = x->value.cols;
      const auto g = tape.gradient(x);
      ops::copy_columns(d, 0, d.cols, g.add, g.mat, 0);
    });
  return y;
}

Var concat(Tape& tape, Var x1, Var x2) {
  const int64_t n1 = x1->value.cols, n2 = x2->value.cols;
  Var y = tape.result(x1->value.rows, n1 + n2, x1->wanted || x2->wanted);
  ops::copy_columns(x1->value, 0, n1, false, y->value, 0);
  ops::copy_columns(x2->value, 0, n2, false, y->value, n1);
  if (y->wanted)
    tape.record([&tape, x1, x2, n1, n2, y] {
      if (!y->started) return;
      if (x1->wanted) {
        const auto g = tape.gradient(x1);
        ops::copy_columns(y->grad, 0, n1, g.add, g.mat, 0);
      }
      if (x2->wanted) {
        const auto g = tape.gradient(x2);
        ops::copy_columns(y->grad, n1, n2, g.add, g.mat, 0);
      }
    });
  return y;
}

}  // namespace nd::grad
