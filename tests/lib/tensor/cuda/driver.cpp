// A GPU's stand-in (lib/tensor/cuda/driver.h): its memory is a piece of ours that nobody may touch while no kernel
// runs, so host code that reads or writes what should lie on the device dies at once. That a kernel reads memory of the
// host is not noticed here; on a GPU it is.
//
// What is asked for is done at once, but a recorded step as late as it may be: when somebody waits for it, or asks for
// something that comes after. So who changes what the step still has to read gets other numbers.
//
// Its memory is as large as ND_STANDIN_MIB says, up to kRoom.
#include "lib/tensor/cuda/driver.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "lib/io/error.h"
#include "lib/tensor/cuda/team.h"
#include "tests/lib/tensor/cuda/emulated.h"

namespace nd::cuda {
namespace {

constexpr size_t kRoom = size_t{4} << 30, kPage = 4096;

// Address space for all of the device's memory, of which only what is used costs anything. It is opened and closed as a
// whole, which with huge pages takes no time.
struct Gpu {
  std::byte* base =
      static_cast<std::byte*>(mmap(nullptr, kRoom, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  size_t used = 0;
  std::map<const std::byte*, size_t> pieces;  // by place, those in use
  std::multimap<size_t, std::byte*> spare;    // by size, those given back
  int open = 0;
  std::recursive_mutex mutex;  // a training's steps are prepared by other threads

  Gpu() { madvise(base, kRoom, MADV_HUGEPAGE); }
  void touch(bool may) {
    const std::lock_guard lock(mutex);
    if (may ? open++ > 0 : --open > 0) return;
    if (mprotect(base, kRoom, may ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) std::abort();
  }
  bool holds(const void* place) {
    const std::lock_guard lock(mutex);
    return place >= base && place < base + used;
  }
};
Gpu& gpu() {
  static auto& instance = *new Gpu;
  return instance;
}
size_t most() {
  static const char* const mib = std::getenv("ND_STANDIN_MIB");
  return mib ? std::min<size_t>(kRoom, std::strtoull(mib, nullptr, 10) << 20) : kRoom;
}
struct Open {
  Open() { gpu().touch(true); }
  ~Open() { gpu().touch(false); }
};

// What is to be done, in order.
using Work = std::function<void()>;
struct Queue {
  std::recursive_mutex mutex;
  uint64_t marks = 0;  // set so far
  bool recording = false;
  std::thread::id recorder;
  std::vector<Work> recorded;
  std::deque<std::pair<uint64_t, std::vector<Work>>> started;  // each with the mark behind it
  RecordedCounts counts;
  size_t last = 0;  // how much there was to be done in the step before

  void run_started(uint64_t until) {
    while (!started.empty() && started.front().first <= until) {
      const std::vector<Work> step = std::move(started.front().second);
      started.pop_front();
      for (const Work& work : step) work();
    }
  }
};
Queue& queue() {
  static auto& instance = *new Queue;
  return instance;
}
void ask(Work work) {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  if (q.recording) {
    if (q.recorder != std::this_thread::get_id())
      throw std::logic_error("the GPU is asked for something beside the step that is being recorded");
    q.recorded.push_back(std::move(work));
  } else {
    q.run_started(q.marks);
    work();
  }
}
void launch_kernel(Work kernel) {
  ask([kernel = std::move(kernel)] {
    const Open open;
    kernel();
  });
}

std::atomic<uint64_t> asked_for = 0;  // pieces of memory

bool& tf32() {
  static bool allowed = false;
  return allowed;
}
// To the nearest number of TF32, which has ten bits behind the point.
float factor(float x) {
  if (!tf32()) return x;
  const auto bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0xFFF + (bits >> 13 & 1)) & ~0x1FFFu);
}

}  // namespace

void start_emulation() { emulation().launch = launch_kernel; }

std::string what_is_missing() {
  start_emulation();
  return "";
}

uint64_t allocations() { return asked_for; }

std::byte* allocate(size_t bytes) {
  ++asked_for;
  const size_t room = (bytes + kPage) / kPage * kPage;
  std::byte* piece;
  const std::lock_guard lock(gpu().mutex);
  if (const auto found = gpu().spare.find(room); found != gpu().spare.end()) {
    piece = found->second;
    gpu().spare.erase(found);
  } else {
    if (gpu().used + room > most())
      throw Error("--device cuda: out of GPU memory; use a smaller --batch, or --device cpu");
    piece = gpu().base + gpu().used;
    gpu().used += room;
  }
  gpu().pieces[piece] = room;
  const Open open;
  std::memset(piece, 0xFF, bytes);  // not numbers: what was not written is not there
  return piece;
}
void release(std::byte* memory) {
  const auto back = [memory] {
    const std::lock_guard lock(gpu().mutex);
    const auto found = gpu().pieces.find(memory);
    gpu().spare.emplace(found->second, memory);
    gpu().pieces.erase(found);
  };
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  if (q.recording) q.recorded.push_back(back);
  else if (!q.started.empty()) q.started.back().second.push_back(back);
  else back();
}

std::byte* allocate_pinned(size_t bytes) {
  ++asked_for;
  return static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes + kPage) / kPage * kPage));
}
void release_pinned(std::byte* memory) { std::free(memory); }

