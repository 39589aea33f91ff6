// Bytes in: a path or "-", plain or compressed (zstd and gzip are recognised by their first bytes).
//
// Two ways to read: whole (containers; mapped when the file is plain) and by lines (raw text; streamed, so memory
// does not grow with the file). Both have three outcomes that cannot be mixed: data, a clean end, or an Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/io/error.h"

namespace nd {

// What messages call a path ("-" becomes "standard input").
std::string shown(const std::string& path);

// All bytes of a path, 64-aligned, alive as long as `keep`.
struct Bytes {
  std::shared_ptr<const void> keep;
  std::span<const std::byte> view;

  std::string_view text() const { return {reinterpret_cast<const char*>(view.data()), view.size()}; }
};

// Maps a plain file; buffers a pipe or a compressed one. Never holds more than `limit` bytes: past it is an Error, so a
// decompression bomb stops there. Directories, missing files and empty paths are Errors that say so.
Bytes read_all(const std::string& path, uint64_t limit = UINT64_MAX);

// The same for a file that declares its own length: declared(bytes so far) says how many bytes there must be in all, as
// far as is known yet. Stops with an Error at the first byte too many (a shorter file is returned as it is, for the
// caller to refuse), and a packed one must be one single frame. With only_start what follows is not looked at.
Bytes read_declared(const std::string& path, const std::function<uint64_t(std::span<const std::byte>)>& declared,
                    bool only_start = false);

// Lines of text without their end ("\n" or "\r\n"). A last line without a newline counts. A line over `line_limit`
// bytes is an Error. A compressed stream that ends early is an Error, never a clean end. A byte order mark
// at the very start is left out.
class LineReader {
 public:
  explicit LineReader(const std::string& path, size_t line_limit = 16 << 20);
  ~LineReader();
  LineReader(const LineReader&) = delete;

  // The view is valid until the next call.
  bool next(std::string_view& line);
  // Row of the line last returned, from 1.
  int64_t row() const { return row_; }
  const std::string& path() const { return path_; }
  // Bytes of the file consumed so far and in all (0 when unknown), for progress.
  uint64_t consumed() const;
  uint64_t total() const;
  // Throws Error "path:row: what".
  [[noreturn]] void fail(const std::string& what) const { throw Error(shown(path_), row_, what); }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string path_;
  size_t line_limit_;
  int64_t row_ = 0;
};

}  // namespace nd
