// The memory of one training step: handed out front to back, released all at once, kept for the next step.
//
// A step that needs more than is held gets further blocks; the next reset makes one block of them all. So once the
// largest step has been seen nothing is asked of the system any more, and what is held stays near what that step needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/tensor/mat.h"

namespace nd {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;

  // 64-byte aligned, uninitialised. std::bad_alloc when the system has no more.
  void* bytes(size_t count);
  template <class T>
  std::span<T> array(int64_t count) {
    return {static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T))), static_cast<size_t>(count)};
  }
  Mat mat(int64_t rows, int64_t cols) { return {array<float>(rows * cols).data(), rows, cols}; }

  // Everything handed out so far is void; its memory is used again.
  void reset();
  // Bytes held from the system.
  size_t held() const;

 private:
  struct Release {
    void operator()(std::byte* p) const;
  };
  struct Block {
    explicit Block(size_t bytes);
    size_t size;
    std::unique_ptr<std::byte[], Release> memory;
  };
  std::vector<Block> blocks_;
  size_t used_ = 0;  // of the last block
};

}  // namespace nd
