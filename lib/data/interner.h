// Rows by content: equal rows are stored once, and the first appearance of a row gives it the next number.
//
// Vocabulary is the common case: ids to rows. Numbers depend on the order of adding only, never on the hash.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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

  // Open addressing. A row of up to eight bytes is its own key, so that looking up a short id touches one slot and
  // nothing else; of a longer one the key is a hash.
  struct Key {
    uint64_t word = 0;
    uint32_t bytes = 0;

    bool holds_row() const { return bytes <= sizeof word; }
  };
  static Key key_of(std::span<const T> row) {
    const size_t bytes = row.size_bytes();
    const auto* at = reinterpret_cast<const char*>(row.data());
    Key key{0, static_cast<uint32_t>(std::min<size_t>(bytes, UINT32_MAX))};
    if (!key.holds_row()) {
      key.word = std::hash<std::string_view>()({at, bytes});
    } else if (bytes >= 4) {  // two loads that overlap, instead of a copy of unknown length
      uint32_t front, back;
      std::memcpy(&front, at, 4);
      std::memcpy(&back, at + bytes - 4, 4);
      key.word = front | uint64_t{back} << 8 * (bytes - 4);
    } else {
      for (size_t i = 0; i < bytes; ++i) key.word |= uint64_t{static_cast<unsigned char>(at[i])} << 8 * i;
    }
    return key;
  }

  // The number of this row, -1 when it was never added.
  int32_t find(std::span<const T> row) const { return find(row, key_of(row)); }
  // The same in two steps, for many look-ups in a row: prefetch all of them, then find them, so that they do not wait
  // for memory one after the other.
  void prefetch(const Key& key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[place(key)]);
  }
  int32_t find(std::span<const T> row, const Key& key) const {
    return slots_.empty() ? -1 : slots_[probe(row, key)].row;
  }

  // Room for so many values of rows, so that they need not move as they get more.
  void reserve(size_t values) { values_.reserve(values); }

  // The number of this row, which is added when it is new.
  int32_t add(std::span<const T> row) {
    if (2 * (size() + 1) > static_cast<int64_t>(slots_.size())) grow();
    const Key key = key_of(row);
    Slot& slot = slots_[probe(row, key)];
    if (slot.row < 0) {
      if (size() == INT32_MAX) throw Error("more than 2147483647 distinct rows, expected fewer");
      slot = {key.word, key.bytes, static_cast<int32_t>(size())};
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
  struct Slot {
    uint64_t word = 0;
    uint32_t bytes = 0;
    int32_t row = -1;
  };

  // Fibonacci hashing: the top bits of the product depend on every byte of the key.
  size_t place(const Key& key) const { return (key.word ^ key.bytes) * 0x9E3779B97F4A7C15 >> shift_; }

  // The slot that holds the row, or the free one where it belongs.
  size_t probe(std::span<const T> row, const Key& key) const {
    const size_t mask = slots_.size() - 1;
    for (size_t at = place(key);; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.row < 0) return at;
      if (slot.word == key.word && slot.bytes == key.bytes &&
          (key.holds_row() || std::ranges::equal((*this)[slot.row], row)))
        return at;
    }
  }

  void grow() {
    std::vector<Slot> old(size_t{1} << (64 - --shift_));
    old.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.row < 0) continue;
      size_t at = place({slot.word, slot.bytes});
      while (slots_[at].row >= 0) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }

  std::vector<T> values_;
  std::vector<int64_t> offsets_{0};
  std::vector<Slot> slots_;  // none, or 2^(64 - shift_)
  int shift_ = 59;
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
  // In two steps, as in Interner.
  using Key = Interner<uint8_t>::Key;
  static Key key_of(std::string_view id) { return Interner<uint8_t>::key_of(bytes(id)); }
  void prefetch(const Key& key) const { rows_.prefetch(key); }
  int32_t find(std::string_view id, const Key& key) const { return rows_.find(bytes(id), key); }
  int32_t add(std::string_view id) { return rows_.add(bytes(id)); }
  Strings take() { return Strings{rows_.take()}; }

 private:
  static std::span<const uint8_t> bytes(std::string_view id) {
    return {reinterpret_cast<const uint8_t*>(id.data()), id.size()};
  }
  Interner<uint8_t> rows_;
};

}  // namespace nd
