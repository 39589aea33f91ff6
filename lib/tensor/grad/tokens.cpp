#include "lib/tensor/grad/into.h"

namespace nd::grad {
namespace {

// Memory for the decisions of a dropout of so many rows and columns.
void remember(Tape& tape, int64_t rows, int64_t cols, Dropout& drop) {
  constexpr int64_t kWord = 16;
  Arena& arena = tape.arena();
  if (drop.rate > 0 && arena.device() == Device::cpu)
    drop.words = arena.array<uint16_t>(rows * ((cols + kWord - 1) / kWord)).data();
}

Tokens values(const TokenVars& t) { return {t.x->value, t.query->value, t.key->value, t.value->value}; }
bool wanted(const TokenVars& t) { return t.x->wanted || t.query->wanted || t.key->wanted || t.value->wanted; }

}  // namespace

Var dropout(Tape& tape, const Dropout& drop, Var x) {
  if (drop.rate == 0) return x;
  Var y = tape.result(x->value.rows, x->value.cols, x->wanted);
  ops::dropout(drop, x->value, false, y->value);
  if (y->wanted)
    tape.record([&tape, drop, x, y] {
      if (!y->started) return;
      const auto g = tape.gradient(x);
      ops::dropout(drop, y->grad, g.add, g.mat);
    });
  return y;
}

Var layer_norm(Tape& tape, Var x, Var r, const Dropout& drop, Var gamma, Var beta) {
  Var y = tape.result(x->value.rows, x->value.cols, x->wanted || (r && r->wanted) || gamma->wanted || beta->wanted);
  const Mat stat = tape.arena().mat(x->value.rows, 2), left = r ? r->value : Mat{};
  ops::layer_norm(x->value, left, drop, gamma->value, beta->value, stat, y->value);
  if (y->wanted)
    tape.record([&tape, drop, x, r, left, gamma, beta, stat, y] {
      if (!y->started) return;
      const Into dx = into(tape, x), dr = into(tape, r), dgamma = into(tape, gamma), dbeta = into(tape, beta);
      ops::layer_norm_backward(x->value, left, drop, gamma->value, stat, y->grad, dx, dr, dgamma, dbeta);
    });
  return y;
}

Var block_attention(Tape& tape, const BlockAttention& form, Var query, Var key, Var value, Mat* weights) {
  Var y = tape.result(query->value.rows, query->value.cols, query->wanted || key->wanted || value->wanted);
  const Mat p = tape.arena().mat(query->value.rows * form.heads, form.tokens);
  ops::block_attention(form, query->value, key->value, value->value, p, y->value);
  if (weights) *weights = p;
  if (y->wanted)
    tape.record([&tape, form, query, key, value, p, y] {
      if (!y->started) return;
      const Into dquery = always(tape, query), dkey = always(tape, key), dvalue = always(tape, value);
      ops::block_attention_backward(form, query->value, key->value, value->value, p, y->grad, dquery, dkey, dvalue);
    });
  return y;
}

Var stack_attention(Tape& tape, const StackVars& vars, float scale, const Dropout& drop_weights,
                    const Dropout& drop_output, Mat* weights) {
  StackAttention a;
  a.stack = values(vars.stack);
  a.of = vars.of;
  a.height = vars.of.rows ? a.stack.x.rows / vars.of.rows : 0;
  a.extras = vars.extras;
  bool any = wanted(vars.stack) || vars.bias->wanted || vars.gamma->wanted || vars.beta->wanted || vars.pool->wanted ||
             vars.pool_bias->wanted;
  for (int j = 0; j < vars.extras; ++j) {
    a.extra[j] = values(vars.extra[j]);
    a.extra_of[j] = vars.extra_of[j];
    any |= wanted(vars.extra[j]);
  }
  if (vars.joined.x) {
    a.joined = values(vars.joined);
    a.joined_of = vars.joined_of;
    any |= wanted(vars.joined);
  }
  a.bias = vars.bias->value;
  a.gamma = vars.gamma->value;
  a.beta = vars.beta->value;
  a.pool = vars.pool->value;
  a.pool_bias = vars.pool_bias->value;
  a.scale = scale;
  a.drop_weights = drop_weights;
  a.drop_output = drop_output;

  const int64_t blocks = a.of.items, n = a.gamma.cols;
  Var z = tape.result(blocks, n, any);
  const Mat p = tape.arena().mat(blocks * a.tokens(), a.tokens()), stat = tape.arena().mat(blocks * a.tokens(), 2);
  if (z->wanted) {
    remember(tape, p.rows, p.cols, a.drop_weights);
    remember(tape, p.rows, n, a.drop_output);
  }
  ops::stack_attention(a, p, stat, z->value);
  a.drop_weights.made = a.drop_output.made = true;
  if (weights) *weights = p;
  if (z->wanted)
    tape.record([&tape, a, vars, p, stat, z] {
      if (!z->started) return;
      Arena& arena = tape.arena();
      const int64_t blocks = a.of.items, n = a.gamma.cols;
      StackAttentionInto out;
      const auto all = [&](const TokenVars& t) {
        return TokensInto{always(tape, t.x), always(tape, t.query), always(tape, t.key), always(tape, t.value)};
      };
      out.stack = all(vars.stack);
      if (a.joins()) out.joined = all(vars.joined);
      const auto rows = [&](int64_t count) {
        return Tokens{arena.mat(count, n), arena.mat(count, n), arena.mat(count, n), arena.mat(count, n)};
      };
      for (int j = 0; j < a.extras; ++j) out.extra[j] = rows(blocks);
      out.bias = into(tape, vars.bias);
      out.gamma = into(tape, vars.gamma);
      out.beta = into(tape, vars.beta);
      out.pool = into(tape, vars.pool);
      out.pool_bias = into(tape, vars.pool_bias);
      ops::stack_attention_backward(a, p, stat, z->grad, out);
      const auto gather = [&](const TokenVars& tables, const Tokens& from, const Index& index) {
        const Var table[4] = {tables.x, tables.query, tables.key, tables.value};
        const Mat* const rows[4] = {&from.x, &from.query, &from.key, &from.value};
        for (int k = 0; k < 4; ++k) {
          if (!table[k]->wanted) continue;
          const auto g = tape.gradient(table[k]);
          ops::scatter_sum(*rows[k], index, g.add, g.mat);
        }
      };
      for (int j = 0; j < a.extras; ++j) gather(vars.extra[j], out.extra[j], a.extra_of[j]);
    });
  return z;
}

Var transformer_layer(Tape& tape, TransformerLayer a, const Var (&part)[TransformerLayer::kParts], Var x,
                      Mat* weights) {
  struct Parts {
    Var v[TransformerLayer::kParts];
  } of;
  bool any = x->wanted;
  for (int i = 0; i < TransformerLayer::kParts; ++i) {
    of.v[i] = part[i];
    a.part[i] = part[i]->value;
    any |= part[i]->wanted;
  }
  const int64_t rows = x->value.rows, n = x->value.cols;
  Var y = tape.result(rows, n, any);
  TransformerKept kept;
  if (y->wanted || weights) kept.p = tape.arena().mat(rows, a.tokens);
  if (y->wanted) {
    for (Mat* m : {&kept.query, &kept.key, &kept.value, &kept.unit1, &kept.unit2}) *m = tape.arena().mat(rows, n);
    kept.inner = tape.arena().mat(rows, a.part[TransformerLayer::inner_w].cols);
    kept.inverse = tape.arena().mat(rows, 2);
    remember(tape, rows, a.tokens, a.drop_weights);
    remember(tape, rows, n, a.drop_attention);
    remember(tape, rows, n, a.drop_outer);
  }
  ops::transformer_layer(a, x->value, kept, y->value);
  a.drop_weights.made = a.drop_attention.made = a.drop_outer.made = true;
  if (weights) *weights = kept.p;
  if (y->wanted)
    tape.record([&tape, a, of, kept, x, y] {
      if (!y->started) return;
      Into dpart[TransformerLayer::kParts];
      const Into dx = into(tape, x);
      for (int i = 0; i < TransformerLayer::kParts; ++i) dpart[i] = into(tape, of.v[i]);
      ops::transformer_layer_backward(a, x->value, kept, y->grad, dx, dpart);
    });
  return y;
}

Var mix_tokens(Tape& tape, Var x, Var w, Var bias) {
  Var y =
      tape.result(x->value.rows / w->value.rows * w->value.cols, x->value.cols, x->wanted || w->wanted || bias->wanted);
  ops::mix_tokens(x->value, w->value, bias->value, y->value);
  if (y->wanted)
    tape.record([&tape, x, w, bias, y] {
      if (!y->started) return;
      const Into dx = into(tape, x), dw = into(tape, w), dbias = into(tape, bias);
      ops::mix_tokens_backward(x->value, w->value, y->grad, dx, dw, dbias);
    });
  return y;
}

Var shift_tokens(Tape& tape, int64_t tokens, int64_t by, Var x) {
  Var y = tape.result(x->value.rows, x->value.cols, x->wanted);
  ops::shift_tokens(tokens, by, x->value, false, y->value);
  if (y->wanted)
    tape.record([&tape, tokens, by, x, y] {
      if (!y->started) return;
      const auto g = tape.gradient(x);
      ops::shift_tokens(tokens, -by, y->grad, g.add, g.mat);
    });
  return y;
}

Var lstm(Tape& tape, int64_t tokens, bool reverse, Var a, Var u) {
  const int64_t m = a->value.rows, n = u->value.rows;
  Var h = tape.result(m, n, a->wanted || u->wanted);
  const Mat gates = tape.arena().mat(m, 4 * n), cell = tape.arena().mat(m, n);
  ops::lstm(tokens, reverse, a->value, u->value, gates, cell, h->value);
  if (h->wanted)
    tape.record([&tape, tokens, reverse, a, u, m, n, gates, cell, h] {
      if (!h->started) return;
      const Mat da = tape.arena().mat(m, 4 * n);
      ops::lstm_backward(tokens, reverse, u->value, gates, cell, h->grad, da);
      if (a->wanted) {
        const auto g = tape.gradient(a);
        ops::copy_columns(da, 0, 4 * n, g.add, g.mat, 0);
      }
      if (u->wanted) {
        const Mat before = tape.arena().mat(m, n);
        ops::shift_tokens(tokens, reverse ? -1 : 1, h->value, false, before);
        const auto g = tape.gradient(u);
        ops::gemm_tn(before, nullptr, da, g.add, g.mat);
      }
    });
  return h;
}

}  // namespace nd::grad
