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
  KredUser2Item task(model, data, log, log, negatives, 2, 50, true,
                     [&](const Behavior&, std::span<const float> scores) {
                       seen.assign(scores.begin(), scores.end());
                       return 0.5;
                     });
  ASSERT_EQ(task.examples(), 2);
  task.validate();
  const std::vector<float> before = seen;
  Arena arena;
  Tape tape(arena);
  const std::vector<int64_t> rows = {0, 1};
  const auto step = task.step();
  const auto loss = [&](int64_t epoch) {
    tape.reset();
    task.begin_epoch(epoch);
    step->prepare(rows, epoch);
    return step->loss(tape)->value.data[0];
  };
  const float first = loss(1);
  EXPECT_NE(first, loss(2));  // other negatives and neighbours
  task.validate();
  EXPECT_EQ(seen, before);
  EXPECT_EQ(first, loss(1));
}

// Eqs. (10) and (11): every click is an example, told from the negatives drawn for it in this epoch, by a user made of
// the latest clicks before it.
TEST(KredUser2Item, AnExampleIsAClickItsNegativesAndTheEndOfTheHistory) {
  const World world;
  KredOptions options;
  options.hidden = kHidden;
  options.width = kWidth;
  KredData data(world.corpus, world.documents, &world.entities, &world.kg, world.corpus.type_name, options.frequencies,
                {}, 3);
  Kred model(options, {kBase, kD, kTypes, 0}, 3);
  const Behavior log = test::behavior_of(
      kArticles, {{"1", "a", 1, {1, 2, 3, 10}, {{5, 0}, {4, 1}, {6, 0}, {7, 1}, {8, 0}, {13, 0}, {14, 0}, {15, 0}}},
                  {"2", "b", 2, {8}, {{11, 0}, {9, 1}, {12, 0}}}});
  const NegativeSampler negatives(log, {}, 3);
  KredUser2Item task(model, data, log, log, negatives, 3, 2, false, nullptr);
  ASSERT_EQ(task.examples(), 3);
  struct Click {
    int64_t impression, position;
    std::vector<int32_t> history;
    int32_t article;
  };
  const std::vector<Click> clicks = {{0, 1, {3, 10}, 4}, {0, 3, {3, 10}, 7}, {1, 1, {8}, 9}};
  Arena arena;
  Tape tape(arena);
  const std::vector<int64_t> rows = {2, 0, 1};
  for (int64_t epoch : {1, 2}) {
    tape.reset();
    const auto ours = task.step();
    task.begin_epoch(epoch);
    ours->prepare(rows, epoch);
    const float loss = ours->loss(tape)->value.data[0];
    KredStep step(model, data);
    for (int64_t row : rows) {
      step.user(clicks[row].history);
      step.candidate(clicks[row].article);
      std::vector<int32_t> drawn(3);
      ASSERT_EQ(negatives.draw(clicks[row].impression, clicks[row].position, epoch, drawn), 3);
      for (int32_t article : drawn) step.candidate(article);
    }
    step.prepare();
    tape.reset();
    EXPECT_EQ(loss, step.loss(tape, step.scores(tape))->value.data[0]) << "epoch " << epoch;
  }
}

}  // namespace
}  // namespace nd
