// Blocks of tokens that look at each other: attention inside a block, D-HAN's pooled attention over stacks, layer
// normalisation, weighted and shifted tokens, LSTM.
//
// A block is small (5 to 22 tokens of 64 numbers), so all it needs stays in the nearest caches while it is worked on;
// its products are gemm's tiles. Blocks are shared out to threads, and those of one stack belong together: the
// gradient of the stack is summed where it lies, in block order.
#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

constexpr int64_t kRowBlock = 64;     // rows one thread takes at a time
constexpr int64_t kBlockGroup = 8;    // blocks, likewise
constexpr int64_t kMostInPart = 64;   // blocks of one stack whose gradient is summed in one go
constexpr int64_t kLeastInTask = 32;  // blocks that make a thread's task worth its while

// out = Σ parts in order, parts(count, n), added to what is there where asked for; nothing when it is not wanted.
void sum_parts(const float* parts, int64_t count, int64_t stride, const Into& out) {
  if (out.mat.empty()) return;
  for (int64_t j = 0; j < out.mat.size(); ++j) {
    float total = out.add ? out.mat.data[j] : 0.0f;
    for (int64_t p = 0; p < count; ++p) total += parts[p * stride + j];
    out.mat.data[j] = total;
  }
}

}  // namespace

// --- Layer normalisation ---

void layer_norm(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& beta, Mat stat, Mat y) {
  const int64_t n = x.cols;
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    const KeptRows kept(drop, n, begin, r.empty() ? 0 : end - begin, bits(0));
    for (int64_t i = begin; i < end; ++i) {
      float* const out = y.row(i);
      Lanes total = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        Lanes s = load(x.row(i) + c, lanes);
        if (!r.empty()) s = s + kept(i, c, load(r.row(i) + c, lanes));
        total = total + s;
        store(out + c, s, lanes);
      }
      const float mean = sum(total) / static_cast<float>(n);
      Lanes square = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes s = keep(load(out + c, lanes) - mean, lanes);
        square = fma(s, s, square);
      }
      const float inverse = 1 / std::sqrt(sum(square) / static_cast<float>(n) + kEpsilon);
      stat.row(i)[0] = mean;
      stat.row(i)[1] = inverse;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes s = (load(out + c, lanes) - mean) * inverse;
        store(out + c, fma(s, load(gamma.data + c, lanes), load(beta.data + c, lanes)), lanes);
      }
    }
  });
}

void layer_norm_backward(const Mat& x, const Mat& r, const Dropout& drop, const Mat& gamma, const Mat& stat,
                         const Mat& dy, Into dx, Into dr, Into dgamma, Into dbeta) {
  const int64_t n = x.cols, parts = (x.rows + kRowBlock - 1) / kRowBlock;
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(2 * parts * n), 0.0f);
  float* const partial = memory.data();
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    const KeptRows kept(drop, n, begin, r.empty() ? 0 : end - begin, bits(0));
    Scratch scratch(n);
    float* const unit = scratch.mat(1, n).data;
    float* const sum_gamma = partial + begin / kRowBlock * 2 * n;
    float* const sum_beta = sum_gamma + n;
    for (int64_t i = begin; i < end; ++i) {
      const float mean = stat.row(i)[0], inverse = stat.row(i)[1];
      Lanes sum_g = 0.0f, sum_gu = 0.0f;
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        Lanes s = load(x.row(i) + c, lanes);
        if (!r.empty()) s = s + kept(i, c, load(r.row(i) + c, lanes));
        const Lanes u = (s - mean) * inverse, d = load(dy.row(i) + c, lanes), g = d * load(gamma.data + c, lanes);
        store(unit + c, u, lanes);
        sum_g = sum_g + g;
        sum_gu = fma(g, u, sum_gu);
        store(sum_gamma + c, fma(d, u, load(sum_gamma + c, lanes)), lanes);
        store(sum_beta + c, d + load(sum_beta + c, lanes), lanes);
      }
      const float mean_g = sum(sum_g) / static_cast<float>(n), mean_gu = sum(sum_gu) / static_cast<float>(n);
      for (int64_t c = 0; c < n; c += kLanes) {
        const int64_t lanes = std::min(n - c, kLanes);
        const Lanes g = load(dy.row(i) + c, lanes) * load(gamma.data + c, lanes);
        const Lanes ds = (g - mean_g - load(unit + c, lanes) * mean_gu) * inverse;
        const auto write = [&](const Into& to, Lanes v) {
          if (to.mat.empty()) return;
          if (to.add) v = v + load(to.mat.row(i) + c, lanes);
          store(to.mat.row(i) + c, v, lanes);
        };
        write(dx, ds);
        if (!r.empty()) write(dr, kept(i, c, ds));
      }
    }
  });
  sum_parts(partial, parts, 2 * n, dgamma);
  sum_parts(partial + n, parts, 2 * n, dbeta);
}

