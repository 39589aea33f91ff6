// Reading: what counts as a line, packed and piped input, and every way a file can end too early.
#include "lib/io/source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <thread>

#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

std::string zstd(std::string_view text, int checksum = 1) {
  ZSTD_CCtx* c = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
  std::string out(ZSTD_compressBound(text.size()), 0);
  out.resize(ZSTD_compress2(c, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(c);
  return out;
}

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, 0);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::vector<std::string> lines_of(const std::string& path, size_t limit = 16 << 20) {
  LineReader in(path, limit);
  std::vector<std::string> out;
  std::string_view line;
  while (in.next(line)) {
    out.emplace_back(line);
    EXPECT_EQ(in.row(), static_cast<int64_t>(out.size()));
  }
  EXPECT_FALSE(in.next(line));
  return out;
}

using Lines = std::vector<std::string>;

class Source : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::string file(std::string_view bytes) {
    put(folder / "file", bytes);
    return folder / "file";
  }
};

TEST_F(Source, LinesEndWithNewlineOrTheFile) {
  EXPECT_EQ(lines_of(file("")), Lines{});
  EXPECT_EQ(lines_of(file("a")), Lines{"a"});
  EXPECT_EQ(lines_of(file("a\n")), Lines{"a"});
  EXPECT_EQ(lines_of(file("\n\na\n\n")), (Lines{"", "", "a", ""}));
  EXPECT_EQ(lines_of(file("a\r\nb\rc\r\n\r\nd")), (Lines{"a", "b\rc", "", "d"}));
  EXPECT_EQ(lines_of(file(std::string_view("a\0b\nc", 5))), (Lines{std::string("a\0b", 3), "c"}));
  EXPECT_EQ(lines_of(file("\xef\xbb\xbf"
                          "a\n\xef\xbb\xbf"
                          "b")),
            (Lines{"a",
                   "\xef\xbb\xbf"
                   "b"}));
  EXPECT_EQ(lines_of(file("\xef\xbb\xbf")), Lines{});
}

// Every length around the buffer's, so that ends fall on, before and behind its edge.
TEST_F(Source, LinesMayCrossTheBuffer) {
  for (size_t length : {262141, 262142, 262143, 262144, 262145, 262146, 524287, 524288, 524289, 1000000}) {
    const Lines expected{std::string(length, 'x'), "short", std::string(300000, 'y'), std::string(length, 'z')};
    const std::string end = length % 2 ? "\n" : "\r\n";
    std::string text;
    for (const auto& line : expected) text += line + end;
    EXPECT_EQ(lines_of(file(text)), expected) << length;
    EXPECT_EQ(lines_of(file(zstd(text))), expected) << length;
  }
}

TEST_F(Source, LineOverTheLimitIsAnErrorWithItsRow) {
  const std::string text = "ok\n" + std::string(100, 'x') + "\n";
  EXPECT_EQ(lines_of(file(text), 100).size(), 2u);
  EXPECT_ND_ERROR(lines_of(file(text), 99), "file:2: the line is longer than 99 bytes");
  // Without a newline anywhere it must stop at the limit, not read on.
  EXPECT_ND_ERROR(lines_of("/dev/zero", 1 << 20), "/dev/zero:1: the line is longer");
}

TEST_F(Source, PackedTextIsRecognisedByItsFirstBytes) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i) + "\n";
  const Lines expected = lines_of(file(text));
  ASSERT_EQ(expected.size(), 200000u);
  EXPECT_EQ(lines_of(file(zstd(text))), expected);
  EXPECT_EQ(lines_of(file(gzip(text))), expected);
  for (const auto& packed : {zstd(text), gzip(text)}) EXPECT_EQ(read_all(file(packed)).text(), text);
  EXPECT_EQ(read_all(file(text)).text(), text);
  for (const std::string& part : {zstd("a\n"), gzip("a\n")})  // several frames are one text
    EXPECT_EQ(lines_of(file(part + part)), (Lines{"a", "a"}));
  EXPECT_EQ(lines_of(file(zstd(""))), Lines{});
  EXPECT_EQ(lines_of(file(gzip(""))), Lines{});
}

