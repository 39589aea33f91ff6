// Work cut into numbered blocks, done by a fixed crew of threads; and work done aside by one of them meanwhile.
//
// What a block is must depend on shapes only, never on the number of threads, and a block must write only what is its
// own; then results are the same bits for any crew. Sums over blocks are added up by the caller, in block order.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <type_traits>

namespace nd {

// 0 means every processor this process may use. Not while a parallel_for runs or an Aside is under way.
void set_threads(int threads);
int threads();

namespace detail {
void run_blocks(int64_t blocks, void (*body)(void*, int64_t), void* context);

struct Errand {
  std::function<void()> work;  // null where nothing is under way
  std::exception_ptr failure;
  std::atomic<bool> done{false};
};
}  // namespace detail

// Calls f(block) once for each block in [0, blocks), in any order, on any thread; returns when all are done. An
// exception thrown by f is rethrown here (the one of the lowest block). Calls from inside a block, or while another
// thread's call runs, do their blocks one after another on the calling thread.
template <class F>
void parallel_for(int64_t blocks, F&& f) {
  using Body = std::remove_reference_t<F>;
  detail::run_blocks(
      blocks, [](void* context, int64_t block) { (*static_cast<Body*>(context))(block); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Calls f(begin, end) for consecutive ranges of `grain` items of [0, n).
template <class F>
void parallel_ranges(int64_t n, int64_t grain, F&& f) {
  parallel_for((n + grain - 1) / grain, [&](int64_t block) {
    const int64_t begin = block * grain;
    f(begin, begin + grain < n ? begin + grain : n);
  });
}

// Something that is not needed yet, for a worker of the crew to do while its caller, and with it the rest of the crew,
// goes on: the processors are as many as before, and none of them waits. Blocks of a parallel_for inside it are done
// one after another there.
class Aside {
 public:
  Aside() = default;
  Aside(const Aside&) = delete;
  ~Aside() { drop(); }

  // Not while one is under way. What f refers to must live until finish or drop.
  void start(std::function<void()> f);
  // When this returns f has run: here, where no worker had begun it. Rethrows what it threw. Nothing without a start.
  void finish();
  // Forgets it: f has run or never will.
  void drop();

 private:
  // Waits for the worker that does it; false where none has begun, and then none will.
  bool ended();

  detail::Errand errand_;
};

}  // namespace nd
