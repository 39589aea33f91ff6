#include "lib/data/vector_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include "lib/data/interner.h"
#include "lib/data/triples.h"
#include "lib/io/json.h"
#include "lib/io/source.h"

namespace nd {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 40)) + "'"; }

// A float and nothing else. Too small to be held becomes 0, too large infinity (which check_finite() refuses).
bool read_float(std::string_view text, float& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char *begin = text.data(), *end = begin + text.size();
  const auto [at, failure] = std::from_chars(begin, end, value);
  if (failure == std::errc()) return at == end;
  double wide = 0;
  if (failure != std::errc::result_out_of_range || at != end) return false;
  // Out of float's range: a double tells too small from too large; out of a double's too, the exponent's sign does.
  if (std::from_chars(begin, end, wide).ec == std::errc()) {
    value = static_cast<float>(wide);
  } else {
    const size_t exponent = text.find_first_of("eE");
    value = exponent != std::string_view::npos && text.substr(exponent + 1, 1) == "-" ? 0.0f : HUGE_VALF;
  }
  return true;
}

bool is_whole(std::string_view text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Splits into fields at every tab (vec) or at runs of blanks and tabs (the others).
void split(std::string_view line, bool tabs_only, std::vector<std::string_view>& fields) {
  fields.clear();
  if (tabs_only) {
    for (size_t at = 0;;) {
      const size_t end = line.find('\t', at);
      fields.push_back(line.substr(at, end - at));
      if (end == std::string_view::npos) break;
      at = end + 1;
    }
    if (fields.back().empty()) fields.pop_back();  // MIND's files have a tab behind the last number
    return;
  }
  for (size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end;
  }
}

bool is_npy(std::string_view bytes) { return bytes.substr(0, 6) == "\x93NUMPY"; }

class TextVectors {
 public:
  TextVectors(const VectorFile& file, bool with_ids) : reader_(file.path), format_(file.format), with_ids_(with_ids) {}

  IdsAndRows read() {
    std::string_view line;
    std::vector<std::string_view> fields;
    int64_t declared_rows = -1;
    while (reader_.next(line)) {
      if (reader_.row() == 1) {
        if (is_npy(line)) reader_.fail("is a .npy file, expected text; give --format npy");
        if (format_ == "auto") format_ = with_ids_ ? guess(line) : "rows";
        if (format_ == "word2vec") {
          split(line, false, fields);
          if (fields.size() != 2 || !is_whole(fields[0]) || !is_whole(fields[1]))
            reader_.fail("expected the number of rows and their width, found " + quoted(line));
          std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), declared_rows);
          std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), width_);
          continue;
        }
      }
      split(line, format_ == "vec", fields);
      add_row(fields);
    }
    if (rows_ == 0) throw Error(shown(reader_.path()), "is empty, expected vectors");
    if (declared_rows >= 0 && declared_rows != rows_)
      throw Error(shown(reader_.path()), 1,
                  "says " + std::to_string(declared_rows) + " rows, found " + std::to_string(rows_));
    return {ids_.take(), {std::move(values_), rows_, width_}};
  }

 private:
  static std::string guess(std::string_view line) {
    if (line.find('\t') != std::string_view::npos) return "vec";
    std::vector<std::string_view> fields;
    split(line, false, fields);
    return fields.size() == 2 && is_whole(fields[0]) && is_whole(fields[1]) ? "word2vec" : "glove";
  }

  void add_row(const std::vector<std::string_view>& fields) {
    const auto count = static_cast<int64_t>(fields.size());
    const int64_t ids = with_ids_ ? 1 : 0;
    if (width_ < 0) width_ = count - ids;
    // In word2vec and GloVe files an id may have blanks ("New York", ". . ."); a number too many is no part of an id.
    int64_t extra = count - ids - width_;
    float ignored;
    if (with_ids_ && format_ != "vec" && extra > 0 && !read_float(fields[extra], ignored)) extra = 0;
    if (extra != 0 || width_ < 1)
      reader_.fail("expected " + std::string(with_ids_ ? "an id and " : "") +
                   std::to_string(std::max<int64_t>(width_, 1)) + " numbers, found " + std::to_string(count) +
                   " fields");
    const int64_t first = count - width_;
    if (with_ids_) {
      const std::string_view last = fields[first - 1];
      const std::string_view id(fields[0].data(), static_cast<size_t>(last.data() + last.size() - fields[0].data()));
      if (id.empty()) reader_.fail("the id is empty");
      if (!json::is_utf8(id)) reader_.fail("the id is not UTF-8");
      const int32_t row = ids_.add(id);
      if (row != rows_)
        reader_.fail("the id " + quoted(id) + " comes twice, first as vector " + std::to_string(row + 1));
    }
    for (int64_t k = first; k < count; ++k) {
      float value;
      if (!read_float(fields[k], value)) reader_.fail("expected a number, found " + quoted(fields[k]));
      if (!std::isfinite(value)) reader_.fail("expected finite numbers, found " + quoted(fields[k]));
      values_.push_back(value);
    }
    ++rows_;
  }

  LineReader reader_;
  std::string format_;
  const bool with_ids_;
  Vocabulary ids_;
  std::vector<float> values_;
  int64_t rows_ = 0, width_ = -1;
};