TEST_F(Source, PackedTextThatEndsEarlyOrIsDamagedNeverEndsCleanly) {
  const std::string text = "first line\nsecond line\nthird line\n";
  for (const std::string& whole : {zstd(text), gzip(text), zstd(text, 0)}) {
    for (size_t length = 4; length < whole.size(); ++length)
      EXPECT_ND_ERROR(lines_of(file(whole.substr(0, length))), "file: byte ") << length;
    EXPECT_ND_ERROR(lines_of(file(whole + "x")), "file: byte ");
  }
  for (const std::string& whole : {zstd(text), gzip(text)})
    for (size_t at = 4; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] ^= 0x20;
      Lines got;
      std::string error;
      try {
        got = lines_of(file(damaged));
      } catch (const Error& e) {
        error = e.what();
      }
      EXPECT_TRUE(!error.empty() || got == (Lines{"first line", "second line", "third line"})) << at;
    }
}

// A pipe that hands out one byte at a time.
TEST_F(Source, PipesGiveTheSameAsFiles) {
  const std::string fifo = folder / "fifo", text = "one\ntwo\nthree";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& bytes : {text, zstd(text), gzip(text), std::string("1"), std::string()}) {
    for (bool whole : {true, false}) {
      std::thread writer([&] {
        const int fd = ::open(fifo.c_str(), O_WRONLY);
        for (char c : bytes) EXPECT_EQ(::write(fd, &c, 1), 1);
        ::close(fd);
      });
      const std::string expected = bytes.size() > 1 ? text : bytes;
      if (whole) {
        EXPECT_EQ(read_all(fifo).text(), expected);
      } else {
        std::string joined;
        for (const auto& line : lines_of(fifo)) joined += (joined.empty() ? "" : "\n") + line;
        EXPECT_EQ(joined, expected);
      }
      writer.join();
    }
  }
}

TEST_F(Source, BuffersAreAligned) {
  for (const std::string& bytes : {std::string(100, 'x'), zstd(std::string(100, 'x'))})
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read_all(file(bytes)).view.data()) % 64, 0u);
}

TEST_F(Source, WhatCannotBeReadSaysWhy) {
  EXPECT_ND_ERROR(LineReader(folder / "absent"), "absent: cannot open: No such file");
  EXPECT_ND_ERROR(read_all(folder.path()), "is a directory");
  EXPECT_ND_ERROR(read_all(""), "empty path");
}

TEST_F(Source, LimitsStopABomb) {
  const std::string path = file(zstd(std::string(200 << 20, 'x')));
  ASSERT_LT(std::filesystem::file_size(path), 100000u);
  rusage before, after;
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_ND_ERROR(read_all(path, 1 << 20), "holds more than 1048576 bytes");
  EXPECT_ND_ERROR(read_declared(path, [](auto) { return 1 << 20; }), "more than the 1048576 bytes its header declares");
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10);  // KiB
  EXPECT_EQ(read_all(file("12345"), 5).text(), "12345");
  EXPECT_EQ(read_all(file(zstd("12345")), 5).text(), "12345");
  EXPECT_ND_ERROR(read_all(file("12345"), 4), "holds more than 4 bytes");
  EXPECT_ND_ERROR(read_all(file(zstd("12345")), 4), "holds more than 4 bytes");
}

TEST_F(Source, DeclaredFileIsOneFrameOfExactlyItsLength) {
  const auto five = [](auto) { return uint64_t{5}; };
  EXPECT_EQ(read_declared(file(zstd("12345")), five).text(), "12345");
  EXPECT_EQ(read_declared(file(zstd("123")), five).text(), "123");  // for the caller to refuse
  EXPECT_ND_ERROR(read_declared(file(zstd("12345") + zstd("")), five), "the packed data end here");
  EXPECT_ND_ERROR(read_declared(file(zstd("12345") + "x"), five), "the packed data end here");
}

TEST_F(Source, ProgressIsInBytesOfTheFile) {
  const std::string path = file("one\ntwo\n");
  LineReader in(path);
  EXPECT_EQ(in.total(), 8u);
  std::string_view line;
  while (in.next(line)) {}
  EXPECT_EQ(in.consumed(), 8u);
  EXPECT_ND_ERROR(in.fail("bad"), path + ":2: bad");
}

}  // namespace
}  // namespace nd
