// What one operation has of memory while it runs: device copies of the index arrays that it reads, and scratch.
//
// An array from an Arena has a twin on the device: it is copied there when an operation first reads it, and never again
// until the arena is reset. Any other host array is copied for the call. Everything is on one stream, so the next
// operation may use the same memory at once, and a steady state allocates nothing.
#pragma once

#include <cstdint>
#include <span>

#include "lib/tensor/index.h"
#include "lib/tensor/ops.h"

namespace nd::cuda {

// Up to five tables, in a form that a kernel can hold.
struct Tables {
  Table table[5];
  int count;
};

class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;

  // `count` numbers that a kernel reads; null stays null.
  template <class T>
  const T* in(const T* host, int64_t count) {
    return static_cast<const T*>(read(host, static_cast<size_t>(count) * sizeof(T)));
  }
  template <class T>
  const T* in(std::span<const T> host) {
    return in(host.data(), static_cast<int64_t>(host.size()));
  }
  Index in(const Index& index);
  Table in(const Table& table) { return {table.values, in(table.index)}; }
  Tables in(std::span<const Table> tables);
  // An array of an Arena that kernels write and later ones read; its host side is never used.
  template <class T>
  T* out(T* array) {
    return static_cast<T*>(written(array));
  }
  float* scratch(int64_t count);
  Mat scratch(int64_t rows, int64_t cols) { return {scratch(rows * cols), rows, cols, Device::cuda}; }
  // Scratch of which the host knows nothing, brought over.
  template <class T>
  T* bytes_like(int64_t count) {
    return reinterpret_cast<T*>(scratch((count * static_cast<int64_t>(sizeof(T)) + 3) / 4));
  }

 private:
  const void* read(const void* host, size_t bytes);
  void* written(void* array);
};

}  // namespace nd::cuda
