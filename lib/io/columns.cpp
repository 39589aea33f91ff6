#include "lib/io/columns.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "lib/io/half.h"
#include "lib/io/json.h"

namespace nd {
namespace {

std::span<const int64_t> numbers(const TensorView& t) {
  return {reinterpret_cast<const int64_t*>(t.bytes.data()), t.bytes.size() / sizeof(int64_t)};
}

bool is_offsets_of(const TensorView& offsets, const TensorView& values) {
  if (offsets.dtype != DType::I64 || offsets.shape.size() != 1 || values.shape.size() != 1) return false;
  const auto o = numbers(offsets);
  return !o.empty() && o.front() == 0 && std::is_sorted(o.begin(), o.end()) && o.back() == values.count();
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
T element(std::span<const std::byte> bytes, int64_t i) {
  T out;
  std::memcpy(&out, bytes.data() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return out;
}

// A float, or its bits in hexadecimal when it is not finite: JSON has no word for it, and NaNs differ in their bits.
template <class Float, class Bits>
void append_float(std::string& out, Float value, Bits bits) {
  if (std::isfinite(value)) return json::append(out, value);
  char digits[20];
  const auto end = std::to_chars(digits, std::end(digits), bits, 16);
  out.append("\"0x").append(digits, end.ptr).append("\"");
}

bool is_text(const Column& c) {
  if (c.values->dtype != DType::U8) return false;
  for (int64_t i = 0; i < c.rows(); ++i) {
    if (!json::is_utf8(text_of(c.bytes(i)))) return false;
  }
  return true;
}

}  // namespace

int64_t Column::rows() const {
  if (offsets) return offsets->count() - 1;
  if (values->shape.empty()) return 1;
  return values->bytes.empty() ? 0 : values->shape[0];
}

std::pair<int64_t, int64_t> Column::range(int64_t i) const {
  if (offsets) return {numbers(*offsets)[i], numbers(*offsets)[i + 1]};
  const int64_t width = values->count() / std::max<int64_t>(rows(), 1);
  return {i * width, (i + 1) * width};
}

std::span<const std::byte> Column::bytes(int64_t i) const {
  const auto [first, last] = range(i);
  const size_t size = size_of(values->dtype);
  return values->bytes.subspan(static_cast<size_t>(first) * size, static_cast<size_t>(last - first) * size);
}

std::string Column::describe() const {
  if (type == Type::strings) return "strings of " + std::to_string(rows()) + " rows";
  const std::string dtype(name_of(values->dtype));
  if (type == Type::ragged) return "ragged " + dtype + " of " + std::to_string(rows()) + " rows";
  std::string shape;
  for (int64_t n : values->shape) shape += (shape.empty() ? "" : ",") + std::to_string(n);
  return dtype + "[" + shape + "]";
}

void append_element(std::string& out, const TensorView& t, int64_t i) {
  const auto values = t.bytes;
  switch (t.dtype) {
    case DType::F64: {
      const auto v = element<double>(values, i);
      return append_float(out, v, std::bit_cast<uint64_t>(v));
    }
    case DType::F32: {
      const auto v = element<float>(values, i);
      return append_float(out, v, std::bit_cast<uint32_t>(v));
    }
    case DType::F16:
      return append_float(out, widen_f16(element<uint16_t>(values, i)), element<uint16_t>(values, i));
    case DType::BF16:
      return append_float(out, widen_bf16(element<uint16_t>(values, i)), element<uint16_t>(values, i));
    case DType::I64:
      out += std::to_string(element<int64_t>(values, i));
      return;
    case DType::I32:
      out += std::to_string(element<int32_t>(values, i));
      return;
    case DType::U8:
      out += std::to_string(element<uint8_t>(values, i));
      return;
  }
}

void Column::append_json(std::string& out, int64_t row) const {
  if (type == Column::Type::strings) return json::append(out, text_of(bytes(row)));
  const auto [first, last] = range(row);
  const bool single = type == Column::Type::array && values->shape.size() <= 1;
  if (!single) out += '[';
  for (int64_t i = first; i < last; ++i) {
    if (i > first) out += ',';
    append_element(out, *values, i);
  }
  if (!single) out += ']';
}

void Column::append_text(std::string& out, int64_t row) const {
  if (type == Column::Type::strings) return append_escaped(out, text_of(bytes(row)));
  const auto [first, last] = range(row);
  for (int64_t i = first; i < last; ++i) {
    if (i > first) out += ' ';
    append_element(out, *values, i);
  }
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    const size_t which = std::string_view("\t\n\r\\").find(c);
    if (which == std::string_view::npos) {
      out += c;
    } else {
      out += '\\';
      out += "tnr\\"[which];
    }
  }
}

std::vector<Column> columns_of(const Container& container) {
  std::vector<Column> out;
  for (const TensorView& t : container.tensors()) {
    const bool is_values = t.name.ends_with(".values"), is_offsets = t.name.ends_with(".offsets");
    const std::string stem = is_values    ? t.name.substr(0, t.name.size() - 7)
                             : is_offsets ? t.name.substr(0, t.name.size() - 8)
                                          : "";
    const TensorView* partner = is_values ? container.find(stem + ".offsets") : container.find(stem + ".values");
    if (is_values && partner && is_offsets_of(*partner, t)) {
      Column c{stem, Column::Type::ragged, &t, partner};
      if (is_text(c)) c.type = Column::Type::strings;
      out.push_back(c);
    } else if (!(is_offsets && partner && is_offsets_of(t, *partner))) {
      out.push_back({t.name, Column::Type::array, &t, nullptr});
    }
  }
  std::sort(out.begin(), out.end(), [](const Column& a, const Column& b) { return a.name < b.name; });
  return out;
}

}  // namespace nd
