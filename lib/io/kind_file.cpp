// One visitor reads a struct's columns out of a container, one writes them into one; each knows the few column types of
// formats/array.h and nothing of the kinds.
#include "lib/io/kind_file.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "lib/io/digest.h"
#include "lib/io/half.h"
#include "lib/io/json.h"

namespace nd {
namespace {

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, double>) return DType::F64;
  if constexpr (std::is_same_v<T, int64_t>) return DType::I64;
  if constexpr (std::is_same_v<T, float>) return DType::F32;
  if constexpr (std::is_same_v<T, int32_t>) return DType::I32;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::U8;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? "," : "") + std::to_string(shape[i]);
  return out + "]";
}

// Reads columns. Arrays point into the file and keep it alive; only half-precision matrices are copied.
class ColumnReader {
 public:
  explicit ColumnReader(const Container& from) : from_(from) {}

  template <class T>
  void operator()(const std::string& name, Array<T>& out) {
    const TensorView& t = take(name, 1);
    if (t.dtype != dtype_of<T>()) mismatch(t, std::string(name_of(dtype_of<T>())));
    out = Array<T>(from_.keep(), {reinterpret_cast<const T*>(t.bytes.data()), static_cast<size_t>(t.count())});
  }

  template <class T>
  void operator()(const std::string& name, Ragged<T>& out) {
    (*this)(name + ".values", out.values);
    (*this)(name + ".offsets", out.offsets);
    const auto& offsets = out.offsets;
    if (offsets.empty() || offsets[0] != 0) fail(name + ".offsets does not begin with 0");
    for (int64_t i = 1; i < offsets.size(); ++i)
      if (offsets[i] < offsets[i - 1]) fail(name + ".offsets falls at row " + std::to_string(i));
    if (offsets[offsets.size() - 1] != out.values.size())
      fail(name + ".offsets ends at " + std::to_string(offsets[offsets.size() - 1]) + ", but there are " +
           std::to_string(out.values.size()) + " values");
  }

  void operator()(const std::string& name, Strings& out) {
    (*this)(name, static_cast<Ragged<uint8_t>&>(out));
    const std::string_view all(reinterpret_cast<const char*>(out.values.data()), out.values.span().size());
    // One pass over all text, then no row may begin inside a character.
    bool good = json::is_utf8(all);
    for (int64_t i = 0; i < out.size() && good; ++i) {
      const auto at = static_cast<size_t>(out.offsets[i]);
      good = at == all.size() || (static_cast<unsigned char>(all[at]) & 0xc0) != 0x80;
    }
    for (int64_t i = 0; i < out.size() && !good; ++i)
      if (!json::is_utf8(out[i])) fail(name + " row " + std::to_string(i + 1) + " is not UTF-8");
  }

  void operator()(const std::string& name, Matrix& out) {
    const TensorView& t = take(name, 2);
    out.rows = t.shape[0];
    out.cols = t.shape[1];
    const auto count = static_cast<size_t>(t.count());
    if (t.dtype == DType::F32) {
      out.stored = Stored::f32;
      out.values = Array<float>(from_.keep(), {reinterpret_cast<const float*>(t.bytes.data()), count});
      return;
    }
    if (t.dtype != DType::F16 && t.dtype != DType::BF16) mismatch(t, "F32, F16 or BF16");
    out.stored = t.dtype == DType::F16 ? Stored::f16 : Stored::bf16;
    const auto* halves = reinterpret_cast<const uint16_t*>(t.bytes.data());
    std::vector<float> wide(count);
    for (size_t i = 0; i < count; ++i) wide[i] = t.dtype == DType::F16 ? widen_f16(halves[i]) : widen_bf16(halves[i]);
    out.values = std::move(wide);
  }

  // A map takes every tensor of its type that is still there.
  template <class Column>
  void operator()(const std::string& prefix, std::map<std::string, Column>& out) {
    for (const TensorView& t : from_.tensors()) {
      if (taken_.contains(t.name) || !t.name.starts_with(prefix)) continue;
      if (const auto key = key_of(t, static_cast<Column*>(nullptr)); !key.empty())
        (*this)(key, out[key.substr(prefix.size())]);
    }
  }

  // Everything must have found its column.
  void finish() const {
    for (const TensorView& t : from_.tensors())
      if (!taken_.contains(t.name)) fail("tensor " + t.name + " does not belong into " + from_.meta().kind);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(from_.path(), what); }
  [[noreturn]] void mismatch(const TensorView& t, const std::string& expected) const {
    fail("tensor " + t.name + " is " + std::string(name_of(t.dtype)) + shape_text(t.shape) + ", expected " + expected);
  }

