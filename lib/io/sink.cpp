#include "lib/io/sink.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <vector>

namespace nd {
namespace {

constexpr size_t kBuffer = 256 << 10;

// Names of the temporary files that have one right now, for the signal handler: plain pointers in a fixed table,
// because a handler may neither lock nor allocate. More than fit are written all the same and merely not removed by a
// signal.
std::array<std::atomic<const char*>, 64> temporary_files;

void remove_temporary_files(int signal) {
  for (auto& slot : temporary_files)
    if (const char* name = slot.load()) ::unlink(name);
  // Die of the same signal, so that the caller sees the truth.
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

// Only where the program has not decided otherwise: trainers have handlers of their own, nohup ignores SIGHUP.
void install_handlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction now;
      if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
      struct sigaction ours {};
      ours.sa_handler = remove_temporary_files;
      ::sigaction(signal, &ours, nullptr);
    }
  });
}

std::string random_suffix() {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string out;
  for (int i = 0; i < 6; ++i) out += kLetters[random() % 36];
  return out;
}

bool starts_with(const std::string& s, const char* prefix) { return s.rfind(prefix, 0) == 0; }

}  // namespace

struct Sink::State {
  std::string shown;      // what messages call the target
  std::string target;     // where the temporary file goes in the end; empty when written directly
  std::string temporary;  // its name, empty while it has none
  std::atomic<const char*>* slot = nullptr;
  int fd = -1;
  std::vector<std::byte> buffer;
  ZSTD_CStream* pack = nullptr;
  std::vector<std::byte> packed;

  ~State() {
    if (pack) ZSTD_freeCStream(pack);
    if (fd >= 0) ::close(fd);
    if (!temporary.empty()) ::unlink(temporary.c_str());
    if (slot) slot->store(nullptr);
  }

  [[noreturn]] void fail(const std::string& doing, int cause) const {
    throw SystemError(shown, "cannot " + doing + ": " + std::strerror(cause));
  }

  std::string folder() const {
    const size_t slash = target.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : target.substr(0, slash);
  }

