#include "lib/tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

namespace nd {
namespace {
constexpr size_t kAlign = 64;
constexpr size_t kBlock = 16 << 20;
constexpr size_t kHugePage = 2 << 20;

size_t round_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }
}  // namespace

Arena::Block::Block(size_t bytes)
    : size(round_up(bytes, kHugePage)), memory(static_cast<std::byte*>(std::aligned_alloc(kHugePage, size))) {
  if (!memory) throw std::bad_alloc();
  madvise(memory.get(), size, MADV_HUGEPAGE);  // rows are gathered at random: fewer TLB misses; only a hint
  ASAN_POISON_MEMORY_REGION(memory.get(), size);
}

void Arena::Release::operator()(std::byte* p) const { std::free(p); }

void* Arena::bytes(size_t count) {
  const size_t room = round_up(count, kAlign);
  if (blocks_.empty() || used_ + room > blocks_.back().size) {
    blocks_.emplace_back(std::max(room, kBlock));
    used_ = 0;
  }
  void* out = blocks_.back().memory.get() + used_;
  ASAN_UNPOISON_MEMORY_REGION(out, count);
  used_ += room;
  return out;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    const size_t all = held();
    blocks_.clear();
    blocks_.emplace_back(all);
  } else if (!blocks_.empty()) {
    ASAN_POISON_MEMORY_REGION(blocks_[0].memory.get(), blocks_[0].size);
  }
  used_ = 0;
}

size_t Arena::held() const {
  size_t sum = 0;
  for (const auto& b : blocks_) sum += b.size;
  return sum;
}

}  // namespace nd
