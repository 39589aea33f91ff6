#include "lib/io/pack.h"

#include <bit>
#include <charconv>
#include <limits>
#include <vector>

#include "lib/io/digest.h"
#include "lib/io/half.h"
#include "lib/io/json.h"
#include "lib/io/kind_file.h"

namespace nd {
namespace {

// Puts a container together from the lines of a dump. Nothing is allocated for what a header promises, only for rows
// that have come.
class Packer {
 public:
  explicit Packer(LineReader& in) : in_(in) {}

  Container container(const std::string& path) {
    std::string_view line;
    if (!in_.next(line)) throw Error(shown(in_.path()), "is empty, expected what tensor-dump --json writes");
    read_header(parse(line));
    for (Building& b : columns_)
      for (int64_t row = 0; row < b.rows; ++row) {
        if (!in_.next(line)) in_.fail("the text ends before row " + std::to_string(row) + " of column " + b.name);
        read_row(parse(line), b, row);
      }
    if (in_.next(line)) in_.fail("expected no more rows");
    std::vector<TensorView> tensors;
    for (const Building& b : columns_) {
      if (b.type == "array") {
        tensors.push_back({b.name, b.dtype, b.shape, std::as_bytes(std::span(b.values))});
        continue;
      }
      const auto count = static_cast<int64_t>(b.values.size() / size_of(b.dtype));
      tensors.push_back({b.name + ".values", b.dtype, {count}, std::as_bytes(std::span(b.values))});
      tensors.push_back({b.name + ".offsets", DType::I64, {b.rows + 1}, std::as_bytes(std::span(b.offsets))});
    }
    return Container::of(path, std::move(meta_), std::move(tensors));
  }

 private:
  struct Building {
    std::string name, type;
    DType dtype = DType::U8;
    std::vector<int64_t> shape;
    int64_t rows = 0, width = 0;  // width: elements of a row of an array
    std::vector<char> values;
    std::vector<int64_t> offsets{0};
  };

  json::Node parse(std::string_view line) {
    try {
      return parser_.parse(line);
    } catch (const Error& e) {
      in_.fail(e.what());
    }
  }

  template <class T>
  T member(const json::Node& object, std::string_view key, const char* what) const {
    json::Node value;
    T out{};
    if (!object.find(key, value) || !value.get(out))
      in_.fail("expected " + std::string(what) + " \"" + std::string(key) + "\"");
    return out;
  }
  std::string string(const json::Node& object, std::string_view key) const {
    return std::string(member<std::string_view>(object, key, "a string"));
  }
  template <class F>
  void each(const json::Node& object, std::string_view key, F&& f) const {
    json::Node list;
    if (!object.find(key, list) || !list.each(f)) in_.fail("expected a list \"" + std::string(key) + "\"");
  }

  void read_header(const json::Node& header) {
    meta_.kind = string(header, "kind");
    meta_.tool = string(header, "tool");
    json::Node options;
    if (!header.find("options", options)) in_.fail("expected an object \"options\"");
    meta_.options = options.value();
    each(header, "inputs", [&](const json::Node& i) {
      uint64_t digest = 0;
      const std::string digits = string(i, "digest");
      const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), digest, 16);
      if (digits.size() != 16 || end.ptr != digits.data() + 16 || hex(digest) != digits)
        in_.fail("expected a digest of 16 lower-case hexadecimal digits");
      meta_.inputs.push_back({string(i, "role"), string(i, "kind"), digest});
    });
    each(header, "columns", [&](const json::Node& c) { columns_.push_back(read_column(c)); });
  }

