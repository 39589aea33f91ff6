#include "lib/tensor/arena.h"

#include <algorithm>

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

Arena::Pool::Block::Block(Memory kind, size_t bytes)
    : size(round_up(bytes, kHugePage)), memory(allocate(kind, size), Release{kind}) {
  if (kind != Memory::device) ASAN_POISON_MEMORY_REGION(memory.get(), size);
}

void Arena::Pool::Release::operator()(std::byte* p) const { release(kind, p); }

void* Arena::Pool::take(size_t count) {
  const size_t room = round_up(count, kAlign);
  if (blocks_.empty() || used_ + room > blocks_.back().size) {
    blocks_.emplace_back(kind_, std::max(room, kBlock));
    used_ = 0;
  }
  void* out = blocks_.back().memory.get() + used_;
  if (kind_ != Memory::device) ASAN_UNPOISON_MEMORY_REGION(out, count);
  used_ += room;
  return out;
}

void Arena::Pool::reset() {
  used_ = 0;
  if (blocks_.size() > 1) {
    const size_t all = held();
    blocks_.clear();
    blocks_.emplace_back(kind_, all);
  } else if (!blocks_.empty()) {
    if (kind_ == Memory::mirrored) renew(blocks_[0].memory.get());
    if (kind_ != Memory::device) ASAN_POISON_MEMORY_REGION(blocks_[0].memory.get(), blocks_[0].size);
  }
}

void Arena::Pool::send() {
  if (kind_ != Memory::mirrored) return;
  for (const Block& b : blocks_) {
    const size_t used = &b == &blocks_.back() ? used_ : b.size;
    ASAN_UNPOISON_MEMORY_REGION(b.memory.get(), used);  // what lies between arrays goes with them
    nd::send(b.memory.get(), used);
  }
}

size_t Arena::Pool::held() const {
  size_t sum = 0;
  for (const auto& b : blocks_) sum += b.size;
  return sum;
}

}  // namespace nd