// --- Attention inside blocks ---

void block_attention(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, Mat p, Mat y) {
  const int64_t T = a.tokens, width = query.cols / a.heads;
  parallel_ranges(query.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    const KeptRows kept(a.drop, T, begin * a.heads * T, (end - begin) * a.heads * T, bits(0));
    Scratch scratch(T * T);
    const Mat weight = scratch.mat(T, T);
    for (int64_t b = begin; b < end; ++b)
      for (int64_t h = 0; h < a.heads; ++h) {
        const int64_t first = (b * a.heads + h) * T, c0 = h * width;
        for (int64_t i = 0; i < T; ++i) {
          float* const s = p.row(first + i);
          for (int64_t j = 0; j < T; ++j) s[j] = dot(query.row(b * T + i) + c0, key.row(b * T + j) + c0, width);
          softmax(s, T, a.scale, s);
        }
        drop_rows(kept, first, rows_of(p, first, T), weight);
        for (int64_t i = 0; i < T; ++i)
          for (int64_t c = 0; c < width; c += kLanes) {
            const int64_t lanes = std::min(width - c, kLanes);
            Lanes total = 0.0f;
            for (int64_t j = 0; j < T; ++j)
              total = fma(weight.row(i)[j], load(value.row(b * T + j) + c0 + c, lanes), total);
            store(y.row(b * T + i) + c0 + c, total, lanes);
          }
      }
  });
}

void block_attention_backward(const BlockAttention& a, const Mat& query, const Mat& key, const Mat& value, const Mat& p,
                              const Mat& dy, Into dquery, Into dkey, Into dvalue) {
  const int64_t T = a.tokens, width = query.cols / a.heads;
  parallel_ranges(query.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    const KeptRows kept(a.drop, T, begin * a.heads * T, (end - begin) * a.heads * T, bits(0));
    Scratch scratch(2 * T * T);
    const Mat weight = scratch.mat(T, T), ds = scratch.mat(T, T);
    for (int64_t b = begin; b < end; ++b) {
      for (const Into* d : {&dquery, &dkey, &dvalue})
        if (!d->add) clear(rows_of(d->mat, b * T, T));
      for (int64_t h = 0; h < a.heads; ++h) {
        const int64_t first = (b * a.heads + h) * T, c0 = h * width;
        drop_rows(kept, first, rows_of(p, first, T), weight);
        for (int64_t i = 0; i < T; ++i)
          for (int64_t j = 0; j < T; ++j) ds.row(i)[j] = dot(dy.row(b * T + i) + c0, value.row(b * T + j) + c0, width);
        drop_rows(kept, first, ds, ds);
        for (int64_t i = 0; i < T; ++i) {
          softmax_backward(p.row(first + i), ds.row(i), T, a.scale, false, ds.row(i));
          for (int64_t j = 0; j < T; ++j) {
            axpy(weight.row(i)[j], dy.row(b * T + i) + c0, dvalue.mat.row(b * T + j) + c0, width);
            axpy(ds.row(i)[j], key.row(b * T + j) + c0, dquery.mat.row(b * T + i) + c0, width);
            axpy(ds.row(i)[j], query.row(b * T + i) + c0, dkey.mat.row(b * T + j) + c0, width);
          }
        }
      }
    }
  });
}

// --- Attention over stacks, pooled ---

