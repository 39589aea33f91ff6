// The memory of one training step: handed out front to back, released all at once, kept for the next step.
//
// A step that needs more than is held gets further blocks; the next reset makes one block of them all. So once the
// largest step has been seen nothing is asked of the system any more, and what is held stays near what that step needs.
//
// On a GPU, matrices are its memory, and everything else (indexes, closures) is host memory with a twin on the GPU,
// into which operations copy what they read. So an array is filled before an operation first reads it, and not changed
// after.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "lib/tensor/device.h"
#include "lib/tensor/mat.h"

namespace nd {

class Arena {
 public:
  explicit Arena(Device on = nd::device())
      : device_(on),
        bytes_(on == Device::cpu ? Memory::host : Memory::mirrored),
        mats_(on == Device::cpu ? Memory::host : Memory::device) {}
  Arena(const Arena&) = delete;

  Device device() const { return device_; }

  // 64-byte aligned, uninitialised. std::bad_alloc when the system has no more, Error when the GPU has.
  void* bytes(size_t count) { return bytes_.take(count); }
  template <class T>
  std::span<T> array(int64_t count) {
    return {static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T))), static_cast<size_t>(count)};
  }
  // Of a vector or a span.
  template <class List>
  std::span<typename List::value_type> copy(const List& from) {
    const auto to = array<typename List::value_type>(std::ssize(from));
    std::copy(from.begin(), from.end(), to.begin());
    return to;
  }
  Mat mat(int64_t rows, int64_t cols) {
    Pool& pool = device_ == Device::cpu ? bytes_ : mats_;
    return {static_cast<float*>(pool.take(static_cast<size_t>(rows * cols) * sizeof(float))), rows, cols, device_};
  }

  // Everything handed out so far is void; its memory is used again.
  void reset() {
    bytes_.reset();
    mats_.reset();
  }
  // On a GPU, brings everything over in one copy, but matrices, which are there; else operations bring array by array
  // what they read. Once all arrays are filled, and before any operation writes to one.
  void send() { bytes_.send(); }
  // Bytes held from the system, twins not counted.
  size_t held() const { return bytes_.held() + mats_.held(); }

 private:
  // Memory of one kind.
  class Pool {
   public:
    explicit Pool(Memory kind) : kind_(kind) {}
    void* take(size_t count);
    void reset();
    void send();
    size_t held() const;

   private:
    struct Release {
      Memory kind;
      void operator()(std::byte* p) const;
    };
    struct Block {
      Block(Memory kind, size_t bytes);
      size_t size;
      std::unique_ptr<std::byte[], Release> memory;
    };
    Memory kind_;
    std::vector<Block> blocks_;
    size_t used_ = 0;  // of the last block
  };

  Device device_;
  Pool bytes_, mats_;
};

}  // namespace nd
