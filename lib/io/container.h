// The container every exchanged file uses: safetensors under a strict profile (formats/README.md specifies it byte by
// byte). This layer knows names, types and shapes; lib/io/kind_file.h turns them into the structs of formats/.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/io/error.h"
#include "lib/io/json.h"

namespace nd {

enum class DType : uint8_t { F64, I64, F32, I32, F16, BF16, U8 };
size_t size_of(DType);
std::string_view name_of(DType);
bool dtype_of(std::string_view name, DType& out);  // false when there is none of that name

// A file this one was made from, and the part it played: {"corpus", "corpus/1", digest}.
struct Input {
  std::string role, kind;
  uint64_t digest = 0;
};

// What a header says beside its tensors. `options` holds what affects the content, canonical JSON when written.
struct Meta {
  std::string kind, tool;
  json::Value options = json::Object{};
  std::vector<Input> inputs;  // sorted by role when written
  uint64_t digest = 0;        // of the whole file; filled by reading and by writing
};

struct TensorView {
  std::string name;
  DType dtype = DType::U8;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;

  int64_t count() const;  // product of the shape
};

// A verified set of tensors, in a file or about to be: length, header, order, overlap and digest hold.
class Container {
 public:
  // path or "-"; Error names the path and what is wrong.
  static Container open(const std::string& path);
  // What the header of a file says, without looking at the data: header and, of a plain file, length are verified, the
  // digest is not.
  static Meta peek(const std::string& path);
  // The same for bytes already in memory (tests, fuzzing).
  static Container parse(std::shared_ptr<const void> keep, std::span<const std::byte> bytes, const std::string& path);

  // A container of tensors that someone else keeps, in any order, with the digest it will have as a file. Error when
  // the profile does not allow it; `path` is only for messages.
  static Container of(const std::string& path, Meta meta, std::vector<TensorView> tensors);
  // Writes it to path or "-", atomically. zstd_level 0 writes plain; the digest is that of the plain bytes either way.
  void write(const std::string& path, int zstd_level = 0) const;

  const std::string& path() const { return path_; }
  const Meta& meta() const { return meta_; }
  const std::vector<TensorView>& tensors() const { return tensors_; }  // in file order
  const TensorView* find(std::string_view name) const;
  const std::shared_ptr<const void>& keep() const { return keep_; }

 private:
  Container(std::string path, Meta meta, std::vector<TensorView> tensors, std::shared_ptr<const void> keep);

  std::string path_;
  Meta meta_;
  std::vector<TensorView> tensors_;
  std::vector<uint32_t> by_name_;  // positions in tensors_, sorted by name
  std::shared_ptr<const void> keep_;
};

// Container::of(...).write(...); returns the digest.
uint64_t write_container(const std::string& path, Meta meta, std::vector<TensorView> tensors, int zstd_level = 0);

}  // namespace nd
