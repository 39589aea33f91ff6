// Work cut into fixed blocks for a few threads. lib/metrics is a leaf, so it has these lines instead of lib/tensor's
// crew.
//
// A block writes only what is its own and its size never depends on the number of threads, so results do not either.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace nd::metrics {

// Calls f(begin, end) for consecutive ranges of `grain` items of [0, n), on up to `threads` threads. Every range is
// done before this returns; of the exceptions thrown, that of the first range is rethrown.
template <class F>
void for_blocks(int64_t n, int64_t grain, int threads, F&& f) {
  const int64_t blocks = (n + grain - 1) / grain;
  std::vector<std::exception_ptr> failed(static_cast<size_t>(blocks));
  std::atomic<int64_t> next{0};
  auto work = [&] {
    for (int64_t b; (b = next.fetch_add(1)) < blocks;) {
      try {
        f(b * grain, std::min(n, (b + 1) * grain));
      } catch (...) {
        failed[static_cast<size_t>(b)] = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> others;
  for (int64_t t = 1; t < std::min<int64_t>(threads, blocks); ++t) others.emplace_back(work);
  work();
  others.clear();  // joins
  for (const auto& e : failed)
    if (e) std::rethrow_exception(e);
}

}  // namespace nd::metrics