  const TensorView& take(const std::string& name, size_t rank) {
    const TensorView* t = from_.find(name);
    if (!t) fail("tensor " + name + " is missing");
    if (t->shape.size() != rank) mismatch(*t, rank == 1 ? "one dimension" : "two dimensions");
    taken_.insert(name);
    return *t;
  }

  // Name of the column that tensor t starts, "" when it starts none of that type.
  static std::string key_of(const TensorView& t, Matrix*) {
    const bool floats = t.dtype == DType::F32 || t.dtype == DType::F16 || t.dtype == DType::BF16;
    return floats && t.shape.size() == 2 ? t.name : "";
  }
  static std::string key_of(const TensorView& t, Strings*) {
    const bool text = t.dtype == DType::U8 && t.shape.size() == 1 && t.name.ends_with(".values");
    return text ? t.name.substr(0, t.name.size() - 7) : "";
  }
  template <class T>
  static std::string key_of(const TensorView& t, Array<T>*) {
    return t.dtype == dtype_of<T>() && t.shape.size() == 1 ? t.name : "";
  }

  const Container& from_;
  std::set<std::string, std::less<>> taken_;
};

// Lists columns as tensors. Owns the few bytes that are not the struct's own.
class ColumnWriter {
 public:
  std::vector<TensorView> tensors;

  template <class T>
  void operator()(const std::string& name, const Array<T>& column) {
    add(name, dtype_of<T>(), {column.size()}, std::as_bytes(column.span()));
  }
  template <class T>
  void operator()(const std::string& name, const Ragged<T>& column) {
    (*this)(name + ".values", column.values);
    (*this)(name + ".offsets", column.offsets);
  }
  void operator()(const std::string& name, const Strings& column) {
    (*this)(name, static_cast<const Ragged<uint8_t>&>(column));
  }
  void operator()(const std::string& name, const Matrix& m) {
    if (m.stored == Stored::f32) return add(name, DType::F32, {m.rows, m.cols}, std::as_bytes(m.values.span()));
    auto& halves = halves_.emplace_back();
    halves.reserve(m.values.span().size());
    for (float f : m.values) halves.push_back(m.stored == Stored::f16 ? narrow_f16(f) : narrow_bf16(f));
    add(name, m.stored == Stored::f16 ? DType::F16 : DType::BF16, {m.rows, m.cols}, std::as_bytes(std::span(halves)));
  }
  template <class Column>
  void operator()(const std::string& prefix, const std::map<std::string, Column>& columns) {
    for (const auto& [name, column] : columns) (*this)(prefix + name, column);
  }

 private:
  void add(const std::string& name, DType dtype, std::vector<int64_t> shape, std::span<const std::byte> bytes) {
    tensors.push_back({name, dtype, std::move(shape), bytes});
  }

  std::deque<std::vector<uint16_t>> halves_;
};

void require_kind(const Container& container, std::initializer_list<std::string_view> kinds) {
  const std::string& found = container.meta().kind;
  if (std::ranges::find(kinds, found) != kinds.end()) return;
  std::string expected;
  for (const std::string_view kind : kinds) expected.append(expected.empty() ? "" : " or ").append(kind);
  throw Error(container.path(), "expected a file of kind " + expected + ", found " + found);
}

}  // namespace

Container open_one_of(std::initializer_list<std::string_view> kinds, const std::string& path) {
  Container container = Container::open(path);
  require_kind(container, kinds);
  return container;
}

template <class T>
File<T> from_container(const Container& container) {
  const Meta& meta = container.meta();
  require_kind(container, {T::kind});
  File<T> file{.meta = meta, .path = container.path()};
  ColumnReader reader(container);
  T::columns(file.data, reader);
  reader.finish();
  if (const std::string problem = file.data.problem(); !problem.empty()) throw Error(container.path(), problem);
  return file;
}

template <class T>
File<T> load(const std::string& path) {
  return from_container<T>(Container::open(path));
}

template <class T>
uint64_t save(const std::string& path, const T& data, Meta meta, int zstd_level) {
  meta.kind = T::kind;
  ColumnWriter writer;
  T::columns(data, writer);
  const Container container = Container::of(path, std::move(meta), std::move(writer.tensors));
  from_container<T>(container);  // what we would refuse to read is not written
  container.write(path, zstd_level);
  return container.meta().digest;
}

