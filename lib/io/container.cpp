// A header is never searched or patched: it is derived from its content by header_of. Reading takes kind, tool,
// options, inputs, names, dtypes and shapes out of the header, derives the header anew and compares, so that any byte
// that differs from the one spelling of this content is an error.
#include "lib/io/container.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "lib/io/digest.h"
#include "lib/io/sink.h"
#include "lib/io/source.h"

static_assert(std::endian::native == std::endian::little, "files are little-endian and mapped as they are");

namespace nd {
namespace {

constexpr uint64_t kMaxHeader = 16 << 20;
constexpr size_t kMaxTensors = 65'536, kMaxRank = 8, kMaxName = 256;
constexpr size_t kAlignment = 64;  // of the first byte behind the header

struct DTypeName {
  DType dtype;
  std::string_view name;
  size_t size;
};
constexpr DTypeName kDTypes[] = {{DType::F64, "F64", 8}, {DType::I64, "I64", 8}, {DType::F32, "F32", 4},
                                 {DType::I32, "I32", 4}, {DType::F16, "F16", 2}, {DType::BF16, "BF16", 2},
                                 {DType::U8, "U8", 1}};

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "__metadata__" &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-' || c == '/';
         });
}

// Bytes of a tensor; throws when the shape is impossible.
uint64_t bytes_of(const TensorView& t, const std::string& path) {
  uint64_t bytes = size_of(t.dtype);
  if (t.shape.size() > kMaxRank)
    throw Error(path,
                "tensor " + t.name + " has " + std::to_string(t.shape.size()) + " dimensions, at most 8 expected");
  for (int64_t n : t.shape)
    if (n < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(n), &bytes) || bytes > INT64_MAX)
      throw Error(path, "tensor " + t.name + " has an impossible shape");
  return bytes;
}

// The profile's order: larger elements first, so that every tensor is aligned to its elements without any gaps.
bool comes_before(const TensorView& a, const TensorView& b) {
  const size_t sa = size_of(a.dtype), sb = size_of(b.dtype);
  return sa != sb ? sa > sb : a.name < b.name;
}

bool by_role(const Input& a, const Input& b) { return a.role < b.role; }

// Length and header, spaces included: everything in front of the data. Tensors in the profile's order.
std::string header_of(const Meta& meta, const std::vector<TensorView>& tensors) {
  json::Array inputs;
  for (const Input& input : meta.inputs)
    inputs.push_back(json::Object{{"role", input.role}, {"kind", input.kind}, {"digest", hex(input.digest)}});
  json::Object root{{"__metadata__", json::Object{{"nd.kind", meta.kind},
                                                  {"nd.digest", hex(meta.digest)},
                                                  {"nd.tool", meta.tool},
                                                  {"nd.options", meta.options.dump()},
                                                  {"nd.inputs", json::Value(inputs).dump()}}}};
  int64_t end = 0;
  for (const TensorView& t : tensors) {
    const int64_t begin = end;
    end += t.count() * static_cast<int64_t>(size_of(t.dtype));
    json::Array shape(t.shape.begin(), t.shape.end());
    root[t.name] =
        json::Object{{"dtype", name_of(t.dtype)}, {"shape", shape}, {"data_offsets", json::Array{begin, end}}};
  }
  std::string text = json::Value(std::move(root)).dump();
  text.resize((8 + text.size() + kAlignment - 1) / kAlignment * kAlignment - 8, ' ');
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + text;
}

// XXH64 of the whole file with zeros for the digits of the digest.
uint64_t digest_of(Meta meta, const std::vector<TensorView>& tensors) {
  meta.digest = 0;
  const std::string header = header_of(meta, tensors);
  Digest digest;
  digest.update(std::as_bytes(std::span(header)));
  for (const TensorView& t : tensors) digest.update(t.bytes);
  return digest.value();
}

// Bytes in front of the data, as far as the bytes so far tell: the first 8 say it.
uint64_t header_size(std::span<const std::byte> so_far, const std::string& path) {
  if (so_far.size() < 8) return 8;
  uint64_t n;
  std::memcpy(&n, so_far.data(), 8);
  if (n > kMaxHeader - 8 || (8 + n) % kAlignment != 0)
    throw Error(path, "is no nightdesk file (byte 1: a header of " + std::to_string(n) + " bytes is not possible)");
  return 8 + n;
}

bool header_is_complete(std::span<const std::byte> so_far, const std::string& path) {
  return so_far.size() > 8 && so_far.size() >= header_size(so_far, path);
}

// What a header says of a tensor beside its name, dtype and shape.
struct Place {
  int64_t begin = -1, end = -1;
};

