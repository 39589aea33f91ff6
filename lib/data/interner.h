// Rows by content: equal rows are stored once, and the first appearance of a row gives it the next number.
//
// Vocabulary is the common case: ids to rows. Numbers depend on the order of adding only, never on the hash.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/array.h"
#include "lib/io/error.h"

namespace nd {

template <class T>
class Interner {
 public:
  int64_t size() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  std::span<const T> operator[](int64_t row) const {
    return {values_.data() + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }

  // The number of this row, -1 when it was never added.
  int32_t find(std::span<const T> row) const {
    if (slots_.empty()) return -1;
    return slots_[probe(row, tag_of(row))].row;
  }

  // The number of this row, which is added when it is new.
  int32_t add(std::span<const T> row) {
    if (2 * (size() + 1) > static_cast<int64_t>(slots_.size())) grow();
    const uint32_t tag = tag_of(row);
    Slot& slot = slots_[probe(row, tag)];
    if (slot.row < 0) {
      if (size() == INT32_MAX) throw Error("more than 2147483647 distinct rows, expected fewer");
      slot = {tag, static_cast<int32_t>(size())};
      values_.insert(values_.end(), row.begin(), row.end());
      offsets_.push_back(static_cast<int64_t>(values_.size()));
    }
    return slot.row;
  }

  Ragged<T> take() {
    Ragged<T> out{std::move(values_), std::move(offsets_)};
    *this = {};
    return out;
  }

 private:
  // Open addressing. The tag is the other half of the hash, so that almost only the right row is ever compared.
  struct Slot {
    uint32_t tag = 0;
    int32_t row = -1;
  };

  static size_t hash(std::span<const T> row) {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(row.data()), row.size_bytes()});
  }
  static uint32_t tag_of(std::span<const T> row) { return static_cast<uint32_t>(hash(row) >> 16); }

  // The slot that holds the row, or the free one where it belongs.
  size_t probe(std::span<const T> row, uint32_t tag) const {
    const size_t mask = slots_.size() - 1;
    for (size_t at = place_of(tag) & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.row < 0) return at;
      if (slot.tag == tag && std::ranges::equal((*this)[slot.row], row)) return at;
    }
  }
  static size_t place_of(uint32_t tag) { return static_cast<size_t>(tag * uint64_t{0x9E3779B97F4A7C15} >> 32); }

  void grow() {
    std::vector<Slot> old(std::max<size_t>(64, slots_.size() * 2));
    old.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.row < 0) continue;
      size_t at = place_of(slot.tag) & mask;
      while (slots_[at].row >= 0) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }

  std::vector<T> values_;
  std::vector<int64_t> offsets_{0};
  std::vector<Slot> slots_;
};

class Vocabulary {
 public:
  Vocabulary() = default;
  // The ids of a file, in its own numbering. Error when one comes twice.
  explicit Vocabulary(const Strings& ids) {
    for (int64_t i = 0; i < ids.size(); ++i)
      if (add(ids[i]) != i) throw Error("the id \"" + std::string(ids[i]) + "\" comes twice, expected unique ids");
  }

  int64_t size() const { return rows_.size(); }
  std::string_view operator[](int64_t row) const {
    const auto bytes = rows_[row];
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  int32_t find(std::string_view id) const { return rows_.find(bytes(id)); }
  int32_t add(std::string_view id) { return rows_.add(bytes(id)); }
  Strings take() { return Strings{rows_.take()}; }

 private:
  static std::span<const uint8_t> bytes(std::string_view id) {
    return {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  }
  Interner<uint8_t> rows_;
};

}  // namespace nd