// The header of a .npy: "\x93NUMPY", version, the length of a Python dict and the dict, such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class NpyHeader {
 public:
  NpyHeader(const std::string& path, std::string_view bytes) : path_(shown(path)) {
    if (bytes.size() < 10) fail("the header is cut off");
    const int version = bytes[6];
    const size_t digits = version == 1 ? 2 : 4;
    if (version < 1 || version > 3) fail("expected version 1 to 3, found " + std::to_string(version));
    size_t length = 0;
    if (bytes.size() < 8 + digits) fail("the header is cut off");
    for (size_t i = 0; i < digits; ++i) length |= static_cast<size_t>(static_cast<uint8_t>(bytes[8 + i])) << 8 * i;
    data_at = 8 + digits + length;
    if (length > bytes.size() - 8 - digits) fail("the header is cut off");
    dict_ = bytes.substr(8 + digits, length);

    const std::string_view descr = value_of("descr"), order = value_of("fortran_order"), shape = value_of("shape");
    if (descr == "'<f4'") element = 4;
    else if (descr == "'<f8'") element = 8;
    else fail("expected little-endian float32 or float64 ('<f4' or '<f8'), found " + std::string(descr));
    if (order != "False") fail("expected C order (fortran_order False), found " + std::string(order));
    read_shape(shape);
  }

  size_t data_at = 0;
  int64_t element = 0, rows = 0, cols = 0;

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(path_, "as .npy: " + what); }

  // The text behind 'key': up to the comma that ends it.
  std::string_view value_of(const std::string& key) const {
    const size_t found = dict_.find("'" + key + "'");
    size_t at = found == std::string_view::npos ? found : dict_.find(':', found);
    if (at == std::string_view::npos) fail("the header has no " + key);
    at = std::min(dict_.find_first_not_of(' ', at + 1), dict_.size());
    const bool tuple = dict_.substr(at, 1) == "(";
    const size_t end = dict_.find_first_of(tuple ? ")" : ",}", at);
    if (end == std::string_view::npos) fail("the header is cut off in " + key);
    std::string_view value = dict_.substr(at, end - at + (tuple ? 1 : 0));
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    return value;
  }
  void read_shape(std::string_view shape) {
    int64_t* const axes[] = {&rows, &cols};
    const char *at = shape.data() + 1, *end = shape.data() + shape.size();
    for (int64_t* axis : axes) {
      while (at < end && (*at == ' ' || *at == ',')) ++at;
      const auto [next, failure] = std::from_chars(at, end, *axis);
      if (failure != std::errc() || *axis < 1)
        fail("expected a shape of two axes (rows, width), found " + std::string(shape));
      at = next;
    }
    while (at < end && (*at == ' ' || *at == ',')) ++at;
    if (at + 1 != end || *at != ')') fail("expected a shape of two axes (rows, width), found " + std::string(shape));
  }

  std::string path_;
  std::string_view dict_;
};

Matrix read_npy(const std::string& path, const Bytes& bytes) {
  static_assert(std::endian::native == std::endian::little);
  const std::string_view all = bytes.text();
  const NpyHeader header(path, all);
  const auto present = static_cast<int64_t>(all.size() - header.data_at);
  int64_t numbers = 0, size = 0;
  if (__builtin_mul_overflow(header.rows, header.cols, &numbers) ||
      __builtin_mul_overflow(numbers, header.element, &size) || size != present)
    throw Error(shown(path), "as .npy: expected " + std::to_string(header.rows) + " x " + std::to_string(header.cols) +
                                 " numbers of " + std::to_string(header.element) + " bytes, found " +
                                 std::to_string(present) + " bytes");
  std::vector<float> values(static_cast<size_t>(numbers));
  const char* data = all.data() + header.data_at;
  for (int64_t i = 0; i < numbers; ++i) {
    if (header.element == 4) {
      std::memcpy(&values[i], data + 4 * i, 4);
    } else {
      double wide;
      std::memcpy(&wide, data + 8 * i, 8);
      values[i] = static_cast<float>(wide);
    }
    if (!std::isfinite(values[i]))
      throw Error(shown(path), i / header.cols + 1,
                  "expected numbers that are finite as float32, found " + std::to_string(values[i]));
  }
  return {std::move(values), header.rows, header.cols};
}

Strings read_ids(const std::string& path) {
  LineReader reader(path);
  std::string_view line;
  Vocabulary ids;
  while (reader.next(line)) {
    if (line.empty()) reader.fail("the id is empty");
    if (!json::is_utf8(line)) reader.fail("the id is not UTF-8");
    const int32_t row = ids.add(line);
    if (row + 1 != reader.row())
      reader.fail("the id " + quoted(line) + " comes twice, first in row " + std::to_string(row + 1));
  }
  return ids.take();
}

}  // namespace

IdsAndRows read_vectors(const VectorFile& file) {
  const bool list = !file.ids.empty() || !file.map.empty();
  const bool npy = file.format == "npy" || (file.format == "auto" && file.path.ends_with(".npy"));
  const bool without_ids = npy || file.format == "rows" || (file.format == "auto" && list);
  if (!file.ids.empty() && !file.map.empty())
    throw UsageError("give the ids as a list (--ids) or as a map (--map), not both");
  if (without_ids && !list) throw UsageError(shown(file.path) + " has no ids inside; give --ids or --map");
  if (!without_ids && list)
    throw UsageError("--format " + file.format + " has its ids inside, --ids and --map are for others");

  IdsAndRows out;
  if (npy) {
    const Bytes bytes = read_all(file.path);
    if (!is_npy(bytes.text())) throw Error(shown(file.path), "is no .npy file: it does not begin with \\x93NUMPY");
    out.x = read_npy(file.path, bytes);
  } else {
    out = TextVectors(file, !without_ids).read();
  }
  if (!without_ids) return out;
  out.id = file.map.empty() ? read_ids(file.ids) : read_id_map(file.map);
  if (out.id.size() != out.x.rows)
    throw Error(shown(file.map.empty() ? file.ids : file.map), "holds " + std::to_string(out.id.size()) + " ids, but " +
                                                                   shown(file.path) + " has " +
                                                                   std::to_string(out.x.rows) + " vectors");
  return out;
}

}  // namespace nd