// The reverse of header_of, as far as content goes: the spelling is compared afterwards.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  void read(std::string_view text, Meta& meta, std::vector<TensorView>& tensors, std::vector<Place>& places) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    json::Parser parser;
    const json::Node root = parse(parser, text);
    bool any_meta = false;
    const bool is_object = root.members([&](std::string_view key, const json::Node& value) {
      if (key == "__metadata__") {
        any_meta = true;
        read_meta(value, meta);
      } else {
        tensors.push_back(read_tensor(key, value));
        places.push_back(read_place(key, value));
      }
      if (tensors.size() > kMaxTensors) fail("more than 65536 tensors");
    });
    if (!is_object) fail("expected a JSON object");
    if (!any_meta) fail("no __metadata__, so this is no nightdesk file");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(path_, "header: " + what); }

  json::Node parse(json::Parser& parser, std::string_view text) const {
    try {
      return parser.parse(text);
    } catch (const Error& e) {
      fail(e.what());
    }
  }

  std::string string(const json::Node& object, std::string_view key) const {
    json::Node value;
    std::string_view out;
    if (!object.find(key, value) || !value.get(out)) fail("no string \"" + std::string(key) + "\"");
    return std::string(out);
  }

  uint64_t digest(const json::Node& object, std::string_view key) const {
    const std::string digits = string(object, key);
    if (digits.size() != 16 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
      fail("\"" + std::string(key) + "\" is not 16 lower-case hexadecimal digits");
    return std::stoull(digits, nullptr, 16);
  }

  void read_meta(const json::Node& node, Meta& meta) const {
    json::Node ignored;
    if (!node.find("nd.kind", ignored)) fail("no \"nd.kind\", so this is no nightdesk file");
    meta.kind = string(node, "nd.kind");
    meta.tool = string(node, "nd.tool");
    meta.digest = digest(node, "nd.digest");
    try {
      meta.options = json::parse(string(node, "nd.options"));
    } catch (const Error& e) {
      fail(std::string("nd.options: ") + e.what());
    }
    if (!meta.options.object()) fail("nd.options is not a JSON object");
    json::Parser parser;
    const std::string inputs = string(node, "nd.inputs");
    const bool is_array = parse(parser, inputs).each([&](const json::Node& input) {
      meta.inputs.push_back({string(input, "role"), string(input, "kind"), digest(input, "digest")});
    });
    if (!is_array) fail("nd.inputs is not a JSON array");
    if (!std::is_sorted(meta.inputs.begin(), meta.inputs.end(), by_role)) fail("nd.inputs is not sorted by role");
  }

  TensorView read_tensor(std::string_view name, const json::Node& node) const {
    if (!good_name(name)) fail("a tensor cannot be called \"" + std::string(name) + "\"");
    TensorView out;
    out.name = name;
    json::Node dtype;
    std::string_view dtype_name;
    if (!node.find("dtype", dtype) || !dtype.get(dtype_name)) fail("tensor " + out.name + " has no dtype");
    if (!dtype_of(dtype_name, out.dtype))
      fail("tensor " + out.name + " has the unknown dtype " + std::string(dtype_name));
    out.shape = integers(name, node, "shape");
    return out;
  }

  Place read_place(std::string_view name, const json::Node& node) const {
    const std::vector<int64_t> offsets = integers(name, node, "data_offsets");
    if (offsets.size() != 2) fail("tensor " + std::string(name) + " has not two data_offsets");
    return {offsets[0], offsets[1]};
  }

  std::vector<int64_t> integers(std::string_view name, const json::Node& node, std::string_view key) const {
    std::vector<int64_t> out;
    json::Node list;
    bool all = true;
    const bool is_list = node.find(key, list) &&
                         list.each([&](const json::Node& element) { all = element.get(out.emplace_back()) && all; });
    if (!is_list || !all) fail("tensor " + std::string(name) + " has no list of integers \"" + std::string(key) + "\"");
    return out;
  }

  const std::string& path_;
};

// All that the first bytes of a file say, with the sizes checked but the data not looked at.
struct Header {
  Meta meta;
  std::vector<TensorView> tensors;  // without bytes
  uint64_t size = 0;                // of everything in front of the data
  uint64_t file_size = 0;
};

Header read_header(std::span<const std::byte> file, const std::string& path) {
  if (file.empty()) throw Error(path, "is empty");
  Header h;
  h.size = header_size(file, path);
  if (!header_is_complete(file, path))
    throw Error(path, "ends after " + std::to_string(file.size()) + " bytes, in the header" +
                          (file.size() < 8 ? "" : " of " + std::to_string(h.size) + " bytes"));
  const std::string_view text(reinterpret_cast<const char*>(file.data()), h.size);
  std::vector<TensorView> tensors;
  std::vector<Place> places;
  HeaderReader(path).read(text.substr(8), h.meta, tensors, places);
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return comes_before(tensors[a], tensors[b]); });
  int64_t end = 0;
  for (size_t i : order) {
    const TensorView& t = tensors[i];
    const int64_t begin = end;
    if (__builtin_add_overflow(end, bytes_of(t, path), &end)) throw Error(path, "tensor " + t.name + " is too large");
    if (places[i].begin != begin || places[i].end != end)
      throw Error(path, "header: tensor " + t.name + " lies at " + std::to_string(places[i].begin) + " to " +
                            std::to_string(places[i].end) + " of the data, expected " + std::to_string(begin) + " to " +
                            std::to_string(end));
    h.tensors.push_back(std::move(tensors[i]));
  }
  if (__builtin_add_overflow(h.size, end, &h.file_size)) throw Error(path, "is too large");
  const std::string expected = header_of(h.meta, h.tensors);
  if (expected != text) {
    const auto differ = std::mismatch(expected.begin(), expected.end(), text.begin(), text.end());
    throw Error(path, "header: not in canonical form, or damaged, from byte " +
                          std::to_string(differ.second - text.begin() + 1) + " on");
  }
  return h;
}

