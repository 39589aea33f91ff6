// One Input reads any descriptor in order and unpacks it; read_all, read_declared and LineReader stand on it. Plain
// regular files that are read whole are mapped instead and never copied.
#include "lib/io/source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nd {

std::string shown(const std::string& path) { return path == "-" ? "standard input" : path; }

namespace {

constexpr size_t kChunk = 256 << 10;
constexpr int kMaxZstdWindowLog = 27;  // 128 MiB, what `zstd` itself accepts without being asked

enum class Packing { none, zstd, gzip };

Packing packing_of(std::span<const std::byte> start) {
  constexpr unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd}, gzip[] = {0x1f, 0x8b};
  if (start.size() >= 4 && std::memcmp(start.data(), zstd, 4) == 0) return Packing::zstd;
  if (start.size() >= 2 && std::memcmp(start.data(), gzip, 2) == 0) return Packing::gzip;
  return Packing::none;
}

// Whether a packed stream may consist of several frames one after the other (text), or of one alone (containers).
enum class Frames { one, many };

class Input {
 public:
  Input(const std::string& path, Frames frames) : path_(shown(path)), frames_(frames) {
    if (path.empty()) throw Error("an empty path was given, expected the name of a file");
    fd_ = path == "-" ? ::dup(0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd_ < 0 || ::fstat(fd_, &st) != 0) {
      const int cause = errno;
      if (fd_ >= 0) ::close(fd_);
      throw SystemError(path_, std::string("cannot open: ") + std::strerror(cause));
    }
    if (S_ISDIR(st.st_mode)) {
      ::close(fd_);
      throw SystemError(path_, "is a directory, expected a file");
    }
    regular_ = S_ISREG(st.st_mode);
    if (regular_) {
      total_ = static_cast<uint64_t>(st.st_size);
      // Standard input may have been read in part by an earlier command of the same group.
      const off_t at = ::lseek(fd_, 0, SEEK_CUR);
      at_start_ = at == 0;
    }
  }
  Input(const Input&) = delete;
  ~Input() {
    if (unpack_zstd_) ZSTD_freeDStream(unpack_zstd_);
    if (gzip_ready_) ::inflateEnd(&unpack_gzip_);
    ::close(fd_);
  }

  // The whole of a plain regular file as a mapping; an empty view when it is anything else.
  Bytes map() {
    std::byte start[4];
    if (!regular_ || !at_start_ || total_ == 0) return {};
    const ssize_t got = ::pread(fd_, start, sizeof start, 0);
    if (got < 0) fail_system("cannot read");
    if (packing_of({start, static_cast<size_t>(got)}) != Packing::none) return {};
    const size_t size = total_;
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd_, 0);
    if (at == MAP_FAILED) fail_system("cannot map");
    std::shared_ptr<const void> keep(at, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
    return {std::move(keep), {static_cast<const std::byte*>(at), size}};
  }

  // Next bytes, at least one; 0 is a clean end and nothing else.
  size_t read(std::byte* out, size_t size) {
    if (!started_) start();
    switch (packing_) {
      case Packing::zstd:
        return read_zstd(out, size);
      case Packing::gzip:
        return read_gzip(out, size);
      case Packing::none:
        break;
    }
    if (begin_ < end_) {
      const size_t n = std::min(size, end_ - begin_);
      std::memcpy(out, raw_.data() + begin_, n);
      begin_ += n;
      return n;
    }
    return read_raw(out, size);
  }

  uint64_t consumed() const { return consumed_; }
  uint64_t total() const { return total_; }
  // Throws with the place in the file as it is stored.
  [[noreturn]] void fail(const std::string& what) const { throw Error(path_, place() + what); }

 private:
  std::string place() const { return "byte " + std::to_string(consumed_ - (end_ - begin_)) + ": "; }
  [[noreturn]] void fail_system(const std::string& doing) const {
    throw SystemError(path_, place() + doing + ": " + std::strerror(errno));
  }

  size_t read_raw(std::byte* out, size_t size) {
    ssize_t got;
    do got = ::read(fd_, out, std::min<size_t>(size, 1 << 30));
    while (got < 0 && errno == EINTR);
    if (got < 0) fail_system("cannot read");
    consumed_ += static_cast<uint64_t>(got);
    return static_cast<size_t>(got);
  }