  void open(const std::string& path) {
    if (path.empty()) throw Error("an empty path was given, expected the name of a file to write");
    shown = path == "-" ? "standard output" : path;
    if (path == "-" || path == "/dev/stdout") {
      fd = ::dup(1);
      if (fd < 0) fail("write", errno);
      return;
    }
    struct stat st;
    const bool exists = ::stat(path.c_str(), &st) == 0;
    if (exists && S_ISDIR(st.st_mode)) throw SystemError(shown, "is a directory, expected the name of a file to write");
    // Devices and pipes cannot be replaced; other programs' open files should not be.
    if (exists && (!S_ISREG(st.st_mode) || starts_with(path, "/dev/fd/") || starts_with(path, "/proc/") ||
                   path == "/dev/stderr")) {
      fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) fail("open for writing", errno);
      return;
    }
    target = path;
    if (char* real = exists ? ::realpath(path.c_str(), nullptr) : nullptr) {  // a link stays a link
      target = real;
      ::free(real);
    } else if (::lstat(path.c_str(), &st) == 0) {
      throw SystemError(shown, "is a link to a file that does not exist");
    }
    if (target.back() == '/') throw SystemError(shown, "names a folder, expected the name of a file to write");
    create();
  }

  // Creates the temporary file with the permissions any new file gets (mkstemp would make it private), without a name
  // if it can be given one later.
  void create() {
    fd = ::open(folder().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0 && ::access(link_to_fd().c_str(), F_OK) == 0) return;
    if (fd >= 0) ::close(fd);
    with_name([this](const char* name) { return fd = ::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
    if (fd < 0) fail("create a file in its folder", errno);
  }

  // How a file without a name is found: /proc has a link to whatever a process has open.
  std::string link_to_fd() const { return "/proc/self/fd/" + std::to_string(fd); }

  void give_name() {
    const int linked = with_name([this](const char* name) {
      return ::linkat(AT_FDCWD, link_to_fd().c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW);
    });
    if (linked < 0) fail("create a file in its folder", errno);
  }

  // Calls make(name) for names beside the target until one is free; what make returned, with `temporary` the name when
  // it is not negative.
  template <class Make>
  int with_name(Make&& make) {
    install_handlers();
    for (auto& free : temporary_files) {
      const char* none = nullptr;
      if (free.compare_exchange_strong(none, "")) {
        slot = &free;
        break;
      }
    }
    const size_t slash = target.rfind('/');
    const std::string name = slash == std::string::npos ? target : target.substr(slash + 1);
    int made;
    do {
      if (slot) slot->store("");
      temporary = folder() + "/." + name.substr(0, NAME_MAX - 8) + "." + random_suffix();
      if (slot) slot->store(temporary.c_str());  // before it exists, so that no signal comes too early
      made = make(temporary.c_str());
    } while (made < 0 && errno == EEXIST);
    if (made < 0) {
      if (slot) slot->store("");
      temporary.clear();
    }
    return made;
  }

  void put(const std::byte* bytes, size_t size) {
    while (size > 0) {
      const ssize_t done = ::write(fd, bytes, std::min<size_t>(size, 1 << 30));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("write", errno);
      bytes += done;
      size -= static_cast<size_t>(done);
    }
  }

  // Buffers small writes; large ones go straight through.
  void put_buffered(const std::byte* bytes, size_t size) {
    if (buffer.size() + size > kBuffer) flush();
    if (size >= kBuffer) put(bytes, size);
    else buffer.insert(buffer.end(), bytes, bytes + size);
  }

  void flush() {
    put(buffer.data(), buffer.size());
    buffer.clear();
  }

  void compress(std::span<const std::byte> bytes, ZSTD_EndDirective how) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      const size_t left = ZSTD_compressStream2(pack, &out, &in, how);
      if (ZSTD_isError(left)) throw Error(shown, std::string("cannot compress: ") + ZSTD_getErrorName(left));
      put_buffered(packed.data(), out.pos);
      if (how == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }
};

Sink::Sink(const std::string& path, int zstd_level) : state_(std::make_unique<State>()) {
  state_->open(path);
  state_->buffer.reserve(kBuffer);
  if (zstd_level == 0) return;
  state_->pack = ZSTD_createCStream();
  if (!state_->pack) throw std::bad_alloc();
  if (ZSTD_isError(ZSTD_CCtx_setParameter(state_->pack, ZSTD_c_compressionLevel, zstd_level)) ||
      ZSTD_isError(ZSTD_CCtx_setParameter(state_->pack, ZSTD_c_checksumFlag, 1)))
    throw Error(state_->shown, "cannot compress at level " + std::to_string(zstd_level));
  state_->packed.resize(ZSTD_CStreamOutSize());
}

Sink::Sink(Sink&&) noexcept = default;
Sink::~Sink() = default;

void require_writable(const std::string& path) {
  struct stat st;
  if (path != "-" && (::stat(path.c_str(), &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) Sink{path};
}

void Sink::write(std::span<const std::byte> bytes) {
  if (state_->pack) state_->compress(bytes, ZSTD_e_continue);
  else state_->put_buffered(bytes.data(), bytes.size());
}

void Sink::commit() {
  State& s = *state_;
  if (s.pack) s.compress({}, ZSTD_e_end);
  s.flush();
  const bool replace = !s.target.empty();
  const bool sync = replace && ::getenv("ND_NO_SYNC") == nullptr;
  if (sync && ::fsync(s.fd) != 0) s.fail("flush to the disk", errno);
  if (replace && s.temporary.empty()) s.give_name();
  const int closed = ::close(s.fd);
  s.fd = -1;
  if (closed != 0) s.fail("close", errno);
  if (!replace) return;
  if (::rename(s.temporary.c_str(), s.target.c_str()) != 0) s.fail("put in its place", errno);
  if (s.slot) s.slot->store(nullptr);
  s.slot = nullptr;
  s.temporary.clear();
  if (!sync) return;
  const int folder = ::open(s.folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = folder >= 0 && ::fsync(folder) == 0;
  const int cause = errno;
  if (folder >= 0) ::close(folder);
  // Some file systems cannot flush a folder; the file itself is safe by now.
  if (!flushed && cause != EINVAL && cause != EROFS) s.fail("flush its folder to the disk", cause);
}

}  // namespace nd
