#include "lib/io/diff.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "lib/io/columns.h"
#include "lib/io/digest.h"
#include "lib/io/half.h"

namespace nd {
namespace {

bool is_float(DType d) { return d == DType::F64 || d == DType::F32 || d == DType::F16 || d == DType::BF16; }

double float_at(const TensorView& t, int64_t i) {
  const std::byte* at = t.bytes.data() + static_cast<size_t>(i) * size_of(t.dtype);
  double d;
  float f;
  uint16_t half;
  switch (t.dtype) {
    case DType::F64:
      std::memcpy(&d, at, sizeof d);
      return d;
    case DType::F32:
      std::memcpy(&f, at, sizeof f);
      return f;
    default:
      std::memcpy(&half, at, sizeof half);
  }
  return t.dtype == DType::F16 ? widen_f16(half) : widen_bf16(half);
}

// At most 100 bytes, cut between characters.
std::string shortened(const std::string& text) {
  if (text.size() <= 100) return text;
  size_t end = 100;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

class Comparer {
 public:
  Comparer(const Container& a, const Container& b, const DiffOptions& options) : a_(a), b_(b), options_(options) {}

  std::vector<std::string> run() {
    headers();
    std::map<std::pair<std::string, Column::Type>, std::pair<const Column*, const Column*>> pairs;
    const auto in_a = columns_of(a_), in_b = columns_of(b_);
    for (const Column& c : in_a) pairs[{c.name, c.type}].first = &c;
    for (const Column& c : in_b) pairs[{c.name, c.type}].second = &c;
    for (const auto& [key, pair] : pairs) columns(key.first, pair.first, pair.second);
    return std::move(lines_);
  }

 private:
  void line(const std::string& what, const std::string& a, const std::string& b) {
    lines_.push_back(what + ": " + a + " | " + b);
  }
  // What one file says of a name and the other, "" where it says nothing.
  void compare(const std::string& what, const std::string& a, const std::string& b) {
    if (a != b) line(what, a.empty() ? "(none)" : a, b.empty() ? "(none)" : b);
  }

  void headers() {
    compare("kind", a_.meta().kind, b_.meta().kind);
    if (!options_.ignore.contains("tool")) compare("tool", a_.meta().tool, b_.meta().tool);
    if (!options_.ignore.contains("options")) {
      std::map<std::string, std::pair<std::string, std::string>> values;
      for (const auto& [name, value] : *a_.meta().options.object()) values[name].first = value.dump();
      for (const auto& [name, value] : *b_.meta().options.object()) values[name].second = value.dump();
      for (const auto& [name, both] : values) compare("option " + name, both.first, both.second);
    }
    if (!options_.ignore.contains("inputs")) {
      std::map<std::string, std::pair<std::string, std::string>> values;
      const auto list = [](std::string& text, const Input& i) {
        text += (text.empty() ? "" : ", ") + i.kind + " " + hex(i.digest);
      };
      for (const Input& i : a_.meta().inputs) list(values[i.role].first, i);
      for (const Input& i : b_.meta().inputs) list(values[i.role].second, i);
      for (const auto& [role, both] : values) compare("input " + role, both.first, both.second);
    }
  }

  void columns(const std::string& name, const Column* a, const Column* b) {
    const std::string in_a = a ? a->describe() : "(none)", in_b = b ? b->describe() : "(none)";
    if (in_a != in_b) return line("column " + name, in_a, in_b);
    int64_t differing = 0;
    for (int64_t row = 0; row < a->rows(); ++row) {
      const int64_t element = first_difference(*a, *b, row);
      if (element == kSame || ++differing > options_.show) continue;
      std::string where = name + " row " + std::to_string(row), value_a, value_b;
      if (element == kWhole) {
        a->append_json(value_a, row);
        b->append_json(value_b, row);
      } else {
        const int64_t first = a->range(row).first;
        if (a->type != Column::Type::array || a->values->shape.size() > 1)
          where += " element " + std::to_string(element);
        append_element(value_a, *a->values, first + element);
        append_element(value_b, *b->values, b->range(row).first + element);
      }
      line(where, shortened(value_a), shortened(value_b));
    }
    if (differing > 0)
      lines_.push_back(name + ": " + std::to_string(differing) + " of " + std::to_string(a->rows()) + " rows differ");
  }

  static constexpr int64_t kSame = -1, kWhole = -2;

  // Which element of a row is the first to differ; kWhole for a row to be shown as a whole.
  int64_t first_difference(const Column& a, const Column& b, int64_t row) const {
    const auto in_a = a.bytes(row), in_b = b.bytes(row);
    if (std::equal(in_a.begin(), in_a.end(), in_b.begin(), in_b.end())) return kSame;
    if (a.type == Column::Type::strings || in_a.size() != in_b.size()) return kWhole;
    const size_t size = size_of(a.values->dtype);
    const bool tolerant = is_float(a.values->dtype) && (options_.rtol > 0 || options_.atol > 0);
    for (size_t i = 0; i < in_a.size() / size; ++i) {
      if (std::memcmp(in_a.data() + i * size, in_b.data() + i * size, size) == 0) continue;
      if (tolerant && close(float_at(*a.values, a.range(row).first + static_cast<int64_t>(i)),
                            float_at(*b.values, b.range(row).first + static_cast<int64_t>(i))))
        continue;
      return static_cast<int64_t>(i);
    }
    return kSame;
  }

  bool close(double a, double b) const {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    if (std::isinf(a) || std::isinf(b)) return a == b;
    return std::fabs(a - b) <= options_.atol + options_.rtol * std::fabs(b);
  }

  const Container& a_;
  const Container& b_;
  const DiffOptions& options_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> differences(const Container& a, const Container& b, const DiffOptions& options) {
  return Comparer(a, b, options).run();
}

}  // namespace nd