void check_kind(const Container& container) {
  const bool known = std::apply(
      [&](const auto&... kind) {
        return ((container.meta().kind == kind.kind ? (from_container<std::decay_t<decltype(kind)>>(container), true)
                                                    : false) ||
                ...);
      },
      Kinds());
  if (!known) throw Error(container.path(), "its kind \"" + container.meta().kind + "\" is not known here");
}

void require_input(const Meta& user, const std::string& user_path, const std::string& role, const Meta& made_from,
                   const std::string& made_from_path) {
  bool any = false;
  std::string found;
  for (const Input& input : user.inputs) {
    if (input.role != role) continue;
    if (input.digest == made_from.digest) return;
    // A corpus made from a corpus (its links filtered, say) keeps the rows, and names the one it came from.
    for (const Input& origin : made_from.inputs)
      if (origin.role == role && origin.digest == input.digest) return;
    found += (any ? " or " : "") + hex(input.digest);
    any = true;
  }
  if (!any) throw Error(user_path, "does not say which " + role + " it was made from, expected " + made_from_path);
  throw Error(user_path,
              "was made from the " + role + " " + found + ", but " + made_from_path + " is " + hex(made_from.digest));
}

void require_same_origin(const Meta& a, const std::string& a_path, const Meta& b, const std::string& b_path,
                         const std::string& role) {
  const auto digest_of = [&](const Meta& meta, const std::string& path) {
    for (const Input& input : meta.inputs)
      if (input.role == role) return input.digest;
    throw Error(path, "does not say which " + role + " it was made from");
  };
  const uint64_t from_a = digest_of(a, a_path), from_b = digest_of(b, b_path);
  if (from_a != from_b)
    throw Error(a_path, "was made from the " + role + " " + hex(from_a) + ", but " + b_path + " from " + hex(from_b));
}

namespace {

template <class Log>
void require_articles(const File<Log>& log, int64_t articles, const std::string& path) {
  if (log->corpus_size[0] != articles)
    throw Error(log.path, "is about a corpus of " + std::to_string(log->corpus_size[0]) + " articles, but " + path +
                              " has " + std::to_string(articles));
}

// Candidates of the first `rows` rows of a log.
template <class Log>
void require_rows(const File<Candidates>& candidates, const std::string& role, const File<Log>& log, int64_t rows) {
  require_input(candidates.meta, candidates.path, role, log.meta, log.path);
  const std::string problem =
      first_problem({within("impression", candidates->impression, 0, rows),
                     within("candidate.values", candidates->candidate.values, 0, log->corpus_size[0])});
  if (!problem.empty()) throw Error(candidates.path, problem);
}

}  // namespace

void require_same(const File<Behavior>& behavior, const std::string& role, const File<Corpus>& corpus) {
  require_input(behavior.meta, behavior.path, role, corpus.meta, corpus.path);
  require_articles(behavior, corpus->size(), corpus.path);
}

void require_same(const File<Clicks>& clicks, const std::string& role, const File<Corpus>& corpus) {
  require_input(clicks.meta, clicks.path, role, corpus.meta, corpus.path);
  require_articles(clicks, corpus->size(), corpus.path);
}

void require_same(const File<Candidates>& candidates, const std::string& role, const File<Behavior>& behavior) {
  require_rows(candidates, role, behavior, behavior->size());
}

void require_same(const File<Candidates>& candidates, const std::string& role, const File<Clicks>& clicks) {
  require_rows(candidates, role, clicks, clicks->clicks());
}

void require_same_input(const File<Behavior>& a, const File<Behavior>& b, const std::string& role) {
  require_same_origin(a.meta, a.path, b.meta, b.path, role);
  require_articles(a, b->corpus_size[0], b.path);
}

#define ND_INSTANTIATE(T)                               \
  template File<T> load<T>(const std::string&);         \
  template File<T> from_container<T>(const Container&); \
  template uint64_t save<T>(const std::string&, const T&, Meta, int);
ND_INSTANTIATE(Corpus)
ND_INSTANTIATE(Behavior)
ND_INSTANTIATE(Clicks)
ND_INSTANTIATE(Kg)
ND_INSTANTIATE(Vectors)
ND_INSTANTIATE(Stacks)
ND_INSTANTIATE(Candidates)
ND_INSTANTIATE(Scores)
ND_INSTANTIATE(Params)
ND_INSTANTIATE(Checkpoint)
#undef ND_INSTANTIATE

}  // namespace nd
