// Immutable columns: what every exchanged file is made of once it is in memory.
//
// An Array points at values that something else keeps alive: a vector it took over, or a whole mapped file.
// Copying one is cheap, so structs of columns pass by value, and opening a file copies no column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace nd {

template <class T>
class Array {
 public:
  using value_type = T;

  Array() = default;
  // Takes the vector over.
  Array(std::vector<T> values) {
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    view_ = {owner->data(), owner->size()};
    keep_ = std::move(owner);
  }
  // Looks at values that `keep` owns.
  Array(std::shared_ptr<const void> keep, std::span<const T> view) : keep_(std::move(keep)), view_(view) {}

  const T* data() const { return view_.data(); }
  int64_t size() const { return static_cast<int64_t>(view_.size()); }
  bool empty() const { return view_.empty(); }
  const T& operator[](int64_t i) const { return view_[static_cast<size_t>(i)]; }
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }
  std::span<const T> span() const { return view_; }
  operator std::span<const T>() const { return view_; }

 private:
  std::shared_ptr<const void> keep_;
  std::span<const T> view_;
};

// Rows of different lengths: row i is values[offsets[i] .. offsets[i + 1]). offsets has one entry more than rows.
template <class T>
struct Ragged {
  using value_type = T;

  Array<T> values;
  Array<int64_t> offsets = std::vector<int64_t>{0};

  int64_t size() const { return offsets.size() - 1; }
  std::span<const T> operator[](int64_t i) const {
    return values.span().subspan(static_cast<size_t>(offsets[i]), static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
};

// A column of UTF-8 strings, stored as a ragged column of bytes.
struct Strings : Ragged<uint8_t> {
  std::string_view operator[](int64_t i) const {
    return {reinterpret_cast<const char*>(values.data()) + offsets[i],
            static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }
};

// A row-major matrix of floats; `stored` is the element type on disk (memory always holds float32).
enum class Stored : uint8_t { f32, f16, bf16 };
struct Matrix {
  Array<float> values;
  int64_t rows = 0;
  int64_t cols = 0;
  Stored stored = Stored::f32;

  std::span<const float> operator[](int64_t i) const {
    return values.span().subspan(static_cast<size_t>(i * cols), static_cast<size_t>(cols));
  }
};

// Growing ends of the above.
template <class T>
class RaggedBuilder {
 public:
  void reserve(size_t values) { values_.reserve(values); }
  void push(T value) { values_.push_back(value); }
  template <class Row>
  void append(const Row& row) {
    values_.insert(values_.end(), row.begin(), row.end());
  }
  void end_row() { offsets_.push_back(static_cast<int64_t>(values_.size())); }
  int64_t size() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  Ragged<T> take() {
    Ragged<T> out{std::move(values_), std::move(offsets_)};
    *this = {};
    return out;
  }

 private:
  std::vector<T> values_;
  std::vector<int64_t> offsets_{0};
};

class StringsBuilder {
 public:
  void push(std::string_view text) {
    rows_.append(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
    rows_.end_row();
  }
  int64_t size() const { return rows_.size(); }
  Strings take() { return Strings{rows_.take()}; }

 private:
  RaggedBuilder<uint8_t> rows_;
};

}  // namespace nd
