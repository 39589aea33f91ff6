// A small file of every kind, cut at every place and changed at every byte: each is refused with a line that names the
// file. Nothing else may happen; the sanitizer build (cmake -DND_SANITIZE=ON) watches the same loops.
#include <gtest/gtest.h>

#include <cstring>

#include "lib/io/kind_file.h"
#include "lib/io/source.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

// Reads a file from memory of exactly its size, so that a sanitizer sees the first byte read beyond it.
void read_from_memory(std::string_view bytes) {
  std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  check_kind(Container::parse(copy, {copy.get(), bytes.size()}, "memory"));
}

constexpr char kChanges[] = {1, 2, 4, 8, 16, 32, 64, -128, -1};

template <class T>
class Damage : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::string file(int zstd_level) {
    save(folder / "file", sample::of<T>(), sample::meta(), zstd_level);
    return get(folder / "file");
  }
};

TYPED_TEST_SUITE(Damage, sample::All);

TYPED_TEST(Damage, EveryPrefixOfAPlainFileIsRefused) {
  const std::string whole = this->file(0);
  EXPECT_NO_THROW(read_from_memory(whole));
  for (size_t length = 0; length < whole.size(); ++length)
    ASSERT_TRUE(throws_error([&] { read_from_memory(whole.substr(0, length)); }, "memory: ")) << length;
}

TYPED_TEST(Damage, EveryChangedByteOfAPlainFileIsRefused) {
  std::string bytes = this->file(0);
  for (size_t at = 0; at < bytes.size(); ++at)
    for (char change : kChanges) {
      bytes[at] ^= change;
      ASSERT_TRUE(throws_error([&] { read_from_memory(bytes); }, "memory: ")) << at;
      bytes[at] ^= change;
    }
  EXPECT_NO_THROW(read_from_memory(bytes));
}

TYPED_TEST(Damage, EveryPrefixOfAPackedFileIsRefused) {
  const std::string whole = this->file(3), path = this->folder / "cut";
  for (size_t length = 0; length < whole.size(); ++length) {
    put(path, whole.substr(0, length));
    ASSERT_TRUE(throws_error([&] { load<TypeParam>(path); }, path + ": ")) << length;
  }
}

// Some bits of a frame say nothing of its content (such as unused flags); then the same content comes back.
TYPED_TEST(Damage, EveryChangedByteOfAPackedFileIsRefusedOrHarmless) {
  std::string bytes = this->file(3);
  const std::string path = this->folder / "changed";
  const uint64_t digest = load<TypeParam>(this->folder / "file").meta.digest;
  int harmless = 0;
  for (size_t at = 0; at < bytes.size(); ++at)
    for (char change : kChanges) {
      bytes[at] ^= change;
      put(path, bytes);
      try {
        ASSERT_EQ(load<TypeParam>(path).meta.digest, digest) << at;
        ++harmless;
      } catch (const Error& e) {
        ASSERT_EQ(std::string(e.what()).rfind(path + ": ", 0), 0u) << e.what();
      }
      bytes[at] ^= change;
    }
  EXPECT_LT(harmless, static_cast<int>(bytes.size() / 5)) << "of nine changes a byte";
}

TYPED_TEST(Damage, EveryAddedByteIsRefused) {
  for (int level : {0, 3}) {
    const std::string whole = this->file(level), path = this->folder / "longer";
    for (char more : {'\0', ' ', '\x28'}) {
      put(path, whole + more);
      EXPECT_ND_ERROR(load<TypeParam>(path), path + ": ");
    }
    put(path, whole + whole);
    EXPECT_ND_ERROR(load<TypeParam>(path), path + ": ");
  }
}

}  // namespace
}  // namespace nd