  Building read_column(const json::Node& c) const {
    Building b{.name = string(c, "name"), .type = string(c, "type")};
    if (b.type != "array" && b.type != "ragged" && b.type != "strings")
      in_.fail("column " + b.name + ": expected type array, ragged or strings, found " + b.type);
    if (b.type != "strings" && !dtype_of(string(c, "dtype"), b.dtype))
      in_.fail("column " + b.name + " has the unknown dtype " + string(c, "dtype"));
    if (b.type != "array") {
      b.rows = member<int64_t>(c, "rows", "an integer");
    } else {
      each(c, "shape", [&](const json::Node& n) {
        int64_t size = -1;
        n.get(size);
        b.shape.push_back(size);
      });
      b.rows = b.shape.empty() ? 1 : b.shape[0];
      b.width = 1;
      for (size_t i = 1; i < b.shape.size(); ++i)
        if (b.shape[i] < 0 || __builtin_mul_overflow(b.width, b.shape[i], &b.width)) b.rows = -1;
    }
    if (b.rows < 0) in_.fail("column " + b.name + " has an impossible shape");
    if (b.type == "array" && b.width == 0) b.rows = 0;
    return b;
  }

  void read_row(const json::Node& line, Building& b, int64_t row) const {
    if (string(line, "column") != b.name || member<int64_t>(line, "row", "an integer") != row)
      in_.fail("expected row " + std::to_string(row) + " of column " + b.name);
    json::Node value;
    if (!line.find("value", value)) in_.fail("expected a \"value\"");
    if (b.type == "strings") {
      std::string_view text;
      if (!value.get(text)) in_.fail("expected a string");
      b.values.insert(b.values.end(), text.begin(), text.end());
    } else if (b.type == "array" && b.shape.size() <= 1) {
      append_value(value, b);
    } else {
      int64_t count = 0;
      const bool is_list = value.each([&](const json::Node& v) {
        append_value(v, b);
        ++count;
      });
      if (!is_list) in_.fail("expected a list of numbers");
      if (b.type == "array" && count != b.width)
        in_.fail("expected " + std::to_string(b.width) + " numbers, found " + std::to_string(count));
    }
    if (b.type != "array") b.offsets.push_back(static_cast<int64_t>(b.values.size() / size_of(b.dtype)));
  }

  void append_value(const json::Node& v, Building& b) const {
    switch (b.dtype) {
      case DType::F64:
        return put<double, uint64_t>(v, b, [](double d) { return std::bit_cast<uint64_t>(d); });
      case DType::F32:
        return put<float, uint32_t>(v, b, [](double d) { return std::bit_cast<uint32_t>(static_cast<float>(d)); });
      case DType::F16:
        return put<float, uint16_t>(v, b, [](double d) { return narrow_f16(static_cast<float>(d)); });
      case DType::BF16:
        return put<float, uint16_t>(v, b, [](double d) { return narrow_bf16(static_cast<float>(d)); });
      case DType::I64:
        return put_integer<int64_t>(v, b);
      case DType::I32:
        return put_integer<int32_t>(v, b);
      case DType::U8:
        return put_integer<uint8_t>(v, b);
    }
  }

  template <class Bits>
  static void push(Building& b, Bits bits) {
    const char* from = reinterpret_cast<const char*>(&bits);
    b.values.insert(b.values.end(), from, from + sizeof bits);
  }

  // A number, or the bits themselves.
  template <class Float, class Bits, class ToBits>
  void put(const json::Node& v, Building& b, ToBits to_bits) const {
    double d;
    std::string_view text;
    Bits bits = 0;
    if (v.get(d)) return push(b, to_bits(d));
    if (!v.get(text) || !text.starts_with("0x")) in_.fail("expected a number");
    const auto end = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) in_.fail("expected a number");
    push(b, bits);
  }

  template <class Int>
  void put_integer(const json::Node& v, Building& b) const {
    int64_t i;
    if (!v.get(i) || i < std::numeric_limits<Int>::min() || i > std::numeric_limits<Int>::max())
      in_.fail("expected an integer of type " + std::string(name_of(b.dtype)));
    push(b, static_cast<Int>(i));
  }

  LineReader& in_;
  json::Parser parser_;
  Meta meta_;
  std::vector<Building> columns_;
};

}  // namespace

uint64_t pack(LineReader& in, const std::string& path, int zstd_level) {
  Packer packer(in);
  const Container file = packer.container(path);
  check_kind(file);
  file.write(path, zstd_level);
  return file.meta().digest;
}

}  // namespace nd
