// Bytes out: a path or "-". A path is replaced in one step or not at all.
//
// Writes go to a temporary file in the same folder; commit() flushes it to the disk, renames it onto the path and
// flushes the folder. A failed or killed run leaves the old file as it was and nothing beside it: until commit() the
// temporary file has no name, and goes with its writer. Where the file system has no such files (NFS, FAT) it is called
// .NAME.xxxxxx; a Sink that is destroyed without commit() removes it, and so do SIGINT, SIGTERM and SIGHUP unless the
// program handles them itself; only SIGKILL leaves it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/io/error.h"

namespace nd {

class Sink {
 public:
  // zstd_level 0 writes the bytes as they are; otherwise one zstd frame with a checksum.
  explicit Sink(const std::string& path, int zstd_level = 0);
  ~Sink();
  Sink(Sink&&) noexcept;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // Every write error, a full disk included, has been thrown as Error by the time this returns.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Throws Error when `path` cannot be replaced: for a program that works long before it writes. Devices and pipes are
// not tried, as opening one can be noticed at its other end.
void require_writable(const std::string& path);

}  // namespace nd