void copy_to_device(void* to, const void* from, size_t bytes) {
  if (!gpu().holds(to) || gpu().holds(from)) std::abort();
  ask([=] {
    const Open open;
    std::memcpy(to, from, bytes);
  });
}
void copy_to_host_later(void* to, const void* from, size_t bytes) {
  if (gpu().holds(to) || !gpu().holds(from)) std::abort();
  ask([=] {
    const Open open;
    std::memcpy(to, from, bytes);
  });
}
void copy_to_host(void* to, const void* from, size_t bytes) {
  if (recording()) throw std::logic_error("a step reads what it computes while it is being recorded");
  copy_to_host_later(to, from, bytes);
}
void synchronize() { wait_for(next_mark()); }

uint64_t mark() {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  return q.recording ? q.marks + 1 : ++q.marks;
}
uint64_t next_mark() {
  const std::lock_guard lock(queue().mutex);
  return queue().marks + 1;
}
void wait_for(uint64_t mark) {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  if (mark > q.marks) {
    if (q.recording) throw std::logic_error("a step waits for itself while it is being recorded");
    q.marks = mark;
  }
  // On a GPU it may well be done already, or have to be waited for while nothing more is asked of it.
  thread_local uint64_t waited = 0;
  if (!recording()) waited = std::max(waited, mark);
  else if (mark > waited) throw std::logic_error("a step waits in its middle for the one before");
  q.run_started(mark);
}
void begin_recording() {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  ++q.marks;
  q.recording = true;
  q.recorder = std::this_thread::get_id();
}
void start_recorded() {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  q.recording = false;
  ++q.counts.started;
  if (std::exchange(q.last, q.recorded.size()) != q.recorded.size()) ++q.counts.built;
  q.started.emplace_back(++q.marks, std::exchange(q.recorded, {}));
}
void drop_recording() {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  q.recording = false;
  q.recorded.clear();
}
bool recording() {
  Queue& q = queue();
  const std::lock_guard lock(q.mutex);
  return q.recording && q.recorder == std::this_thread::get_id();
}
RecordedCounts recorded_counts() { return queue().counts; }

void start_busy_clock() {}
double stop_busy_clock() { return NAN; }

void allow_tf32(bool allowed) { tf32() = allowed; }

// As BLAS has it, element by element.
void sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
           const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  if (lda < (transpose_a ? k : m) || ldb < (transpose_b ? n : k) || ldc < m) std::abort();
  launch_kernel([=] {
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < m; ++i) {
        float sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += factor(transpose_a ? a[i * lda + l] : a[l * lda + i]) *
                 factor(transpose_b ? b[l * ldb + j] : b[j * ldb + l]);
        float& to = c[j * ldc + i];
        to = beta == 0 ? sum : beta * to + sum;
      }
  });
}

}  // namespace nd::cuda
