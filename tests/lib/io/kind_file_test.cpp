// What is saved comes back the same, for every kind, plain and packed; what a kind forbids is refused by name.
#include "lib/io/kind_file.h"

#include <gtest/gtest.h>

#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

template <class T>
class EveryKind : public testing::Test {};

template <class T>
T sample_of() {
  if constexpr (std::is_same_v<T, Corpus>) return sample::corpus();
  if constexpr (std::is_same_v<T, Behavior>) return sample::behavior();
  if constexpr (std::is_same_v<T, Kg>) return sample::kg();
  if constexpr (std::is_same_v<T, Vectors>) return sample::vectors();
  if constexpr (std::is_same_v<T, Candidates>) return sample::candidates();
  if constexpr (std::is_same_v<T, Scores>) return sample::scores();
  if constexpr (std::is_same_v<T, Params>) return sample::params();
  if constexpr (std::is_same_v<T, Checkpoint>) return sample::checkpoint();
}

using All = testing::Types<Corpus, Behavior, Kg, Vectors, Candidates, Scores, Params, Checkpoint>;
TYPED_TEST_SUITE(EveryKind, All);

TYPED_TEST(EveryKind, SavingWhatWasLoadedGivesTheSameBytes) {
  TemporaryFolder folder;
  for (int level : {0, 3}) {
    const std::string first = folder / "first", again = folder / "again";
    const uint64_t digest = save(first, sample_of<TypeParam>(), sample::meta(), level);
    const File<TypeParam> loaded = load<TypeParam>(first);
    EXPECT_EQ(loaded.meta.digest, digest);
    EXPECT_EQ(loaded.meta.kind, TypeParam::kind);
    EXPECT_EQ(loaded.meta.options.dump(), sample::meta().options.dump());
    EXPECT_EQ(save(again, loaded.data, loaded.meta, level), digest);
    EXPECT_EQ(get(first), get(again));
    check_kind(Container::open(first));
  }
}

TEST(KindFile, ColumnsComeBackWithTheirValues) {
  TemporaryFolder folder;
  save(folder / "c", sample::corpus(), sample::meta());
  const auto c = load<Corpus>(folder / "c");
  EXPECT_EQ(c->title[0], "Snø i nord");
  EXPECT_EQ(c->abstract[1], "雪");
  EXPECT_EQ(c->published[0], 1573552800);
  EXPECT_EQ(c->link_entity[0][1], 1);
  EXPECT_EQ(c->link_confidence[1], 0.5f);
  save(folder / "k", sample::checkpoint(), sample::meta());
  const auto k = load<Checkpoint>(folder / "k");
  EXPECT_EQ(k->tensor.at("now.w")[0][1], 2);
  EXPECT_EQ(k->counter.at("epoch")[0], 3);
  EXPECT_EQ(k->number.at("validation")[1], 0.625);
}

}  // namespace
}  // namespace nd
