// Mirrored memory, and what a call needs (call.h).
#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "lib/tensor/arena.h"
#include "lib/tensor/cuda/call.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/cuda/team.h"

namespace nd::cuda {
namespace {

// A piece of host memory, its twin, and which arrays of it are on the device: how many bytes of each, by its place.
struct Mirror {
  size_t bytes = 0;
  std::byte* twin = nullptr;
  std::map<size_t, size_t> there;
  size_t sent = 0;          // so much from its start on is there in any case
  uint64_t on_the_way = 0;  // the mark by which no copy reads or writes the host's side any more
};
constexpr size_t kNeverCopied = ~size_t{0};  // written by kernels

// All of them, by their place. An arena may be filled on another thread while operations read others: each mirror has
// one user at a time, but where they are found is everybody's.
struct Mirrors {
  std::mutex mutex;
  std::map<const std::byte*, Mirror, std::less<>> at;
};
// Never destroyed: what outlives main still gives its memory back to them.
Mirrors& mirrors() {
  static auto& all = *new Mirrors;
  return all;
}
// The mirror that holds this place, and the place's offset.
std::pair<Mirror*, size_t> mirror_of(const void* place) {
  const auto* at = static_cast<const std::byte*>(place);
  const std::lock_guard lock(mirrors().mutex);
  auto next = mirrors().at.upper_bound(at);
  if (next == mirrors().at.begin()) return {nullptr, 0};
  auto& [host, mirror] = *--next;
  const auto offset = static_cast<size_t>(at - host);
  return offset < mirror.bytes ? std::pair{&mirror, offset} : std::pair<Mirror*, size_t>{nullptr, 0};
}

Arena& pool() {
  static auto& instance = *new Arena(Device::cuda);
  return instance;
}
int depth = 0;  // of calls inside calls

// Where memory is read that may be gone when a recorded step runs.
void must_not_record() {
  if (recording()) throw std::logic_error("a step that is being recorded reads memory that is not an arena's");
}

}  // namespace

std::byte* allocate_mirrored(size_t bytes) {
  std::byte* const host = allocate_pinned(bytes);
  try {
    std::byte* const twin = allocate(bytes);
    const std::lock_guard lock(mirrors().mutex);
    mirrors().at[host] = {bytes, twin, {}, 0, 0};
  } catch (...) {
    release_pinned(host);
    throw;
  }
  return host;
}

// The GPU may still be copying, from what lies there or to it.
void release_mirrored(std::byte* memory) {
  Mirror gone;
  {
    const std::lock_guard lock(mirrors().mutex);
    const auto found = mirrors().at.find(memory);
    if (found == mirrors().at.end()) return;
    gone = std::move(found->second);
    mirrors().at.erase(found);
  }
  release(gone.twin);
  try {
    wait_for(gone.on_the_way);
  } catch (const std::exception&) {
    return;  // of a lost device, or a step that is still being recorded: nobody knows when the copies end
  }
  release_pinned(memory);
}

void renew(std::byte* memory) {
  Mirror& mirror = *mirror_of(memory).first;
  wait_for(mirror.on_the_way);
  mirror.there.clear();
  mirror.sent = 0;
  mirror.on_the_way = 0;
}

void send(std::byte* memory, size_t bytes) {
  if (bytes == 0) return;
  Mirror& mirror = *mirror_of(memory).first;
  copy_to_device(mirror.twin, memory, bytes);
  mirror.on_the_way = next_mark();
  mirror.sent = bytes;
}

void copy_in(void* to, const void* from, size_t bytes) {
  Mirror* const mirror = mirror_of(from).first;
  if (!mirror) must_not_record();
  copy_to_device(to, from, bytes);
  if (mirror) mirror->on_the_way = next_mark();  // after the copy: others set marks, too
}

void copy_out_later(void* to, const void* from, size_t bytes) {
  copy_to_host_later(to, from, bytes);
  mirror_of(to).first->on_the_way = next_mark();
}

void set_all(const Mat& x, float value) {
  float* const to = x.data;
  each(x.size(), [=] ND_KERNEL(int64_t i) { to[i] = value; });
}

Call::Call() { ++depth; }
Call::~Call() {
  if (--depth == 0) pool().reset();
}

const void* Call::read(const void* host, size_t bytes) {
  if (!host) return nullptr;
  const auto [mirror, offset] = mirror_of(host);
  if (!mirror) {
    must_not_record();
    void* const copy = scratch(static_cast<int64_t>(bytes + 3) / 4);
    if (bytes > 0) copy_to_device(copy, host, bytes);
    return copy;
  }
  if (offset + bytes <= mirror->sent) return mirror->twin + offset;
  size_t& there = mirror->there[offset];
  if (there < bytes) {
    copy_to_device(mirror->twin + offset, host, bytes);
    mirror->on_the_way = next_mark();
    there = bytes;
  }
  return mirror->twin + offset;
}

void* Call::written(void* array) {
  const auto [mirror, offset] = mirror_of(array);
  if (!mirror) throw std::logic_error("an operation's result lies in memory that the GPU does not know");
  mirror->there[offset] = kNeverCopied;
  return mirror->twin + offset;
}

Index Call::in(const Index& index) {
  Index there = index;
  there.row = in(index.row, index.items);
  there.offsets = index.offsets ? in(index.offsets, index.rows + 1) : nullptr;
  there.item = in(index.item, index.items);
  return there;
}

Tables Call::in(std::span<const Table> tables) {
  Tables out{};
  out.count = static_cast<int>(tables.size());
  for (int j = 0; j < out.count; ++j) out.table[j] = in(tables[static_cast<size_t>(j)]);
  return out;
}

float* Call::scratch(int64_t count) { return pool().mat(1, std::max<int64_t>(count, 1)).data; }

}  // namespace nd::cuda