namespace {

// Some blocks of one stack.
struct Part {
  int64_t stack, begin, end;  // items of the index, in its order by stack
  int64_t slot;               // where the stack's gradient goes: -1 to its place, else to this further sum
};
// Parts of every stack, and tasks of some parts each; both depend on the blocks only.
struct Plan {
  std::vector<Part> part;
  std::vector<int64_t> task;  // parts of task i are task[i] .. task[i + 1)
  int64_t slots = 0;

  explicit Plan(const Index& of) {
    int64_t in_task = kLeastInTask;
    for (int64_t s = 0; s < of.rows; ++s) {
      int64_t begin = of.begin(s);
      do {  // a stack without blocks has one part too: its gradient is zero, and somebody has to say so
        const int64_t end = std::min(of.end(s), begin + kMostInPart);
        if (in_task >= kLeastInTask) {
          task.push_back(static_cast<int64_t>(part.size()));
          in_task = 0;
        }
        in_task += end - begin;
        part.push_back({s, begin, end, begin == of.begin(s) ? -1 : slots++});
        begin = end;
      } while (begin < of.end(s));
    }
    task.push_back(static_cast<int64_t>(part.size()));
  }
  int64_t tasks() const { return static_cast<int64_t>(task.size()) - 1; }
};

// Sums of a few dots, against a product with the transpose: what is cheaper.
constexpr int64_t kFewTokens = 8;

// x y^T, which is given where it is worth having
void dots(const Mat& x, const Mat& y, const Mat& y_t, const Mat& out) {
  if (!y_t.empty()) return product(x, as_it_lies(y_t), {}, false, out);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < y.rows; ++j) out.row(i)[j] = dot(x.row(i), y.row(j), x.cols);
}

// The tokens of one block side by side, and one side of them the other way round too where they are many.
struct Side {
  enum Turned { keys, values };
  const StackAttention& a;
  int64_t height, n;
  Turned what;
  Mat x, query, key, value, turned;

  static int64_t numbers(const StackAttention& a) { return 5 * a.tokens() * a.gamma.cols; }
  Side(const StackAttention& a, Turned what, Scratch& scratch) : a(a), height(a.height), n(a.gamma.cols), what(what) {
    const int64_t tokens = a.tokens();
    for (Mat* m : {&x, &query, &key, &value}) *m = scratch.mat(tokens, n);
    if (tokens > kFewTokens) turned = scratch.mat(n, tokens);
  }
  void load_stack(int64_t stack) {
    if (a.joins()) return;  // no two blocks have the same
    for (int64_t t = 0; t < height; ++t) put(a.stack, stack * height + t, t);
  }
  void load_block(int64_t block, int64_t stack) {
    if (a.joins()) {
      const int64_t from = stack * height, other = a.joined_of.row_of(block) * height;
      add(a.stack.x, from, a.joined.x, other, x);
      add(a.stack.query, from, a.joined.query, other, query);
      add(a.stack.key, from, a.joined.key, other, key);
      add(a.stack.value, from, a.joined.value, other, value);
      for (int64_t t = 0; t < height; ++t) turn(t);
    }
    for (int j = 0; j < a.extras; ++j) put(a.extra[j], a.extra_of[j].row_of(block), height + j);
  }

 private:
  void add(const Mat& one, int64_t row, const Mat& other, int64_t other_row, const Mat& to) {
    const float *const p = one.row(row), *const q = other.row(other_row);
    for (int64_t i = 0; i < height * n; i += kLanes) store(to.data + i, load(p + i) + load(q + i));
  }
  void put(const Tokens& from, int64_t row, int64_t t) {
    copy_row(from.x.row(row), n, x.row(t));
    copy_row(from.query.row(row), n, query.row(t));
    copy_row(from.key.row(row), n, key.row(t));
    copy_row(from.value.row(row), n, value.row(t));
    turn(t);
  }
  void turn(int64_t t) {
    if (turned.empty()) return;
    const float* const from = (what == keys ? key : value).row(t);
    for (int64_t c = 0; c < n; ++c) turned.row(c)[t] = from[c];
  }
};

}  // namespace

