// What is saved comes back the same, for every kind, plain and packed; what a kind forbids is refused by name.
#include "lib/io/kind_file.h"

#include <gtest/gtest.h>

#include "lib/io/digest.h"
#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/sample_kinds.h"
#include "tests/lib/io/temporary_folder.h"

namespace nd {
namespace {

template <class T>
class EveryKind : public testing::Test {};

TYPED_TEST_SUITE(EveryKind, sample::All);

TYPED_TEST(EveryKind, SavingWhatWasLoadedGivesTheSameBytes) {
  TemporaryFolder folder;
  for (int level : {0, 3}) {
    const std::string first = folder / "first", again = folder / "again";
    const uint64_t digest = save(first, sample::of<TypeParam>(), sample::meta(), level);
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

TEST(KindFile, ColumnsOfAMappedFileAreNotCopied) {
  TemporaryFolder folder;
  save(folder / "v", sample::vectors(), sample::meta());
  const Container file = Container::open(folder / "v");
  const auto v = from_container<Vectors>(file);
  EXPECT_EQ(static_cast<const void*>(v->x.values.data()), file.find("x")->bytes.data());
  EXPECT_EQ(static_cast<const void*>(v->id.values.data()), file.find("id.values")->bytes.data());
}

TEST(KindFile, ColumnsOutliveTheFile) {
  TemporaryFolder folder;
  for (int level : {0, 1}) {
    Strings id;
    {
      save(folder / "v", sample::vectors(), sample::meta(), level);
      id = load<Vectors>(folder / "v")->id;
      put(folder / "other", "");
      std::filesystem::rename(folder / "other", folder / "v");
    }
    EXPECT_EQ(id[1], "y");
  }
}

TEST(KindFile, HalfPrecisionMatricesKeepTheirElementType) {
  TemporaryFolder folder;
  for (Stored stored : {Stored::f16, Stored::bf16}) {
    const uint64_t digest = save(folder / "v", sample::vectors(stored), sample::meta());
    const auto v = load<Vectors>(folder / "v");
    EXPECT_EQ(v->x[0][2], 3);
    EXPECT_EQ(v->x[1][0], -0.5f);
    EXPECT_EQ(v->x[1][2], stored == Stored::f16 ? 65504 : 65536);
    EXPECT_EQ(save(folder / "again", v.data, v.meta), digest);
    EXPECT_EQ(Container::open(folder / "v").find("x")->dtype, stored == Stored::f16 ? DType::F16 : DType::BF16);
  }
}

TEST(KindFile, AnotherKindIsRefusedByName) {
  TemporaryFolder folder;
  save(folder / "k", sample::kg(), sample::meta());
  EXPECT_ND_ERROR(load<Corpus>(folder / "k"), "/k: expected a file of kind corpus/1, found kg/1");
}

TEST(KindFile, WhatBreaksARuleIsNotWritten) {
  TemporaryFolder folder;
  Kg kg = sample::kg();
  kg.tail = std::vector<int32_t>{0, 0, 9};
  EXPECT_ND_ERROR(save(folder / "k", kg, {}), "/k: tail row 3 is 9");
  Vectors vectors = sample::vectors();
  vectors.x.rows = 1;
  vectors.x.cols = 6;
  vectors.id = sample::strings("x");
  vectors.relation_x.cols = 6;
  EXPECT_ND_ERROR(save(folder / "v", vectors, {}), "tensor relation_x has not the size of its shape");
  EXPECT_EQ(folder.files(), 0u);
}

TEST(KindFile, InputsMustBeTheVeryFiles) {
  TemporaryFolder folder;
  save(folder / "c", sample::corpus(), {});
  const auto corpus = load<Corpus>(folder / "c");
  save(folder / "b", sample::behavior(), {.inputs = {corpus.as("corpus")}});
  const auto behavior = load<Behavior>(folder / "b");
  EXPECT_NO_THROW(require_same(behavior, "corpus", corpus));
  EXPECT_ND_ERROR(require_same(behavior, "kg", corpus), "/b: does not say which kg it was made from");
  save(folder / "c2", sample::corpus(), {.tool = "another"});
  const auto other = load<Corpus>(folder / "c2");
  EXPECT_ND_ERROR(require_same(behavior, "corpus", other), "/b: was made from the corpus " + hex(corpus.meta.digest) +
                                                               ", but " + folder.path() + "/c2 is " +
                                                               hex(other.meta.digest));
}

TEST(KindFile, CandidatesOfClicksMustLieAmongThem) {
  TemporaryFolder folder;
  save(folder / "corpus", sample::corpus(), {});
  const auto corpus = load<Corpus>(folder / "corpus");
  save(folder / "clicks", sample::clicks(), {.inputs = {corpus.as("corpus")}});
  const auto clicks = load<Clicks>(folder / "clicks");
  EXPECT_NO_THROW(require_same(clicks, "corpus", corpus));
  Candidates candidates = sample::candidates();
  const auto saved = [&] {
    save(folder / "candidates", candidates, {.inputs = {clicks.as("clicks")}});
    return load<Candidates>(folder / "candidates");
  };
  candidates.impression = std::vector<int32_t>{0, 2, 3};
  EXPECT_NO_THROW(require_same(saved(), "clicks", clicks));
  EXPECT_ND_ERROR(require_same(saved(), "behavior", clicks), "does not say which behavior it was made from");
  candidates.impression = std::vector<int32_t>{0, 2, 4};
  EXPECT_ND_ERROR(require_same(saved(), "clicks", clicks), "/candidates: impression row 3 is 4, expected 0 to 3");
  candidates.impression = std::vector<int32_t>{0, 2, 2};
  candidates.candidate = sample::ragged<int32_t>({{1, 2}, {1}, {}});
  EXPECT_ND_ERROR(require_same(saved(), "clicks", clicks), "candidate.values row 2 is 2, expected 0 to 1");
}

}  // namespace
}  // namespace nd
