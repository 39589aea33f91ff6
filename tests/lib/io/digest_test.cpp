// XXH64 against the test vectors of its own specification.
#include "lib/io/digest.h"

#include <gtest/gtest.h>

#include <string_view>

namespace nd {
namespace {

uint64_t digest_of(std::string_view text, size_t piece = SIZE_MAX) {
  Digest d;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    d.update(std::as_bytes(std::span(text.substr(0, piece))));
  return d.value();
}

TEST(Digest, IsXxh64WithSeedZero) {
  EXPECT_EQ(hex(digest_of("")), "ef46db3751d8e999");
  EXPECT_EQ(hex(digest_of("abc")), "44bc2cf5ad770999");
  EXPECT_EQ(hex(digest_of("Nobody inspects the spammish repetition")), "fbcea83c8a378bf1");
}

TEST(Digest, DoesNotDependOnThePiecesItIsFed) {
  const std::string text(1000, 'x');
  for (size_t piece : {1, 7, 32, 33, 999}) EXPECT_EQ(digest_of(text, piece), digest_of(text));
}

TEST(Digest, IsWrittenWithAllItsSixteenDigits) { EXPECT_EQ(hex(0xabc), "0000000000000abc"); }

}  // namespace
}  // namespace nd