void stack_attention(const StackAttention& a, Mat p, Mat stat, Mat z) {
  const Plan plan(a.of);
  const int64_t T = a.tokens(), n = a.gamma.cols;
  float pool_sum = 0;
  for (int64_t t = 0; t < T; ++t) pool_sum += a.pool.data[t];
  parallel_for(plan.tasks(), [&](int64_t task) {
    Scratch scratch(Side::numbers(a) + T * T + T * n);
    Side side(a, Side::keys, scratch);
    const Mat weight = scratch.mat(T, T), y = scratch.mat(T, n);
    for (int64_t at = plan.task[task]; at < plan.task[task + 1]; ++at) {
      const Part& part = plan.part[at];
      if (part.begin < part.end) side.load_stack(part.stack);
      for (int64_t item = part.begin; item < part.end; ++item) {
        const int64_t b = a.of.item_at(item), first = b * T;
        side.load_block(b, part.stack);
        const Mat pb = rows_of(p, first, T);
        dots(side.query, side.key, side.turned, pb);
        for (int64_t t = 0; t < T; ++t) softmax(pb.row(t), T, a.scale, pb.row(t));
        drop_rows(KeptRows(a.drop_weights, T, first, T, bits(0)), first, pb, weight);
        product(weight, as_it_lies(side.value), a.bias, false, y);
        const KeptRows kept(a.drop_output, n, first, T, bits(1));
        float* const out = z.row(b);
        std::fill_n(out, n, 0.0f);
        for (int64_t t = 0; t < T; ++t) {
          float* const s = y.row(t);
          Lanes total = 0.0f, square = 0.0f;
          for (int64_t c = 0; c < n; c += kLanes) {
            const Lanes v = load(side.x.row(t) + c) + kept(first + t, c, load(s + c));
            store(s + c, v);
            total = total + v;
          }
          const float mean = sum(total) / static_cast<float>(n);
          for (int64_t c = 0; c < n; c += kLanes) {
            const Lanes v = load(s + c) - mean;
            square = fma(v, v, square);
          }
          const float inverse = 1 / std::sqrt(sum(square) / static_cast<float>(n) + kEpsilon);
          stat.row(first + t)[0] = mean;
          stat.row(first + t)[1] = inverse;
          const Lanes w = a.pool.data[t];
          for (int64_t c = 0; c < n; c += kLanes) store(out + c, fma(w, (load(s + c) - mean) * inverse, load(out + c)));
        }
        for (int64_t c = 0; c < n; c += kLanes)
          store(out + c,
                fma(load(a.gamma.data + c), load(out + c), fma(pool_sum, load(a.beta.data + c), a.pool_bias.data[0])));
      }
    }
  });
}

