// A case of tests/parity/README.md on its way into a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/io/container.h"
#include "lib/tensor/mat.h"

namespace nd {

// Collects tensors and keeps their values alive.
class CaseFile {
 public:
  void floats(const std::string& name, const float* x, std::vector<int64_t> shape) {
    int64_t n = 1;
    for (int64_t s : shape) n *= s;
    put(name, DType::F32, std::move(shape), x, n * 4);
  }
  void mat(const std::string& name, const Mat& x) { floats(name, x.data, {x.rows, x.cols}); }
  // `cols` > 0: a matrix with so many columns.
  template <class T>
  void column(const std::string& name, const std::vector<T>& x, int64_t cols = 0) {
    const DType type = sizeof(T) == 8 ? DType::I64 : sizeof(T) == 1 ? DType::U8 : DType::I32;
    const auto n = static_cast<int64_t>(x.size());
    const std::vector<int64_t> shape = cols > 0 ? std::vector<int64_t>{n / cols, cols} : std::vector<int64_t>{n};
    put(name, type, shape, x.data(), n * static_cast<int64_t>(sizeof(T)));
  }
  void ragged(const std::string& name, const std::vector<std::vector<int32_t>>& rows) {
    std::vector<int32_t> values;
    std::vector<int64_t> offsets{0};
    for (const auto& row : rows) {
      values.insert(values.end(), row.begin(), row.end());
      offsets.push_back(static_cast<int64_t>(values.size()));
    }
    column(name + ".values", values);
    column(name + ".offsets", offsets);
  }
  void write(const std::string& path, const std::string& tool, json::Value options) {
    write_container(path, {.kind = "parity/1", .tool = tool, .options = std::move(options)}, tensors_);
  }

 private:
  void put(const std::string& name, DType type, std::vector<int64_t> shape, const void* data, int64_t bytes) {
    const auto* b = static_cast<const std::byte*>(data);
    auto& kept = kept_.emplace_back(std::make_unique<std::vector<std::byte>>(b, b + bytes));
    tensors_.push_back({name, type, std::move(shape), *kept});
  }
  std::vector<std::unique_ptr<std::vector<std::byte>>> kept_;
  std::vector<TensorView> tensors_;
};

}  // namespace nd
