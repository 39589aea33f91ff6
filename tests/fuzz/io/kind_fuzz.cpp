// Files of every kind with any values in their columns: an Error, or columns that can be walked from end to end. The
// first byte picks the kind; then, for each tensor in turn, a length and its bytes.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "lib/io/dump.h"
#include "lib/io/kind_file.h"
#include "lib/io/pack.h"
#include "tests/fuzz/memory_file.h"
#include "tests/lib/io/sample_kinds.h"

namespace {

using namespace nd;

// Lists the tensors a kind is made of.
struct Lister {
  std::vector<TensorView> tensors;

  void add(const std::string& name, DType dtype, size_t rank) {
    tensors.push_back({name, dtype, std::vector<int64_t>(rank, 0), {}});
  }
  void operator()(const std::string& name, Array<int64_t>&) { add(name, DType::I64, 1); }
  void operator()(const std::string& name, Array<double>&) { add(name, DType::F64, 1); }
  void operator()(const std::string& name, Array<int32_t>&) { add(name, DType::I32, 1); }
  void operator()(const std::string& name, Array<float>&) { add(name, DType::F32, 1); }
  void operator()(const std::string& name, Array<uint8_t>&) { add(name, DType::U8, 1); }
  void operator()(const std::string& name, Matrix&) { add(name, DType::F32, 2); }
  template <class T>
  void operator()(const std::string& name, Ragged<T>& column) {
    (*this)(name + ".values", column.values);
    (*this)(name + ".offsets", column.offsets);
  }
  void operator()(const std::string& name, Strings& column) { (*this)(name, static_cast<Ragged<uint8_t>&>(column)); }
  template <class Column>
  void operator()(const std::string&, std::map<std::string, Column>& columns) {
    for (auto& [name, column] : columns) (*this)(name, column);
  }
};

template <class T>
std::pair<std::string, std::vector<TensorView>> tensors_of() {
  T sample = sample::of<T>();
  Lister lister;
  T::columns(sample, lister);
  return {T::kind, lister.tensors};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::pair<std::string, std::vector<TensorView>> kinds[] = {
      tensors_of<Corpus>(),     tensors_of<Behavior>(), tensors_of<Kg>(),     tensors_of<Vectors>(),
      tensors_of<Candidates>(), tensors_of<Scores>(),   tensors_of<Params>(), tensors_of<Checkpoint>(),
      tensors_of<Clicks>(),     tensors_of<Stacks>()};
  if (size == 0) return 0;
  auto [kind, tensors] = kinds[data[0] % std::size(kinds)];
  size_t at = 1;
  for (TensorView& t : tensors) {
    size_t length = at < size ? data[at++] : 0;
    length = std::min(length, (size - at) / size_of(t.dtype));
    if (length > 0 && t.shape.size() == 2) t.shape[1] = 1 + data[at] % 4, length -= length % t.shape[1];
    t.shape[0] = static_cast<int64_t>(t.shape.size() == 2 && length > 0 ? length / t.shape[1] : length);
    t.bytes = {reinterpret_cast<const std::byte*>(data) + at, length * size_of(t.dtype)};
    at += t.bytes.size();
  }
  try {
    // Of aligned copies, as files have them.
    std::vector<std::vector<std::byte>> copies;
    for (TensorView& t : tensors) t.bytes = copies.emplace_back(t.bytes.begin(), t.bytes.end());
    const Container file = Container::of("memory", {.kind = kind}, tensors);
    const fuzz::MemoryFile empty(data, 0);
    Sink dumped(empty.path());
    dump(file, {.json = true}, dumped);
    dumped.commit();
    check_kind(file);
    // What keeps its rules must come through its dump unchanged.
    LineReader lines(empty.path());
    if (pack(lines, "/dev/null", 0) != file.meta().digest) std::abort();
  } catch (const Error&) {}
  return 0;
}