void stack_attention_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                              const StackAttentionInto& out) {
  const Plan plan(a.of);
  const int64_t T = a.tokens(), n = a.gamma.cols, height = a.height;
  float pool_sum = 0;
  for (int64_t t = 0; t < T; ++t) pool_sum += a.pool.data[t];
  // Gradients of the parameters by task: bias, gamma, beta, pool, pool_bias. Further sums of the stacks by slot: x,
  // query, key, value.
  const int64_t numbers = 3 * n + T + 1, stack_numbers = height * n;
  static thread_local std::vector<float> memory, more;
  memory.assign(static_cast<size_t>(plan.tasks() * numbers), 0.0f);
  more.resize(static_cast<size_t>(plan.slots * 4 * stack_numbers));
  float *const partial = memory.data(), *const further = more.data();
  const Into* const stack_out[4] = {&out.stack.x, &out.stack.query, &out.stack.key, &out.stack.value};

  parallel_for(plan.tasks(), [&](int64_t task) {
    Scratch scratch(Side::numbers(a) + 2 * T * T + 9 * T * n + 2 * n);
    Side side(a, Side::values, scratch);
    const Mat weight = scratch.mat(T, T), ds = scratch.mat(T, T), y = scratch.mat(T, n);
    const Mat dx = scratch.mat(T, n), dquery = scratch.mat(T, n), dkey = scratch.mat(T, n), dvalue = scratch.mat(T, n);
    const Mat* const grads[4] = {&dx, &dquery, &dkey, &dvalue};
    // Of the stack, over its blocks; where every block joins another one to it, grads holds a block's alone.
    Mat total[4] = {dx, dquery, dkey, dvalue};
    if (a.joins())
      for (Mat& m : total) m = scratch.mat(height, n);
    float *const g = scratch.mat(1, n).data, *const pooled = scratch.mat(1, n).data;
    float *const sum_bias = partial + task * numbers, *const sum_gamma = sum_bias + n, *const sum_beta = sum_gamma + n,
                 *const sum_pool = sum_beta + n, *const sum_pool_bias = sum_pool + T;
    for (int64_t at = plan.task[task]; at < plan.task[task + 1]; ++at) {
      const Part& part = plan.part[at];
      if (part.begin < part.end) side.load_stack(part.stack);
      for (const Mat* m : grads) clear(*m);
      for (const Mat& m : total) clear(m);
      for (int64_t item = part.begin; item < part.end; ++item) {
        const int64_t b = a.of.item_at(item), first = b * T;
        side.load_block(b, part.stack);
        for (const Mat* m : grads) clear(a.joins() ? *m : rows_of(*m, height, a.extras));
        // Forwards once more, up to the sum that is normalised.
        const Mat pb = rows_of(p, first, T);
        const KeptRows kept_weights(a.drop_weights, T, first, T, bits(0)), kept(a.drop_output, n, first, T, bits(1));
        drop_rows(kept_weights, first, pb, weight);
        product(weight, as_it_lies(side.value), a.bias, false, y);

        // The gradient of O_t is pool[t] dz, so that of the normalised rows is one vector for all of them.
        const float* const d = dz.row(b);
        Lanes total_d = 0.0f, total_g = 0.0f, total_beta = 0.0f;
        for (int64_t c = 0; c < n; c += kLanes) {
          const Lanes v = load(d + c), scaled = v * load(a.gamma.data + c);
          store(g + c, scaled);
          store(pooled + c, 0.0f);
          total_d = total_d + v;
          total_g = total_g + scaled;
          total_beta = fma(v, load(a.beta.data + c), total_beta);
          store(sum_beta + c, fma(pool_sum, v, load(sum_beta + c)));
        }
        sum_pool_bias[0] += sum(total_d);
        const float mean_g = sum(total_g) / static_cast<float>(n), d_beta = sum(total_beta);
        for (int64_t t = 0; t < T; ++t) {
          const float mean = stat.row(first + t)[0], inverse = stat.row(first + t)[1], w = a.pool.data[t];
          float* const row = y.row(t);
          Lanes total = 0.0f;
          for (int64_t c = 0; c < n; c += kLanes) {
            const Lanes unit = (load(side.x.row(t) + c) + kept(first + t, c, load(row + c)) - mean) * inverse;
            store(row + c, unit);
            total = fma(unit, load(g + c), total);
            store(pooled + c, fma(w, unit, load(pooled + c)));
          }
          const float d_unit = sum(total), mean_gu = d_unit / static_cast<float>(n);
          sum_pool[t] += d_unit + d_beta;
          const Lanes slope = w * inverse;
          for (int64_t c = 0; c < n; c += kLanes) {
            const Lanes v = (load(g + c) - mean_g - load(row + c) * mean_gu) * slope;
            store(dx.row(t) + c, v + load(dx.row(t) + c));
            const Lanes dy = kept(first + t, c, v);
            store(row + c, dy);
            store(sum_bias + c, dy + load(sum_bias + c));
          }
        }
        for (int64_t c = 0; c < n; c += kLanes)
          store(sum_gamma + c, fma(load(d + c), load(pooled + c), load(sum_gamma + c)));

        // y now holds the gradient of the weighted values.
        dots(y, side.value, side.turned, ds);
        add_outer(weight, y, dvalue);
        drop_rows(kept_weights, first, ds, ds);
        for (int64_t t = 0; t < T; ++t) softmax_backward(pb.row(t), ds.row(t), T, a.scale, false, ds.row(t));
        product(ds, as_it_lies(side.key), {}, true, dquery);
        add_outer(ds, side.query, dkey);
        if (a.joins()) {
          const Mat* const to[4] = {&out.joined.x, &out.joined.query, &out.joined.key, &out.joined.value};
          for (int k = 0; k < 4; ++k) {
            std::copy_n(grads[k]->data, stack_numbers, to[k]->row(b * height));
            axpy(1.0f, grads[k]->data, total[k].data, stack_numbers);
          }
        }
        for (int j = 0; j < a.extras; ++j) {
          const Mat* const to[4] = {&out.extra[j].x, &out.extra[j].query, &out.extra[j].key, &out.extra[j].value};
          for (int k = 0; k < 4; ++k) copy_row(grads[k]->row(height + j), n, to[k]->row(b));
        }
      }
      for (int k = 0; k < 4; ++k) {
        if (part.slot >= 0) {
          std::copy_n(total[k].data, stack_numbers, further + (part.slot * 4 + k) * stack_numbers);
          continue;
        }
        float* const to = stack_out[k]->mat.row(part.stack * height);
        if (stack_out[k]->add) axpy(1.0f, total[k].data, to, stack_numbers);
        else std::copy_n(total[k].data, stack_numbers, to);
      }
    }
  });

  for (const Part& part : plan.part)
    for (int k = 0; part.slot >= 0 && k < 4; ++k)
      axpy(1.0f, further + (part.slot * 4 + k) * stack_numbers, stack_out[k]->mat.row(part.stack * height),
           stack_numbers);
  const Into* const parameters[5] = {&out.bias, &out.gamma, &out.beta, &out.pool, &out.pool_bias};
  const int64_t sizes[5] = {n, n, n, T, 1};
  for (int64_t k = 0, from = 0; k < 5; from += sizes[k++])
    sum_parts(partial + from, plan.tasks(), numbers, *parameters[k]);
}

