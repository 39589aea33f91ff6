// Every file of tests/formats: those of passed/ are read, and written again to the same bytes; those of failed/ are
// refused with their reason. The files were made by another implementation (tests/formats/make_golden.py).
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/io/kind_file.h"
#include "lib/io/source.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

std::vector<std::filesystem::path> golden(const std::string& part) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ND_SOURCE_DIR "/tests/formats/" + part))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

template <class T>
bool saved_again(const Container& container, const std::string& path) {
  if (container.meta().kind != T::kind) return false;
  const File<T> file = from_container<T>(container);
  save(path, file.data, file.meta);
  return true;
}

TEST(Golden, FilesThatMustPassDoAndAreWrittenTheSame) {
  const auto files = golden("passed");
  ASSERT_GE(files.size(), 15u);
  TemporaryFolder folder;
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const Container container = Container::open(file);
    EXPECT_NO_THROW(check_kind(container));
    const std::string again = folder / "again";
    EXPECT_TRUE(std::apply(
        [&](const auto&... kind) { return (saved_again<std::decay_t<decltype(kind)>>(container, again) || ...); },
        Kinds()));
    EXPECT_EQ(get(again), read_all(file).text());
  }
}

TEST(Golden, FilesThatMustFailDoForTheirReason) {
  const auto files = golden("failed");
  ASSERT_GE(files.size(), 130u);
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    std::string reason = get(std::filesystem::path(file).replace_extension(".reason"));
    ASSERT_GT(reason.size(), 1u);
    reason.pop_back();
    EXPECT_ND_ERROR(check_kind(Container::open(file)), file.string() + ": ");
    EXPECT_ND_ERROR(check_kind(Container::open(file)), reason);
  }
}

}  // namespace
}  // namespace nd