void check_length(std::span<const std::byte> file, const Header& h, const std::string& path) {
  const std::string size = std::to_string(file.size()), expected = std::to_string(h.file_size);
  if (file.size() < h.file_size) throw Error(path, "ends after " + size + " bytes, expected " + expected);
  if (file.size() > h.file_size) throw Error(path, "goes on after byte " + expected + ", to " + size + " bytes");
}

}  // namespace

size_t size_of(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].size; }
std::string_view name_of(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }
bool dtype_of(std::string_view name, DType& out) {
  for (const DTypeName& d : kDTypes)
    if (d.name == name) {
      out = d.dtype;
      return true;
    }
  return false;
}

int64_t TensorView::count() const {
  int64_t product = 1;
  for (int64_t n : shape) product *= n;
  return product;
}

const TensorView* Container::find(std::string_view name) const {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

Container Container::open(const std::string& path) {
  uint64_t file_size = 0;
  const Bytes bytes = read_declared(path, [&](std::span<const std::byte> so_far) {
    if (file_size == 0 && header_is_complete(so_far, shown(path)))
      file_size = read_header(so_far, shown(path)).file_size;
    return file_size > 0 ? file_size : header_size(so_far, shown(path));
  });
  return parse(bytes.keep, bytes.view, path);
}

Meta Container::peek(const std::string& path) {
  const auto only_header = [&](std::span<const std::byte> so_far) { return header_size(so_far, shown(path)); };
  const Bytes bytes = read_declared(path, only_header, true);
  Header h = read_header(bytes.view, shown(path));
  // A plain file comes as a whole, because it is mapped.
  if (bytes.view.size() != h.size) check_length(bytes.view, h, shown(path));
  return std::move(h.meta);
}

Container Container::parse(std::shared_ptr<const void> keep, std::span<const std::byte> bytes,
                           const std::string& path) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0) {
    auto aligned = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    bytes = *aligned;
    keep = aligned;
  }
  Header h = read_header(bytes, shown(path));
  check_length(bytes, h, shown(path));
  uint64_t at = h.size;
  for (TensorView& t : h.tensors) {
    t.bytes = bytes.subspan(at, bytes_of(t, shown(path)));
    at += t.bytes.size();
  }
  const uint64_t digest = digest_of(h.meta, h.tensors);
  if (digest != h.meta.digest)
    throw Error(shown(path),
                "damaged: the digest of its bytes is " + hex(digest) + ", its header says " + hex(h.meta.digest));
  return Container(shown(path), std::move(h.meta), std::move(h.tensors), std::move(keep));
}

Container Container::of(const std::string& path, Meta meta, std::vector<TensorView> tensors) {
  const std::string name = path == "-" ? "standard output" : path;
  std::stable_sort(meta.inputs.begin(), meta.inputs.end(), by_role);
  std::sort(tensors.begin(), tensors.end(), comes_before);
  std::unordered_set<std::string_view> names;
  for (const TensorView& t : tensors) {
    if (!good_name(t.name)) throw Error(name, "a tensor cannot be called \"" + t.name + "\"");
    if (!names.insert(t.name).second) throw Error(name, "two tensors are called " + t.name);
    if (bytes_of(t, name) != t.bytes.size()) throw Error(name, "tensor " + t.name + " has not the size of its shape");
  }
  if (!meta.options.object()) throw Error(name, "nd.options is not a JSON object");
  if (tensors.size() > kMaxTensors) throw Error(name, "more than 65536 tensors");
  if (header_of(meta, tensors).size() > kMaxHeader) throw Error(name, "its header would be longer than 16 MiB");
  meta.digest = digest_of(meta, tensors);
  return Container(name, std::move(meta), std::move(tensors), nullptr);
}

Container::Container(std::string path, Meta meta, std::vector<TensorView> tensors, std::shared_ptr<const void> keep)
    : path_(std::move(path)), meta_(std::move(meta)), tensors_(std::move(tensors)), keep_(std::move(keep)) {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](uint32_t a, uint32_t b) { return tensors_[a].name < tensors_[b].name; });
}

void Container::write(const std::string& path, int zstd_level) const {
  Sink sink(path, zstd_level);
  sink.write(header_of(meta_, tensors_));
  for (const TensorView& t : tensors_) sink.write(t.bytes);
  sink.commit();
}

uint64_t write_container(const std::string& path, Meta meta, std::vector<TensorView> tensors, int zstd_level) {
  const Container c = Container::of(path, std::move(meta), std::move(tensors));
  c.write(path, zstd_level);
  return c.meta().digest;
}

}  // namespace nd
