// A model's trainable tensors by name: their start, their gradients, their optimiser's moments, their file.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/params.h"
#include "lib/tensor/ops.h"
#include "lib/tensor/tape.h"

namespace nd {

enum class Init : uint8_t {
  zeros,
  ones,
  uniform,         // U(±scale)
  normal,          // N(0, scale²)
  glorot_uniform,  // U(±sqrt(6 / (rows + cols))), Glorot and Bengio 2010: for layers
  small_normal,    // N(0, 0.01² · 2 / (rows + cols)): for embedding tables that are added to other vectors
};

struct Parameter {
  std::string name;
  Mat value, grad, m, v;
  bool started = false;    // grad holds something of this step
  bool decayed = true;     // the L2 term counts it
  bool embedding = false;  // a table whose rows are used one by one (see OptimiserOptions::sparse_rows)
};

struct OptimiserOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double l2 = 1e-5;
  std::string l2_mode = "coupled";  // coupled (in the gradient), decoupled (AdamW), none
  double clip = 0;           // the gradient of everything together is scaled to this norm where it is longer; 0: never
  bool sparse_rows = false;  // embedding rows without a gradient in this step keep value, moments and decay untouched;
                             // cheaper on large tables, and another optimiser than dense Adam
};

class Parameters {
 public:
  Parameters() = default;
  // Parameters of a trained model, for use only: add() takes the value of that name from `trained`, which must outlive
  // this, instead of starting it, and there are no gradients and moments. What add() cannot find there in the wanted
  // shape is an Error (without a path) before anything is allocated.
  explicit Parameters(const std::map<std::string, Matrix>* trained) : trained_(trained) {}
  Parameters(const Parameters&) = delete;

  // Starts a parameter from (seed, name) alone: adding another one changes nothing for this one. `scale` is for uniform
  // and normal.
  Parameter& add(const std::string& name, int64_t rows, int64_t cols, Init init, uint64_t seed, bool embedding = false,
                 double scale = 1);
  // nullptr when there is none of that name.
  Parameter* find(std::string_view name);
  std::deque<Parameter>& all() { return list_; }
  int64_t count() const;  // numbers in all

  // The parameter as a tape's leaf. Throws std::logic_error for an unknown name.
  Var on(Tape& tape, std::string_view name);

  // Forgets the gradients of the last step.
  void clear_gradients();
  // One step of Adam on everything; a parameter without a gradient has gradient zero. `t` counts from 1. With `clip`
  // the gradient's norm is that of all parameters together (Pascanu et al. 2013).
  void step(const OptimiserOptions& options, int64_t t);

  // Values to and from a file's tensors; `prefix` is put in front of the names. reading throws Error (without a path)
  // when a tensor is missing, of another shape or not finite.
  void write(std::map<std::string, Matrix>& tensors, const std::string& prefix, Mat Parameter::*what) const;
  void read(const std::map<std::string, Matrix>& tensors, const std::string& prefix, Mat Parameter::*what);

 private:
  const Mat& squared_norm();  // of all gradients

  const std::map<std::string, Matrix>* trained_ = nullptr;
  std::deque<Parameter> list_;  // a deque, so that leaves may keep pointers
  Arena memory_;
  Mat norm_;  // (1,1), of the gradient
};

}  // namespace nd
