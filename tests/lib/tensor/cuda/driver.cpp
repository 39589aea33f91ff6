// A GPU's stand-in (lib/tensor/cuda/driver.h): its memory is a piece of ours that nobody may touch while no kernel
// runs, so host code that reads or writes what should lie on the device dies at once. That a kernel reads memory of the
// host is not noticed here; on a GPU it is.
#include "lib/tensor/cuda/driver.h"

#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

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
struct Open {
  Open() { gpu().touch(true); }
  ~Open() { gpu().touch(false); }
};

void before_kernel() { gpu().touch(true); }
void after_kernel() { gpu().touch(false); }

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

void start_emulation() {
  emulation().before = before_kernel;
  emulation().after = after_kernel;
}

std::string what_is_missing() {
  start_emulation();
  return "";
}

std::byte* allocate(size_t bytes) {
  const size_t room = (bytes + kPage) / kPage * kPage;
  std::byte* piece;
  const std::lock_guard lock(gpu().mutex);
  if (const auto found = gpu().spare.find(room); found != gpu().spare.end()) {
    piece = found->second;
    gpu().spare.erase(found);
  } else {
    if (gpu().used + room > kRoom) throw std::bad_alloc();
    piece = gpu().base + gpu().used;
    gpu().used += room;
  }
  gpu().pieces[piece] = room;
  const Open open;
  std::memset(piece, 0xFF, bytes);  // not numbers: what was not written is not there
  return piece;
}
void release(std::byte* memory) {
  const std::lock_guard lock(gpu().mutex);
  const auto found = gpu().pieces.find(memory);
  gpu().spare.emplace(found->second, memory);
  gpu().pieces.erase(found);
}

std::byte* allocate_pinned(size_t bytes) {
  return static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes + kPage) / kPage * kPage));
}
void release_pinned(std::byte* memory) { std::free(memory); }

void copy_to_device(void* to, const void* from, size_t bytes) {
  if (!gpu().holds(to) || gpu().holds(from)) std::abort();
  const Open open;
  std::memcpy(to, from, bytes);
}
void copy_to_host(void* to, const void* from, size_t bytes) {
  if (gpu().holds(to) || !gpu().holds(from)) std::abort();
  const Open open;
  std::memcpy(to, from, bytes);
}
void synchronize() {}

void start_busy_clock() {}
double stop_busy_clock() { return NAN; }

void allow_tf32(bool allowed) { tf32() = allowed; }

// As BLAS has it, element by element.
void sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda,
           const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  const Open open;
  if (lda < (transpose_a ? k : m) || ldb < (transpose_b ? n : k) || ldc < m) std::abort();
  for (int64_t j = 0; j < n; ++j)
    for (int64_t i = 0; i < m; ++i) {
      float sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += factor(transpose_a ? a[i * lda + l] : a[l * lda + i]) *
               factor(transpose_b ? b[l * ldb + j] : b[j * ldb + l]);
      float& to = c[j * ldc + i];
      to = beta == 0 ? sum : beta * to + sum;
    }
}

}  // namespace nd::cuda
