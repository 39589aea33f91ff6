// D-HAN's sentence and element blocks: attention over stacks of tokens, normalised and pooled (see ops.h).
//
// A block is small (5 to 22 tokens of 64 numbers), so all it needs stays in the nearest caches while it is worked on;
// its products are gemm's tiles. Which blocks make a task of a thread's is a matter of what they share:
//  - Sentences: the blocks of one stack. Its tokens are laid out once, and its gradient is summed where it lies.
//  - Elements, where a block joins two stacks: blocks as they come. Neighbours have both stacks in common with others,
//    as a candidate meets all of a history; so a task sums its gradients by stack in its caches, and then those of all
//    tasks are summed. Written out block by block they would be four times as many bytes.
// Both depend on the blocks only, and every sum has its order: any number of threads gives the same bits.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/cpu/block.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/parallel.h"

namespace nd::cpu {
namespace {

// --- A block ---

// Sums of a few dots, against a product with the transpose: what is cheaper.
constexpr int64_t kFewTokens = 8;

// x yᵀ, which is given where it is worth having
void dots(const Mat& x, const Mat& y, const Mat& y_t, const Mat& out) {
  if (!y_t.empty()) return product(x, as_it_lies(y_t), {}, false, out);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t j = 0; j < y.rows; ++j) out.row(i)[j] = dot(x.row(i), y.row(j), x.cols);
}

// The tokens of one block side by side, and one part of them the other way round too where they are many, in rows of
// whole registers.
struct Side {
  enum Turned { keys, values };
  const StackAttention& a;
  int64_t height, n;
  Turned what;
  Mat x, query, key, value, turned;

  static int64_t numbers(const StackAttention& a) {
    return (4 * a.tokens() + whole_registers(a.tokens())) * a.gamma.cols;
  }
  Side(const StackAttention& a, Turned what, Scratch& scratch) : a(a), height(a.height), n(a.gamma.cols), what(what) {
    const int64_t tokens = a.tokens();
    for (Mat* m : {&x, &query, &key, &value}) *m = scratch.mat(tokens, n);
    if (tokens <= kFewTokens) return;
    turned = scratch.mat(n, whole_registers(tokens));
    clear(turned);
  }
  void load_stack(int64_t stack) {
    for (int64_t t = 0; t < height; ++t) put(a.stack, stack * height + t, t);
  }
  void load_extras(int64_t block) {
    for (int j = 0; j < a.extras; ++j) put(a.extra[j], a.extra_of[j].row_of(block), height + j);
  }
  void load_joined(int64_t block) {
    const int64_t from = a.of.row_of(block) * height, other = a.joined_of.row_of(block) * height;
    join(a.stack.x, from, a.joined.x, other, x);
    join(a.stack.query, from, a.joined.query, other, query);
    join(a.stack.key, from, a.joined.key, other, key);
    join(a.stack.value, from, a.joined.value, other, value);
    for (int64_t t = 0; t < height; ++t) turn(t);
  }

