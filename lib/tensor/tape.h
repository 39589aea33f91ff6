// Reverse-mode differentiation: every operation leaves a closure that turns its result's gradient into its inputs'.
//
// All values, gradients and closures of a step live in one arena and vanish with it. A gradient buffer is set by the
// first closure that writes it and added to by later ones, so it is never cleared.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/device.h"
#include "lib/tensor/mat.h"

namespace nd {

// A value on the tape. Var is how operations take and return them.
struct Node {
  Mat value;
  Mat grad;
  bool wanted = false;              // somebody asks for the gradient
  bool started = false;             // grad holds something
  bool* started_outside = nullptr;  // a leaf's flag lives with its parameter
};
using Var = Node*;

class Tape {
 public:
  // With record off (inference) nothing is kept but values.
  explicit Tape(Arena& arena, bool record = true) : arena_(arena), record_(record) {}

  Arena& arena() { return arena_; }
  bool recording() const { return record_; }

  // A value without a gradient: features, frozen tables. What lies elsewhere than the arena's matrices is copied.
  Var constant(const Mat& value) { return node({to_device(arena_, value)}); }
  // A parameter: its gradient is written to `grad`, and *started says whether that holds anything yet.
  Var leaf(const Mat& value, const Mat& grad, bool* started) {
    return node({value, grad, record_, false, record_ ? started : nullptr});
  }
  // An operation's result; wanted when any input's gradient is.
  Var result(int64_t rows, int64_t cols, bool wanted) {
    return node({arena_.mat(rows, cols), {}, record_ && wanted, false, nullptr});
  }
  // The same for a result that was computed in place already.
  Var result(const Mat& value, bool wanted) { return node({value, {}, record_ && wanted, false, nullptr}); }

  // Where to write v's gradient, and whether to add to what is there. Only for wanted nodes.
  struct Slot {
    Mat mat;
    bool add;
  };
  Slot gradient(Var v) {
    if (v->grad.empty()) v->grad = arena_.mat(v->value.rows, v->value.cols);
    bool& started = v->started_outside ? *v->started_outside : v->started;
    return {v->grad, std::exchange(started, true)};
  }

  // Called in reverse order by backward. Captures must be trivially destructible: they live in the arena.
  template <class F>
  void record(F closure) {
    static_assert(std::is_trivially_destructible_v<F>);
    if (!record_) return;
    void* place = new (arena_.bytes(sizeof(F))) F(std::move(closure));
    steps_.push_back({place, [](void* f) { (*static_cast<F*>(f))(); }});
  }

  // d loss / d everything wanted; loss is (1,1).
  void backward(Var loss) {
    if (!loss->wanted) return;
    fill(gradient(loss).mat, 1.0f);
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) step->run(step->closure);
  }

  // Forgets everything and releases the arena.
  void reset() {
    steps_.clear();
    arena_.reset();
  }

 private:
  struct Step {
    void* closure;
    void (*run)(void*);
  };
  Var node(Node n) { return new (arena_.bytes(sizeof(Node))) Node(n); }

  Arena& arena_;
  bool record_;
  std::vector<Step> steps_;
};

}  // namespace nd
