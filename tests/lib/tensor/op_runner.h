// Runs one case of op_cases.h on the tape and brings back what came out.
//
// Everything the operations read or write that belongs to the case lies between guards of a recognisable NaN: reading
// over an edge shows in the values, writing over one is noticed here.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/lib/tensor/op_cases.h"

namespace nd::cases {

class Guarded {
 public:
  explicit Guarded(int64_t n) : n_(n), memory_(static_cast<size_t>(n + 2 * kGuard), guard()) {}
  float* data() { return memory_.data() + kGuard; }
  std::vector<float> values() const { return {memory_.begin() + kGuard, memory_.begin() + kGuard + n_}; }
  bool intact() const {
    const float expected = guard();
    for (int64_t i = 0; i < n_ + 2 * kGuard; ++i)
      if ((i < kGuard || i >= kGuard + n_) && std::memcmp(&memory_[i], &expected, sizeof expected) != 0) return false;
    return true;
  }
  static float guard() {
    const uint32_t bits = 0x7fc0dead;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }

 private:
  static constexpr int64_t kGuard = 67;  // odd, so that nothing is aligned by accident
  int64_t n_;
  std::vector<float> memory_;
};

// The value of an input (or of the weights the outputs are summed with), the same for every run of a case.
inline std::vector<float> values_of(const std::string& stream, int64_t n, double scale) {
  const Random random(7, stream);
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>((2 * random.uniform(i) - 1) * scale);
  return x;
}
inline std::vector<float> input_values(const OpCase& c, size_t k) {
  return values_of(c.name + "/" + std::to_string(k), c.inputs[k].rows * c.inputs[k].cols, c.inputs[k].scale);
}
inline std::vector<float> output_weights(const OpCase& c, int64_t n) { return values_of(c.name + "/weights", n, 1); }

// What gradients hold before the run where it is to add to them.
inline float before(size_t i) { return static_cast<float>(i % 7) - 3; }

struct Outcome {
  Matrix64 value;                        // of the operation, every float exactly
  std::vector<std::vector<float>> grad;  // of each input under the loss Σ weights ⊙ value; empty for frozen ones
};

inline Index place(Arena& arena, const Choice& choice) {
  if (choice.items() == choice.rows && choice.row == each(choice.rows).row) return identity(choice.rows);
  if (!std::is_sorted(choice.row.begin(), choice.row.end())) return make_index(arena, choice.row, choice.rows);
  auto offsets = arena.array<int64_t>(choice.rows + 1);
  for (int64_t r = 0; r <= choice.rows; ++r)
    offsets[r] = std::lower_bound(choice.row.begin(), choice.row.end(), r) - choice.row.begin();
  return make_segments(arena, offsets);
}

enum class Gradients { none, set, added };

// A matrix of the arena's device with these numbers.
inline Mat copied(Arena& arena, const float* from, int64_t rows, int64_t cols) {
  const Mat x = arena.mat(rows, cols);
  copy_in(from, x);
  return x;
}

// On a GPU the guards stay behind on the host: what is written over an edge there is for compute-sanitizer to see.
inline Outcome run(const OpCase& c, Gradients mode, Device device = Device::cpu) {
  Arena arena(device);
  Tape tape(arena, mode != Gradients::none);
  struct Place {
    Guarded value, grad;
    bool started = false;
    Mat on_device[2] = {};
  };
  std::vector<std::unique_ptr<Place>> places;
  Operands operands;
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    const Input& in = c.inputs[k];
    const int64_t n = in.rows * in.cols;
    Place& p = *places.emplace_back(new Place{Guarded(n), Guarded(n)});
    const auto values = input_values(c, k);
    std::copy(values.begin(), values.end(), p.value.data());
    if (mode == Gradients::added && in.wanted) {
      p.started = true;
      for (int64_t i = 0; i < n; ++i) p.grad.data()[i] = before(i);
    }
    Mat value{p.value.data(), in.rows, in.cols}, grad{p.grad.data(), in.rows, in.cols};
    if (device != Device::cpu) {
      p.on_device[0] = value = copied(arena, value.data, in.rows, in.cols);
      p.on_device[1] = grad = copied(arena, grad.data, in.rows, in.cols);
    }
    operands.x.push_back(in.wanted ? tape.leaf(value, grad, &p.started) : tape.constant(value));
  }
  for (const Choice& choice : c.choices) {
    operands.index.push_back(place(arena, choice));
    operands.row.push_back(choice.row.data());
  }

  const Var y = c.on_tape(tape, operands);
  Outcome out;
  out.value = Matrix64(y->value.rows, y->value.cols);
  const std::vector<float> result = values_of(y->value);
  out.value.values.assign(result.begin(), result.end());
  if (mode != Gradients::none) {
    EXPECT_TRUE(y->wanted);
    const auto weights = output_weights(c, y->value.size());
    const Var loss = tape.result(1, 1, true);
    tape.record([&] {
      const auto g = tape.gradient(y);
      std::vector<float> sum = g.add ? values_of(g.mat) : std::vector<float>(weights.size(), 0.0f);
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += weights[i];
      copy_in(sum.data(), g.mat);
    });
    tape.backward(loss);
  }

  for (size_t k = 0; k < c.inputs.size(); ++k) {
    Place& p = *places[k];
    if (device != Device::cpu) {
      copy_out(p.on_device[0], p.value.data());
      copy_out(p.on_device[1], p.grad.data());
    }
    EXPECT_TRUE(p.value.intact() && p.grad.intact()) << "input " << k << ": something was written over its edge";
    EXPECT_EQ(p.value.values(), input_values(c, k)) << "input " << k << " was changed";
    // A gradient nobody started stands for zero.
    out.grad.push_back(c.inputs[k].wanted && mode != Gradients::none
                           ? (p.started ? p.grad.values() : std::vector<float>(p.grad.values().size(), 0.0f))
                           : std::vector<float>());
  }
  return out;
}

// The case's inputs in float64.
inline Operands64 operands64(const OpCase& c) {
  Operands64 in;
  in.choice = c.choices;
  for (size_t k = 0; k < c.inputs.size(); ++k) {
    Matrix64& x = in.x.emplace_back(c.inputs[k].rows, c.inputs[k].cols);
    const auto values = input_values(c, k);
    x.values.assign(values.begin(), values.end());
  }
  return in;
}

// Σ weights ⊙ value, in float64.
inline double loss64(const OpCase& c, const Operands64& in) {
  const Matrix64 y = c.in_float64(in);
  const auto weights = output_weights(c, y.rows * y.cols);
  double loss = 0;
  for (size_t i = 0; i < y.values.size(); ++i) loss += weights[i] * y.values[i];
  return loss;
}

}  // namespace nd::cases
