// A trained KRED on disk: what may be opened, and what a damaged or strange file is told. The tools' Bats tests show
// the same for digests of entity vectors and graph.
#include "lib/models/kred_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/lib/io/expect_error.h"
#include "tests/lib/io/temporary_folder.h"
#include "tests/lib/models/kred_world.h"

namespace nd {
namespace {

using namespace kred_world;

// A newsroom and an untrained model in files.
class KredFile : public testing::Test {
 protected:
  KredFile() {
    paths = {folder / "corpus.nd", folder / "documents.nd", folder / "entities.nd", folder / "kg.nd"};
    // Columns that the world leaves out, as KRED reads none of them.
    StringsBuilder names, empty;
    for (int64_t e = 0; e < kEntities; ++e) names.push("name " + std::to_string(e));
    world.corpus.entity_label = names.take();
    for (int64_t a = 0; a < kArticles; ++a) empty.push("");
    world.corpus.title = world.corpus.abstract = world.corpus.body = world.corpus.url = empty.take();
    world.corpus.published = std::vector<int64_t>(kArticles, -1);
    world.corpus.category = world.corpus.subcategory = std::vector<int32_t>(kArticles, -1);
    save(paths.corpus, world.corpus, {});
    save(paths.documents, world.documents, {});
    save(paths.entities, world.entities, {});
    save(paths.kg, world.kg, {});
    settings.model.hidden = kHidden;
    settings.model.width = kWidth;
    settings.shape = {kBase, kD, kTypes, 0};
    const Kred model(settings.model, settings.shape, settings.seed);
    content = kred_params(model, world.corpus.type_name);
    settings.to_json(meta.options);
    const KredFiles files(paths, settings.model);
    meta.inputs = files.inputs();
  }
  // Opens the params as they are in `content` and `meta` now.
  void open() {
    save(folder / "params.nd", content, meta);
    OpenKred(folder / "params.nd", paths);
  }

  TemporaryFolder folder;
  World world;
  KredPaths paths;
  KredSettings settings;
  Params content;
  Meta meta;
};

TEST_F(KredFile, OpensWithTheBitsThatWereSaved) {
  save(folder / "params.nd", content, meta);
  OpenKred open(folder / "params.nd", paths);
  EXPECT_EQ(open.settings.model.to_json().dump(), settings.model.to_json().dump());
  EXPECT_EQ(open.settings.seed, settings.seed);
  for (const auto& [name, tensor] : content.tensor) {
    const Parameter* p = open.model->parameters().find(name);
    ASSERT_NE(p, nullptr) << name;
    EXPECT_EQ(std::vector<float>(p->value.data, p->value.data + p->value.size()),
              std::vector<float>(tensor.values.begin(), tensor.values.end()))
        << name;
  }
}

TEST_F(KredFile, NamesATensorThatIsMissingOrOfAnotherShapeOrNotFinite) {
  const Params whole = content;
  content.tensor.erase("out.b3");
  EXPECT_ND_ERROR(open(), "params.nd: tensor out.b3 is missing");
  content = whole;
  content.tensor["out.b3"] = {std::vector<float>(kWidth - 1), 1, kWidth - 1};
  EXPECT_ND_ERROR(open(), "params.nd: tensor out.b3 is 1 x 20, expected 1 x 21");
  content = whole;
  std::vector<float> bad(kWidth, 0);
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  content.tensor["out.b3"] = {bad, 1, kWidth};
  EXPECT_ND_ERROR(open(), "tensor out.b3 row 1 holds a value that is not finite");
}

TEST_F(KredFile, RefusesHugeSizesWithoutAllocatingThem) {
  settings.model.hidden = settings.model.width = 1 << 20;  // a terabyte a matrix
  settings.to_json(meta.options);
  EXPECT_ND_ERROR(open(), "expected 17 x 1048576");
  settings.shape.types = std::numeric_limits<int64_t>::max();
  settings.to_json(meta.options);
  EXPECT_ND_ERROR(open(), "type_name does not list the types");
}

TEST_F(KredFile, RefusesOptionsItDoesNotKnow) {
  settings.model.kgat = "hardmax";
  settings.to_json(meta.options);
  EXPECT_ND_ERROR(open(), "params.nd: option kgat is hardmax");
  meta.options["architecture"] = "dhan";
  EXPECT_ND_ERROR(open(), "these are not KRED's parameters");
  meta.options = json::Object{};
  EXPECT_ND_ERROR(open(), "these are not KRED's parameters");
}

TEST_F(KredFile, RefusesDocumentVectorsOfAnotherWidth) {
  world.documents.x = {std::vector<float>(kArticles * 5), kArticles, 5};
  save(paths.documents, world.documents, {});
  EXPECT_ND_ERROR(open(), "documents.nd: vectors of 5 numbers, but " + (folder / "params.nd") + " was trained on 23");
}

TEST_F(KredFile, RefusesOtherEntityVectorsAndAnotherGraph) {
  world.entities.x = {std::vector<float>(kEntities * kD), kEntities, kD};
  save(paths.entities, world.entities, {});
  EXPECT_ND_ERROR(open(), "params.nd: was made from the entities ");
  meta.inputs[2] = load<Vectors>(paths.entities).as("entities");
  world.kg.entity_id = Strings{world.kg.entity_id};
  std::swap(world.kg.head, world.kg.tail);
  save(paths.kg, world.kg, {});
  EXPECT_ND_ERROR(open(), "params.nd: was made from the kg ");
}

TEST_F(KredFile, AsksForTheFilesTheModelReadsBeforeOpeningAny) {
  const KredPaths nothing = {"none", "none", "", ""}, no_graph = {"none", "none", "none", ""};
  EXPECT_THROW(KredFiles(nothing, settings.model), UsageError);
  EXPECT_THROW(KredFiles(no_graph, settings.model), UsageError);
  settings.model.model = "dv";
  const KredFiles files({paths.corpus, paths.documents, "", ""}, settings.model);
  EXPECT_FALSE(files.entities || files.kg);
}

}  // namespace
}  // namespace nd