  // Fills the raw buffer once it has been used up; false at the end of the file.
  bool refill() {
    if (begin_ < end_) return true;
    begin_ = end_ = 0;
    end_ = read_raw(raw_.data(), raw_.size());
    return end_ > 0;
  }

  void start() {
    started_ = true;
    raw_.resize(kChunk);
    while (end_ < 4) {  // a pipe may hand out less than the magic number at once
      const size_t got = read_raw(raw_.data() + end_, raw_.size() - end_);
      if (got == 0) break;
      end_ += got;
    }
    packing_ = packing_of({raw_.data(), end_});
    if (packing_ == Packing::zstd) {
      unpack_zstd_ = ZSTD_createDStream();
      if (!unpack_zstd_) throw std::bad_alloc();
      ZSTD_DCtx_setParameter(unpack_zstd_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    } else if (packing_ == Packing::gzip) {
      if (::inflateInit2(&unpack_gzip_, 15 + 16) != Z_OK) throw std::bad_alloc();
      gzip_ready_ = true;
    }
  }

  // Called between frames: true when another one may begin, false at the clean end.
  bool next_frame() {
    if (!refill()) return false;
    if (frames_ == Frames::one && frame_ > 0) fail("the packed data end here, expected no more bytes");
    ++frame_;
    return true;
  }

  size_t read_zstd(std::byte* out, size_t size) {
    for (;;) {
      const bool more = refill();
      if (between_frames_ && !next_frame()) return 0;
      ZSTD_inBuffer in{raw_.data(), end_, begin_};
      ZSTD_outBuffer to{out, size, 0};
      const size_t left = ZSTD_decompressStream(unpack_zstd_, &to, &in);
      begin_ = in.pos;
      if (ZSTD_isError(left)) fail(std::string("damaged zstd data (") + ZSTD_getErrorName(left) + ")");
      between_frames_ = left == 0;
      if (to.pos > 0) return to.pos;
      if (!more && !between_frames_) fail("the zstd data end too early");
    }
  }

  size_t read_gzip(std::byte* out, size_t size) {
    for (;;) {
      const bool more = refill();
      if (between_frames_) {
        if (!next_frame()) return 0;
        ::inflateReset(&unpack_gzip_);
      }
      unpack_gzip_.next_in = reinterpret_cast<Bytef*>(raw_.data() + begin_);
      unpack_gzip_.avail_in = static_cast<uInt>(end_ - begin_);
      unpack_gzip_.next_out = reinterpret_cast<Bytef*>(out);
      unpack_gzip_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1 << 30));
      const uInt room = unpack_gzip_.avail_out;
      const int status = ::inflate(&unpack_gzip_, Z_NO_FLUSH);
      begin_ = end_ - unpack_gzip_.avail_in;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        fail(std::string("damaged gzip data (") + (unpack_gzip_.msg ? unpack_gzip_.msg : "not a gzip stream") + ")");
      between_frames_ = status == Z_STREAM_END;
      const size_t made = room - unpack_gzip_.avail_out;
      if (made > 0) return made;
      if (!more && !between_frames_) fail("the gzip data end too early");
    }
  }

  std::string path_;
  Frames frames_;
  int fd_ = -1;
  bool regular_ = false, at_start_ = false, started_ = false;
  uint64_t consumed_ = 0, total_ = 0;

  std::vector<std::byte> raw_;  // bytes as stored; [begin_, end_) are still unused
  size_t begin_ = 0, end_ = 0;

  Packing packing_ = Packing::none;
  bool between_frames_ = true;
  int64_t frame_ = 0;
  ZSTD_DStream* unpack_zstd_ = nullptr;
  z_stream unpack_gzip_{};
  bool gzip_ready_ = false;
};

// Page-aligned memory that grows with what has arrived, without copying it.
class Growing {
 public:
  Growing() = default;
  Growing(const Growing&) = delete;
  ~Growing() {
    if (at_) ::munmap(at_, room_);
  }
  // Room for at least one more byte, at most `limit` bytes in all (limit > size).
  std::span<std::byte> free_space(uint64_t limit) {
    if (size_ == room_) {
      const size_t room = room_ ? room_ * 2 : kChunk;
      void* at = at_ ? ::mremap(at_, room_, room, MREMAP_MAYMOVE)
                     : ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at == MAP_FAILED) throw std::bad_alloc();
      at_ = at;
      room_ = room;
    }
    return {static_cast<std::byte*>(at_) + size_, static_cast<size_t>(std::min<uint64_t>(room_, limit) - size_)};
  }
  void add(size_t bytes) { size_ += bytes; }
  size_t size() const { return size_; }
  std::span<const std::byte> view() const { return {static_cast<const std::byte*>(at_), size_}; }
  Bytes take() {
    const size_t room = room_;
    std::shared_ptr<const void> keep(at_, [room](const void* p) {
      if (p) ::munmap(const_cast<void*>(p), room);
    });
    Bytes out{std::move(keep), view()};
    at_ = nullptr;
    return out;
  }

 private:
  void* at_ = nullptr;
  size_t room_ = 0, size_ = 0;
};

}  // namespace

