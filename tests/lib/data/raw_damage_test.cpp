// Every raw file of tests/fuzz/seeds cut at every place and changed at every byte: read, or refused with an Error that
// names the file, and what is read keeps the rules of its kind. The fuzzer of these readers (make fuzz) goes on from
// here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/data/raw_fuzz.cpp"

namespace nd {
namespace {

void read_any(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

TEST(RawReaders, SurviveEveryCutAndEveryChangedByte) {
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ND_SOURCE_DIR "/tests/fuzz/seeds/raw")) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    ASSERT_GT(bytes.size(), 2u) << entry.path();
    ++seeds;
    EXPECT_NO_THROW(read(bytes[0] - '0', bytes[1] - '0', std::string_view(bytes).substr(2))) << entry.path();
    for (size_t length = 0; length <= bytes.size(); ++length) read_any(bytes.substr(0, length));
    // The first two bytes choose the reader: they stay.
    for (size_t at = 2; at < bytes.size(); ++at)
      for (const int change : {1, 16, 128, 255}) {
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        read_any(bytes);
        bytes[at] = static_cast<char>(bytes[at] ^ change);
      }
  }
  EXPECT_GE(seeds, 19);
}

}  // namespace
}  // namespace nd
