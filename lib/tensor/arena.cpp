#include "lib/tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace nd {
namespace {
constexpr size_t kAlign = 64;
constexpr size_t kBlock = 16 << 20;
constexpr size_t kHugePage = 2 << 20;
}  // namespace

void Arena::Release::operator()(std::byte* p) const { std::free(p); }

void* Arena::bytes(size_t count) {
  count = (count + kAlign - 1) / kAlign * kAlign;
  while (block_ < blocks_.size() && used_ + count > blocks_[block_].size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t size = (std::max(count, kBlock) + kHugePage - 1) / kHugePage * kHugePage;
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kHugePage, size));
    if (!memory) throw std::bad_alloc();
    madvise(memory, size, MADV_HUGEPAGE);  // rows are gathered at random: fewer TLB misses; only a hint
    blocks_.push_back({std::unique_ptr<std::byte[], Release>(memory), size});
    used_ = 0;
  }
  void* out = blocks_[block_].memory.get() + used_;
  used_ += count;
  return out;
}

void Arena::reset() { block_ = used_ = 0; }

size_t Arena::held() const {
  size_t sum = 0;
  for (const auto& b : blocks_) sum += b.size;
  return sum;
}

}  // namespace nd