Bytes read_all(const std::string& path, uint64_t limit) {
  Input in(path, Frames::many);
  Bytes mapped = in.map();
  const std::string too_long = "holds more than " + std::to_string(limit) + " bytes";
  if (mapped.keep) {
    if (mapped.view.size() > limit) throw Error(shown(path), too_long);
    return mapped;
  }
  Growing buffer;
  while (buffer.size() < limit) {
    const auto room = buffer.free_space(limit);
    const size_t got = in.read(room.data(), room.size());
    if (got == 0) return buffer.take();
    buffer.add(got);
  }
  std::byte beyond;
  if (in.read(&beyond, 1) > 0) throw Error(shown(path), too_long);
  return buffer.take();
}

Bytes read_declared(const std::string& path, const std::function<uint64_t(std::span<const std::byte>)>& declared,
                    bool only_start) {
  Input in(path, Frames::one);
  Bytes mapped = in.map();
  if (mapped.keep) return mapped;
  Growing buffer;
  for (uint64_t wanted; (wanted = declared(buffer.view())) > buffer.size();) {
    while (buffer.size() < wanted) {
      const auto room = buffer.free_space(wanted);
      const size_t got = in.read(room.data(), room.size());
      if (got == 0) return buffer.take();
      buffer.add(got);
    }
  }
  std::byte beyond;
  if (!only_start && in.read(&beyond, 1) > 0)
    throw Error(shown(path), "holds more than the " + std::to_string(buffer.size()) + " bytes its header declares");
  return buffer.take();
}

struct LineReader::Stream {
  Input in;
  std::vector<char> buffer = std::vector<char>(kChunk);
  size_t begin = 0, end = 0;  // [begin, end) has been read and not yet been returned
  bool ended = false;

  // Reads more behind what is there; moves it to the front first, and grows when it fills the buffer.
  void fill() {
    if (begin > 0) {
      std::memmove(buffer.data(), buffer.data() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    if (end == buffer.size()) buffer.resize(buffer.size() * 2);
    const size_t got = in.read(reinterpret_cast<std::byte*>(buffer.data() + end), buffer.size() - end);
    ended = got == 0;
    end += got;
  }
};

LineReader::LineReader(const std::string& path, size_t line_limit)
    : stream_(new Stream{{path, Frames::many}}), path_(path), line_limit_(line_limit) {
  Stream& s = *stream_;
  while (s.end < 3 && !s.ended) s.fill();
  if (s.end >= 3 && std::memcmp(s.buffer.data(), "\xef\xbb\xbf", 3) == 0) s.begin = 3;
}

LineReader::~LineReader() = default;

bool LineReader::next(std::string_view& line) {
  Stream& s = *stream_;
  for (size_t seen = 0;;) {
    const char* from = s.buffer.data() + s.begin;
    const size_t have = s.end - s.begin;
    const auto* newline = static_cast<const char*>(std::memchr(from + seen, '\n', have - seen));
    const size_t length = newline ? static_cast<size_t>(newline - from) : have;
    if (length > line_limit_) {
      ++row_;
      fail("the line is longer than " + std::to_string(line_limit_) + " bytes");
    }
    if (newline) {
      line = {from, length > 0 && from[length - 1] == '\r' ? length - 1 : length};
      s.begin += length + 1;
      ++row_;
      return true;
    }
    if (s.ended) {
      line = {from, have};
      s.begin = s.end;
      if (have > 0) ++row_;
      return have > 0;
    }
    seen = have;
    s.fill();
  }
}

uint64_t LineReader::consumed() const { return stream_->in.consumed(); }
uint64_t LineReader::total() const { return stream_->in.total(); }

}  // namespace nd