// --- Weighted and shifted tokens ---

void mix_tokens(const Mat& x, const Mat& w, const Mat& bias, Mat y) {
  const int64_t T = w.rows, outputs = w.cols, n = x.cols;
  parallel_ranges(x.rows / T, kBlockGroup, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t j = 0; j < outputs; ++j) {
        float* const out = y.row(b * outputs + j);
        std::fill_n(out, n, bias.data[j]);
        for (int64_t t = 0; t < T; ++t) axpy(w.row(t)[j], x.row(b * T + t), out, n);
      }
  });
}

void mix_tokens_backward(const Mat& x, const Mat& w, const Mat& dy, Into dx, Into dw, Into dbias) {
  const int64_t T = w.rows, outputs = w.cols, n = x.cols, blocks = x.rows / T;
  const int64_t groups = (blocks + kBlockGroup - 1) / kBlockGroup, numbers = w.size() + outputs;
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(groups * numbers), 0.0f);
  float* const partial = memory.data();
  parallel_ranges(blocks, kBlockGroup, [&](int64_t begin, int64_t end) {
    float *const sum_w = partial + begin / kBlockGroup * numbers, *const sum_bias = sum_w + w.size();
    for (int64_t b = begin; b < end; ++b) {
      if (!dx.mat.empty() && !dx.add) clear(rows_of(dx.mat, b * T, T));
      for (int64_t j = 0; j < outputs; ++j) {
        const float* const d = dy.row(b * outputs + j);
        for (int64_t t = 0; t < T; ++t) {
          if (!dx.mat.empty()) axpy(w.row(t)[j], d, dx.mat.row(b * T + t), n);
          sum_w[t * outputs + j] += dot(x.row(b * T + t), d, n);
        }
        for (int64_t c = 0; c < n; ++c) sum_bias[j] += d[c];
      }
    }
  });
  sum_parts(partial, groups, numbers, dw);
  sum_parts(partial + w.size(), groups, numbers, dbias);
}

void shift_tokens(int64_t tokens, int64_t by, const Mat& x, bool add, Mat y) {
  parallel_ranges(x.rows, kRowBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % tokens - by;
      const bool inside = from >= 0 && from < tokens;
      if (!add) std::fill_n(y.row(i), y.cols, 0.0f);
      if (inside) axpy(1.0f, x.row(i - by), y.row(i), x.cols);
    }
  });
}

// --- LSTM ---

