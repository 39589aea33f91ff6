// KRED as what the training loop trains.
#include "lib/models/kred_train.h"

#include <gtest/gtest.h>

#include "tests/lib/data/small_log.h"
#include "tests/lib/models/kred_world.h"

namespace nd {
namespace {

using namespace kred_world;

// A stopped run may go on right before a validation: nothing of the epoch's steps may be needed for it. And what is
// validated has to be what the trained model will do, which knows of no epoch.
TEST(KredUser2Item, ValidatesWithTheNeighboursOfUseWhateverEpochItIsIn) {
  const World world;
  KredOptions options;
  options.hidden = kHidden;
  options.width = kWidth;
  KredData data(world.corpus, world.documents, &world.entities, &world.kg, world.corpus.type_name, options.frequencies,
                {.most = 1, .resample = true}, 3);
  Kred model(options, {kBase, kD, kTypes, 0}, 3);
  const Behavior log = test::behavior_of(kArticles, {{"1", "a", 1, {1, 2}, {{4, 1}, {5, 0}, {6, 0}, {7, 0}}},
                                                     {"2", "b", 2, {8}, {{9, 1}, {11, 0}, {12, 0}}}});
  const NegativeSampler negatives(log, {}, 3);
  std::vector<float> seen;
  KredUser2Item task(model, data, log, log, negatives, 2, 50, true, [&](const Behavior&, std::span<const float> scores) {
    seen.assign(scores.begin(), scores.end());
    return 0.5;
  });
  ASSERT_EQ(task.examples(), 2);
  task.validate();
  const std::vector<float> before = seen;
  Arena arena;
  Tape tape(arena);
  const std::vector<int64_t> rows = {0, 1};
  const auto loss = [&](int64_t epoch) {
    tape.reset();
    return task.loss(tape, rows, epoch)->value.data[0];
  };
  const float first = loss(1);
  EXPECT_NE(first, loss(2));  // other negatives and neighbours
  task.validate();
  EXPECT_EQ(seen, before);
  EXPECT_EQ(first, loss(1));
}

}  // namespace
}  // namespace nd
