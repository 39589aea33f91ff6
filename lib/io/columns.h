// A container's tensors as the columns people think in, whatever the kind: x.values and x.offsets are one ragged column
// x, of bytes that are UTF-8 a column of strings. For the tools that show, compare and rebuild files of any kind.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/io/container.h"

namespace nd {

struct Column {
  enum class Type { array, ragged, strings };
  std::string name;
  Type type = Type::array;
  const TensorView* values = nullptr;
  const TensorView* offsets = nullptr;  // nullptr for an array

  // Rows are what the first dimension counts; a tensor without dimensions is one row, one without elements has none
  // (its shape may promise any number of them).
  int64_t rows() const;
  // Elements of the values that row i consists of: [first, last).
  std::pair<int64_t, int64_t> range(int64_t i) const;
  // Bytes of row i.
  std::span<const std::byte> bytes(int64_t i) const;
  // "F32[2,3]", "ragged I32 of 4 rows", "strings of 4 rows"
  std::string describe() const;
  // Row i as JSON, numbers so that they read back as the same bits (floats that are not finite as those bits,
  // "0x7fc00000"), and as plain text: strings escaped, several values separated by blanks.
  void append_json(std::string& out, int64_t i) const;
  void append_text(std::string& out, int64_t i) const;
};

// Element i of a tensor, as JSON.
void append_element(std::string& out, const TensorView& t, int64_t i);

// Text with tab, newline, carriage return and backslash as \t, \n, \r and \\, so that it stays in its field and line.
void append_escaped(std::string& out, std::string_view text);

// Sorted by name. Tensors that look like a ragged column but break its rules stay two arrays.
std::vector<Column> columns_of(const Container& container);

}  // namespace nd