 private:
  void join(const Mat& one, int64_t row, const Mat& other, int64_t other_row, const Mat& to) {
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

float sum_of(const Mat& pool) {
  float sum = 0;
  for (int64_t t = 0; t < pool.rows; ++t) sum += pool.data[t];
  return sum;
}

// Blocks forwards, one after another: a block's tokens are put into `side` first.
struct Forward {
  const StackAttention& a;
  const Mat &p, &stat, &z;
  float pool_sum;
  Side side;
  Mat scores, weight, y;

  static int64_t numbers(const StackAttention& a) {
    return Side::numbers(a) + a.tokens() * (2 * whole_registers(a.tokens()) + a.gamma.cols);
  }
  Forward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& z, Scratch& scratch)
      : a(a),
        p(p),
        stat(stat),
        z(z),
        pool_sum(sum_of(a.pool)),
        side(a, Side::keys, scratch),
        scores(scratch.mat(a.tokens(), whole_registers(a.tokens()))),
        weight(scratch.mat(a.tokens(), whole_registers(a.tokens()))),
        y(scratch.mat(a.tokens(), a.gamma.cols)) {}

  void block(int64_t b) {
    const int64_t T = a.tokens(), n = a.gamma.cols, first = b * T;
    dots(side.query, side.key, side.turned, scores);
    softmax_rows(scores, a.scale, KeptRows(a.drop_weights, T, first, T, bits(0)), first, rows_of(p, first, T), weight);
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
};

// Blocks backwards, likewise. What their tokens get is added to dx, dquery, dkey and dvalue, what the parameters get to
// a task's `sums` of all of them, in this order: bias, gamma, beta, pool, pool_bias.
struct Backward {
  const StackAttention& a;
  const Mat &p, &stat, &dz;
  float pool_sum;
  Side side;
  Mat weight, ds, y, dx, dquery, dkey, dvalue;
  float *g, *pooled, *sum_bias, *sum_gamma, *sum_beta, *sum_pool, *sum_pool_bias;

  static int64_t numbers(const StackAttention& a) {
    const int64_t T = a.tokens(), n = a.gamma.cols;
    return Side::numbers(a) + 2 * T * whole_registers(T) + 5 * T * n + 2 * n;
  }
  static int64_t parameters(const StackAttention& a) { return 3 * a.gamma.cols + a.tokens() + 1; }

  Backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz, float* sums, Scratch& scratch)
      : a(a), p(p), stat(stat), dz(dz), pool_sum(sum_of(a.pool)), side(a, Side::values, scratch) {
    const int64_t T = a.tokens(), n = a.gamma.cols;
    for (Mat* m : {&weight, &ds}) *m = scratch.mat(T, whole_registers(T));
    for (Mat* m : {&y, &dx, &dquery, &dkey, &dvalue}) *m = scratch.mat(T, n);
    g = scratch.mat(1, n).data;
    pooled = scratch.mat(1, n).data;
    sum_bias = sums;
    sum_gamma = sum_bias + n;
    sum_beta = sum_gamma + n;
    sum_pool = sum_beta + n;
    sum_pool_bias = sum_pool + T;
  }

  void block(int64_t b) {
    const int64_t T = a.tokens(), n = a.gamma.cols, first = b * T;
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
    softmax_rows_backward(pb, a.scale, kept_weights, first, ds);
    product(ds, as_it_lies(side.key), {}, true, dquery);
    add_outer(ds, side.query, dkey);
  }

  std::array<Mat, 4> tokens() const { return {dx, dquery, dkey, dvalue}; }
};

std::array<Mat, 4> parts(const Tokens& t) { return {t.x, t.query, t.key, t.value}; }
std::array<Into, 4> parts(const TokensInto& t) { return {t.x, t.query, t.key, t.value}; }

// Memory for the gradients of the parameters, by task.
float* parameter_sums(const StackAttention& a, int64_t tasks) {
  static thread_local std::vector<float> memory;
  memory.assign(static_cast<size_t>(tasks * Backward::parameters(a)), 0.0f);
  return memory.data();
}
void sum_parameters(const StackAttention& a, const float* sums, int64_t tasks, const StackAttentionInto& out) {
  const Into* const to[] = {&out.bias, &out.gamma, &out.beta, &out.pool, &out.pool_bias};
  const int64_t n = a.gamma.cols, sizes[] = {n, n, n, a.tokens(), 1};
  for (int64_t k = 0, from = 0; k < 5; from += sizes[k++])
    sum_parts(sums + from, tasks, Backward::parameters(a), *to[k]);
}

// --- Blocks by stack ---

constexpr int64_t kMostInPart = 64;   // blocks of one stack whose gradient is summed in one go
constexpr int64_t kLeastInTask = 32;  // blocks that make a thread's task worth its while

// Some blocks of one stack.
struct Part {
  int64_t stack, begin, end;  // items of the index, in its order by stack
  int64_t slot;               // where the stack's gradient goes: -1 to its place, else to this further sum
};
// Parts of every stack, and tasks of some parts each.
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

void by_stack(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& z) {
  const Plan plan(a.of);
  parallel_for(plan.tasks(), [&](int64_t task) {
    Scratch scratch(Forward::numbers(a));
    Forward forward(a, p, stat, z, scratch);
    for (int64_t at = plan.task[task]; at < plan.task[task + 1]; ++at) {
      const Part& part = plan.part[at];
      if (part.begin < part.end) forward.side.load_stack(part.stack);
      for (int64_t item = part.begin; item < part.end; ++item) {
        const int64_t b = a.of.item_at(item);
        forward.side.load_extras(b);
        forward.block(b);
      }
    }
  });
}

void by_stack_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                       const StackAttentionInto& out) {
  const Plan plan(a.of);
  const int64_t n = a.gamma.cols, height = a.height, numbers = height * n;  // of a stack
  float* const sums = parameter_sums(a, plan.tasks());
  // Further sums of the stacks by slot: x, query, key, value.
  static thread_local std::vector<float> memory;
  memory.resize(static_cast<size_t>(plan.slots * 4 * numbers));
  float* const further = memory.data();
  const auto to = parts(out.stack);
  parallel_for(plan.tasks(), [&](int64_t task) {
    Scratch scratch(Backward::numbers(a));
    Backward backward(a, p, stat, dz, sums + task * Backward::parameters(a), scratch);
    const auto grads = backward.tokens();
    for (int64_t at = plan.task[task]; at < plan.task[task + 1]; ++at) {
      const Part& part = plan.part[at];
      if (part.begin < part.end) backward.side.load_stack(part.stack);
      for (const Mat& g : grads) clear(rows_of(g, 0, height));
      for (int64_t item = part.begin; item < part.end; ++item) {
        const int64_t b = a.of.item_at(item);
        backward.side.load_extras(b);
        for (const Mat& g : grads) clear(rows_of(g, height, a.extras));
        backward.block(b);
        for (int j = 0; j < a.extras; ++j)
          for (int k = 0; k < 4; ++k) copy_row(grads[k].row(height + j), n, parts(out.extra[j])[k].row(b));
      }
      for (int k = 0; k < 4; ++k) {
        if (part.slot >= 0) std::copy_n(grads[k].data, numbers, further + (part.slot * 4 + k) * numbers);
        else if (to[k].add) axpy(1.0f, grads[k].data, to[k].mat.row(part.stack * height), numbers);
        else std::copy_n(grads[k].data, numbers, to[k].mat.row(part.stack * height));
      }
    }
  });
  for (const Part& part : plan.part)
    for (int k = 0; part.slot >= 0 && k < 4; ++k)
      axpy(1.0f, further + (part.slot * 4 + k) * numbers, to[k].mat.row(part.stack * height), numbers);
  sum_parameters(a, sums, plan.tasks(), out);
}

// --- Blocks of two stacks, as they come ---

constexpr int64_t kJoinedInTask = 40;

// Gradients of one side's stacks: of every stack that a task has, a slot for each of x, query, key and value.
class TaskSums {
 public:
  // Of stacks of `numbers`. What it holds is the arena's.
  TaskSums(Arena& arena, const Index& of, int64_t numbers) {
    const auto slot = arena.array<int32_t>(of.items);
    std::vector<int32_t> stack;  // of each slot
    for (int64_t b = 0; b < of.items; ++b) {
      if (b % kJoinedInTask == 0) first_.push_back(static_cast<int64_t>(stack.size()));
      const auto at = std::find(stack.begin() + first_.back(), stack.end(), of.row_of(b));
      slot[b] = static_cast<int32_t>(at - stack.begin());
      if (at == stack.end()) stack.push_back(of.row_of(b));
    }
    first_.push_back(static_cast<int64_t>(stack.size()));
    slot_ = slot.data();
    by_stack_ = make_index(arena, arena.copy(stack), of.rows);
    for (Mat& m : sum_) m = arena.mat(by_stack_.items, numbers);
  }
  void clear(int64_t task) const {
    for (const Mat& m : sum_) cpu::clear(rows_of(m, first_[task], first_[task + 1] - first_[task]));
  }
  void add(int64_t block, const std::array<Mat, 4>& grads) const {
    for (int k = 0; k < 4; ++k) axpy(1.0f, grads[k].data, sum_[k].row(slot_[block]), sum_[k].cols);
  }
  void sum(const TokensInto& out) const {
    for (int k = 0; k < 4; ++k) {
      const Into to = parts(out)[k];
      scatter_sum(sum_[k], by_stack_, to.add, {to.mat.data, by_stack_.rows, sum_[k].cols});
    }
  }

