// Writing: a path is replaced in one step or not at all, whatever happens on the way.
#include "lib/io/sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdarg>

#include "lib/io/source.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

// This program's open, fsync and rename come before the C library's: they note the order of calls, and fail when told
// to.
namespace {
std::string calls;
int fsync_fails_with = 0, signal_in_rename = 0;
bool may_be_unnamed = true;  // whether there are files without a name here, as on most file systems
bool was_unnamed = false;    // whether the last one that was asked for could be had
}  // namespace
extern "C" int open(const char* path, int flags, ...) {
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  mode_t mode = 0;
  if (unnamed || (flags & O_CREAT)) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  errno = EOPNOTSUPP;
  const bool refused = unnamed && !may_be_unnamed;
  const int fd = refused ? -1 : static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (unnamed) was_unnamed = fd >= 0;
  return fd;
}
extern "C" int fsync(int fd) {
  struct stat st;
  ::fstat(fd, &st);
  calls += S_ISDIR(st.st_mode) ? "sync-folder " : "sync-file(" + std::to_string(st.st_size) + ") ";
  errno = fsync_fails_with;
  return fsync_fails_with ? -1 : 0;
}
extern "C" int rename(const char* from, const char* to) noexcept {
  calls += "rename ";
  if (signal_in_rename) ::raise(signal_in_rename);
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

namespace nd {
namespace {

// All of it with temporary files that have no name, and with such as have one.
class SinkTest : public testing::TestWithParam<bool> {
 protected:
  SinkTest() {
    ::unsetenv("ND_NO_SYNC");
    may_be_unnamed = GetParam();
    calls.clear();
    put(path, "old");
  }
  ~SinkTest() override {
    fsync_fails_with = 0;
    may_be_unnamed = true;
  }

  // Runs `body` in a process of its own and returns its wait status.
  template <class Body>
  int in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }
  void expect_untouched(size_t files = 1) {
    EXPECT_EQ(get(path), "old");
    EXPECT_EQ(folder.files(), files);
  }

  TemporaryFolder folder;
  const std::string path = folder / "out";
};

INSTANTIATE_TEST_SUITE_P(Files, SinkTest, testing::Values(true, false),
                         [](const auto& info) { return info.param ? "WithoutAName" : "WithAName"; });

TEST_P(SinkTest, FileAppearsAtCommitAndNotBefore) {
  Sink sink(path);
  sink.write("new ");
  sink.write("content");
  EXPECT_EQ(get(path), "old");
  sink.commit();
  EXPECT_EQ(get(path), "new content");
  EXPECT_EQ(folder.files(), 1u);
}

TEST_P(SinkTest, SmallAndLargeWritesKeepTheirOrder) {
  std::string expected;
  Sink sink(path);
  for (size_t size : {1, 100000, 200000, 262143, 262144, 262145, 5, 1000000, 3}) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    sink.write(piece);
    expected += piece;
  }
  sink.commit();
  EXPECT_TRUE(get(path) == expected);
}

TEST_P(SinkTest, IsFlushedToTheDiskBeforeTheRenameAndItsFolderAfterwards) {
  Sink sink(path);
  sink.write("12345");
  sink.commit();
  EXPECT_EQ(calls, "sync-file(5) rename sync-folder ");
  ::setenv("ND_NO_SYNC", "1", 1);
  calls.clear();
  Sink quick(path);
  quick.commit();
  EXPECT_EQ(calls, "rename ");
}

TEST_P(SinkTest, FlushThatFailsLeavesTheOldFile) {
  fsync_fails_with = EIO;
  {
    Sink sink(path);
    sink.write("new");
    EXPECT_ND_ERROR(sink.commit(), path + ": cannot flush to the disk: Input/output error");
  }
  expect_untouched();
}

TEST_P(SinkTest, WithoutCommitNothingIsLeft) {
  { Sink(path).write("new"); }
  expect_untouched();
}

TEST_P(SinkTest, NewFileHasThePermissionsOfAnyNewFile) {
  const mode_t before = ::umask(027);
  Sink sink(folder / "fresh");
  sink.commit();
  ::umask(before);
  struct stat st;
  ASSERT_EQ(::stat((folder / "fresh").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0640u);
}

TEST_P(SinkTest, LinkStaysALinkAndItsTargetIsReplaced) {
  ASSERT_EQ(::symlink("out", (folder / "link").c_str()), 0);
  Sink sink(folder / "link");
  sink.write("new");
  sink.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(get(path), "new");
  ASSERT_EQ(::symlink("nowhere", (folder / "dangling").c_str()), 0);
  EXPECT_ND_ERROR(Sink(folder / "dangling"), "is a link to a file that does not exist");
}

TEST_P(SinkTest, NamesOfAnyLengthWork) {
  const std::string longest = folder / std::string(255, 'n');
  Sink sink(longest);
  sink.write("new");
  sink.commit();
  EXPECT_EQ(get(longest), "new");
}

TEST_P(SinkTest, PackedOutputIsOneFrameWithAChecksum) {
  const std::string text(500000, 'x');
  Sink sink(path, 3);
  sink.write(text);
  sink.write("end");
  sink.commit();
  const std::string packed = get(path);
  EXPECT_LT(packed.size(), 1000u);
  EXPECT_EQ(ZSTD_findFrameCompressedSize(packed.data(), packed.size()), packed.size());
  EXPECT_TRUE(packed[4] & 4) << "the frame header's checksum flag";
  EXPECT_EQ(read_all(path).text(), text + "end");
  Sink empty(path, 3);
  empty.commit();
  EXPECT_EQ(read_all(path).text(), "");
}

TEST_P(SinkTest, WhereNothingCanBeWrittenSaysWhy) {
  EXPECT_ND_ERROR(Sink(folder.path()), "is a directory");
  EXPECT_ND_ERROR(Sink(folder / "absent/out"), "absent/out: cannot create a file in its folder: No such file");
  EXPECT_ND_ERROR(Sink(folder / "absent/"), "names a folder");
  EXPECT_ND_ERROR(Sink(""), "empty path");
}

TEST_P(SinkTest, FullDeviceIsNoticed) {
  Sink sink("/dev/full");
  sink.write("x");
  EXPECT_ND_ERROR(sink.commit(), "/dev/full: cannot write: No space left on device");
  Sink packed("/dev/full", 3);
  packed.write("x");
  EXPECT_ND_ERROR(packed.commit(), "/dev/full: cannot write: No space left on device");
}

TEST_P(SinkTest, DevicesAndPipesAreWrittenDirectly) {
  Sink null("/dev/null");
  null.write("x");
  null.commit();
  struct stat st;
  ASSERT_EQ(::stat("/dev/null", &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Sink pipe("/dev/fd/" + std::to_string(ends[1]));
  pipe.write("through");
  pipe.commit();
  char got[8] = {};
  EXPECT_EQ(::read(ends[0], got, 7), 7);
  EXPECT_STREQ(got, "through");
  ::close(ends[0]);
  ::close(ends[1]);
}

// The disk is full in the middle of a large file: the limit on the size of files plays the disk.
TEST_P(SinkTest, FullDiskLeavesTheOldFile) {
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before, small;
  ::getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 1 << 20;
  ::setrlimit(RLIMIT_FSIZE, &small);
  {
    Sink sink(path);
    EXPECT_ND_ERROR(for (int i = 0; i < 100; ++i) sink.write(std::string(100000, 'x')), path + ": cannot write: ");
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  expect_untouched();
}

TEST_P(SinkTest, ClosedPipeIsAnError) {
  const int status = in_child([] {
    int ends[2];
    if (::pipe(ends) != 0 || ::dup2(ends[1], 1) != 1) ::_exit(3);
    ::close(ends[0]);
    ::signal(SIGPIPE, SIG_IGN);
    try {
      Sink sink("-");
      sink.write("x");
      sink.commit();
    } catch (const Error& e) {
      ::_exit(std::string(e.what()) == "standard output: cannot write: Broken pipe" ? 4 : 5);
    }
  });
  EXPECT_EQ(WEXITSTATUS(status), 4);
}

TEST_P(SinkTest, SignalsRemoveTheTemporaryFileAndKillAsUsual) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = in_child([&] {
      Sink sink(path), second(folder / "second");
      sink.write(std::string(1 << 20, 'x'));
      ::raise(signal);
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << signal;
    expect_untouched();
  }
}

TEST_P(SinkTest, SignalInTheMiddleOfCommitLeavesTheOldFile) {
  const int status = in_child([&] {
    signal_in_rename = SIGTERM;
    Sink sink(path);
    sink.write("new");
    sink.commit();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  expect_untouched();
}

TEST_P(SinkTest, SignalHandlersOfTheProgramStay) {
  const int status = in_child([&] {
    ::signal(SIGTERM, [](int) { ::_exit(9); });
    ::signal(SIGHUP, SIG_IGN);
    Sink sink(path);
    ::raise(SIGHUP);
    ::raise(SIGTERM);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

TEST_P(SinkTest, KillInTheMiddleLeavesTheOldFile) {
  const int status = in_child([&] {
    Sink sink(path);
    for (int i = 0;; ++i) {
      sink.write(std::string(100000, 'x'));
      if (i == 30) ::raise(SIGKILL);
    }
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  { Sink probe(path); }
  expect_untouched(was_unnamed ? 1 : 2);  // one with a name nobody could remove
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_TRUE(entry.path() == path || entry.path().filename().string().starts_with(".out.")) << entry.path();
}

}  // namespace
}  // namespace nd