void lstm(int64_t tokens, bool reverse, const Mat& a, const Mat& u, Mat gates, Mat cell, Mat h) {
  const int64_t n = h.cols;
  parallel_ranges(h.rows / tokens, kBlockGroup, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    Scratch scratch(6 * count * n);
    const Mat before = scratch.mat(count, n), now = scratch.mat(count, 4 * n), state = scratch.mat(count, n);
    clear(before);
    clear(state);
    for (int64_t step = 0; step < tokens; ++step) {
      const int64_t t = reverse ? tokens - 1 - step : step;
      for (int64_t b = 0; b < count; ++b) copy_row(a.row((begin + b) * tokens + t), 4 * n, now.row(b));
      gemm(before, nullptr, u, {}, Activation::none, true, now);
      for (int64_t b = 0; b < count; ++b) {
        const int64_t row = (begin + b) * tokens + t;
        for (int64_t c = 0; c < n; c += kLanes) {
          const int64_t lanes = std::min(n - c, kLanes);
          const auto gate = [&](int64_t k) { return load(now.row(b) + k * n + c, lanes); };
          const auto put = [&](int64_t k, Lanes v) { store(gates.row(row) + k * n + c, v, lanes); };
          const Lanes in = sigmoid(gate(0)), forget = sigmoid(gate(1)), fresh = tanh(gate(2)),
                      output = sigmoid(gate(3));
          const Lanes held = fma(forget, load(state.row(b) + c, lanes), in * fresh), out = output * tanh(held);
          put(0, in);
          put(1, forget);
          put(2, fresh);
          put(3, output);
          store(state.row(b) + c, held, lanes);
          store(cell.row(row) + c, held, lanes);
          store(before.row(b) + c, out, lanes);
          store(h.row(row) + c, out, lanes);
        }
      }
    }
  });
}

void lstm_backward(int64_t tokens, bool reverse, const Mat& u, const Mat& gates, const Mat& cell, const Mat& dh,
                   Mat da) {
  const int64_t n = dh.cols;
  static thread_local std::vector<float> memory;
  memory.resize(static_cast<size_t>(u.size()));
  const Mat u_t{memory.data(), u.cols, u.rows};
  for (int64_t i = 0; i < u.rows; ++i)
    for (int64_t j = 0; j < u.cols; ++j) u_t.row(j)[i] = u.row(i)[j];
  parallel_ranges(dh.rows / tokens, kBlockGroup, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    Scratch scratch(6 * count * n);
    // What the later step asks of this one's output and cell.
    const Mat dout = scratch.mat(count, n), dcell = scratch.mat(count, n), now = scratch.mat(count, 4 * n);
    clear(dout);
    clear(dcell);
    for (int64_t step = tokens - 1; step >= 0; --step) {
      const int64_t t = reverse ? tokens - 1 - step : step, earlier = reverse ? 1 : -1;
      for (int64_t b = 0; b < count; ++b) {
        const int64_t row = (begin + b) * tokens + t;
        for (int64_t c = 0; c < n; c += kLanes) {
          const int64_t lanes = std::min(n - c, kLanes);
          const auto gate = [&](int64_t k) { return load(gates.row(row) + k * n + c, lanes); };
          const auto put = [&](int64_t k, Lanes v) {
            store(now.row(b) + k * n + c, v, lanes);
            store(da.row(row) + k * n + c, v, lanes);
          };
          const Lanes in = gate(0), forget = gate(1), fresh = gate(2), output = gate(3);
          const Lanes bent = tanh(load(cell.row(row) + c, lanes));
          const Lanes held = step > 0 ? load(cell.row(row + earlier) + c, lanes) : Lanes(0.0f);
          const Lanes d = load(dh.row(row) + c, lanes) + load(dout.row(b) + c, lanes);
          const Lanes dc = fma(d * output, 1.0f - bent * bent, load(dcell.row(b) + c, lanes));
          put(0, dc * fresh * in * (1.0f - in));
          put(1, dc * held * forget * (1.0f - forget));
          put(2, dc * in * (1.0f - fresh * fresh));
          put(3, d * bent * output * (1.0f - output));
          store(dcell.row(b) + c, dc * forget, lanes);
        }
      }
      gemm(now, nullptr, u_t, {}, Activation::none, false, dout);
    }
  });
}

}  // namespace nd::cpu