 private:
  std::vector<int64_t> first_;     // slot of each task, and one more
  const int32_t* slot_ = nullptr;  // of each block
  Index by_stack_;                 // of the slots
  Mat sum_[4];
};

void joined(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& z) {
  parallel_ranges(a.of.items, kJoinedInTask, [&](int64_t begin, int64_t end) {
    Scratch scratch(Forward::numbers(a));
    Forward forward(a, p, stat, z, scratch);
    for (int64_t b = begin; b < end; ++b) {
      forward.side.load_joined(b);
      forward.block(b);
    }
  });
}

void joined_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                     const StackAttentionInto& out) {
  const int64_t blocks = a.of.items, tasks = (blocks + kJoinedInTask - 1) / kJoinedInTask;
  float* const sums = parameter_sums(a, tasks);
  static thread_local Arena arena(Device::cpu);
  arena.reset();
  const TaskSums own(arena, a.of, a.height * a.gamma.cols), other(arena, a.joined_of, a.height * a.gamma.cols);
  parallel_for(tasks, [&](int64_t task) {
    Scratch scratch(Backward::numbers(a));
    Backward backward(a, p, stat, dz, sums + task * Backward::parameters(a), scratch);
    const auto grads = backward.tokens();
    own.clear(task);
    other.clear(task);
    for (int64_t b = task * kJoinedInTask; b < std::min(blocks, (task + 1) * kJoinedInTask); ++b) {
      backward.side.load_joined(b);
      for (const Mat& g : grads) clear(g);
      backward.block(b);
      own.add(b, grads);
      other.add(b, grads);
    }
  });
  own.sum(out.stack);
  other.sum(out.joined);
  sum_parameters(a, sums, tasks, out);
}

}  // namespace

void stack_attention(const StackAttention& a, Mat p, Mat stat, Mat z) {
  (a.joins() ? joined : by_stack)(a, p, stat, z);
}

void stack_attention_backward(const StackAttention& a, const Mat& p, const Mat& stat, const Mat& dz,
                              const StackAttentionInto& out) {
  (a.joins() ? joined_backward : by_stack_backward)(a, p, stat, dz, out);
}

}  // namespace nd::cpu
