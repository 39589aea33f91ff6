// TransE's operations on the GPU against the CPU's, for batches and tables whose sizes lie around a warp's and a
// block's, for chunks without triples, for rows that ten thousand items share; and grids too small for their items.
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "lib/tensor/ops.h"
#include "tests/lib/tensor/cuda/parity.h"

namespace nd {
namespace {

using namespace parity;

class TranseOnCuda : public OnBoth {};

TEST_F(TranseOnCuda, LossAndGradientsAreTheCpus) {
  const int64_t entities = 40, relations = 3;
  for (const int64_t n : {16, 32, 48, 128, 144})
    for (const auto& [sizes, drawn_each] :
         {std::pair{std::vector<int64_t>{31, 1, 0, 33, 32}, 31}, {{129}, 33}, {{0, 127, 0}, 1}, {{1}, 129}, {{}, 5}}) {
      const auto chunks = static_cast<int64_t>(sizes.size());
      std::vector<int64_t> chunk{0};
      for (const int64_t size : sizes) chunk.push_back(chunk.back() + size);
      const int64_t triples = chunk.back();
      const auto anchor = drawn(triples, entities, "anchor"), answer = drawn(triples, 2, "answer"),
                 relation = drawn(triples, relations, "relation"),
                 replacement = drawn(chunks * drawn_each, entities, "replacement");
      Floats sign;
      for (const int32_t a : anchor) sign.push_back(a % 2 ? 1.0f : -1.0f);
      const TranseBatch batch{anchor, relation, sign, answer, chunk, replacement, drawn_each};
      for (const bool l1 : {false, true})
        for (const bool self_adversarial : {false, true}) {
          const TranseLoss form{l1, self_adversarial, 9, 0.5f};
          expect_parity(std::to_string(triples) + " triples of " + std::to_string(n), [&](Place& place) {
            const int64_t rows = 2 * triples + chunks * drawn_each;
            const Mat g = place.result(rows, n), moved = place.result(rows, n), loss = place.result(1, 1);
            const auto part = [&](int64_t first, int64_t count) { return Mat{g.row(first), count, n, g.device}; };
            Arena arena(g.device);
            const auto used = arena.array<uint8_t>(rows);
            ops::transe_loss(form, place.mat(noise(entities, n, "e"), entities),
                             place.mat(noise(relations, n, "r"), relations), batch, part(0, triples),
                             part(triples, triples), part(2 * triples, chunks * drawn_each), used.data(), loss);
            // Flags stay on the device, and rows that are not used may be written or not: a step with them tells both.
            fill(moved, 0);
            std::vector<int32_t> row(static_cast<size_t>(rows));
            std::iota(row.begin(), row.end(), 0);
            ops::sgd_rows(-1, {g, identity(rows), row, {}, used.data()}, moved);
            Floats all = values_of(moved);
            append(all, loss);
            return all;
          });
        }
    }
}

TEST_F(TranseOnCuda, StepsOnRowsAreTheCpus) {
  const int64_t rows = 300;
  for (const int64_t n : {16, 32, 128, 144})
    for (const auto& sizes : {std::vector<int64_t>{1, 31, 32, 33, 127, 128, 129},
                              {10000},
                              std::vector<int64_t>(129, 1),
                              std::vector<int64_t>(33, 2),
                              {}}) {
      std::vector<int64_t> offsets{0};
      std::vector<int32_t> row, item;
      for (const int64_t size : sizes) {
        offsets.push_back(offsets.back() + size);
        row.push_back(static_cast<int32_t>(rows - 1 - 2 * row.size()));
      }
      const int64_t items = offsets.back();
      for (int64_t i = 0; i < items; ++i) item.push_back(static_cast<int32_t>(items - 1 - i));
      const auto runs = static_cast<int64_t>(sizes.size());
      const Index index{items, runs, nullptr, offsets.data(), item.data()};
      const Floats g = noise(items, n, "g"), x0 = noise(rows, n, "x"), signs = noise(items, 1, "sign");
      std::vector<uint8_t> none(signs.size(), 0), some, but_the_last(signs.size(), 0);
      for (const float sign : signs) some.push_back(sign > 0 ? 1 : 0);
      if (items > 0) but_the_last[0] = 1;  // of the last run, the last item
      for (const auto* const used : {static_cast<std::vector<uint8_t>*>(nullptr), &none, &some, &but_the_last})
        expect_parity(std::to_string(runs) + " runs of " + std::to_string(items), [&](Place& place) {
          RowGradients gradients{items > 0 ? place.mat(g, items) : place.result(0, n), index, row};
          if (used) gradients.used = used->data();
          const Mat x = place.mat(x0, rows), y = place.mat(x0, rows), m = place.mat(noise(rows, n, "m"), rows);
          const Mat v = place.mat(Floats(x0.size(), 0.5f), rows), z = place.mat(x0, rows);
          const Mat squares = place.mat(Floats(rows, 0.5f), rows);
          AdamStep step;
          step.c1 = 0.19;
          step.c2 = 0.002;
          ops::adam_rows(step, gradients, m, v, x);
          gradients.sign = signs;
          ops::sgd_rows(0.01f, gradients, y);
          ops::cap_rows(gradients, y);
          ops::adagrad_rows(0.1f, n - 3, gradients, squares, z);
          Floats all;
          for (const Mat& result : {x, m, v, y, z, squares}) append(all, result);
          return all;
        });
    }
}

// What is recorded may wait for nothing, and read no memory but an arena's (lib/tensor/device.h).
TEST_F(TranseOnCuda, AStepWaitsForNothing) {
  use_device(Device::cuda);
  {
    Arena arena;
    Place place(Device::cuda);
    const int64_t triples = 5, drawn_each = 3, n = 16, rows = 2 * triples + 2 * drawn_each;
    const auto anchor = arena.copy(drawn(triples, 9, "anchor")), relation = arena.copy(drawn(triples, 2, "relation")),
               answer = arena.copy(drawn(triples, 9, "answer")), replacement = arena.copy(drawn(6, 9, "replacement"));
    const auto sign = arena.copy(Floats(triples, 1));
    const auto chunk = arena.copy(std::vector<int64_t>{0, 3, 5});
    const auto used = arena.array<uint8_t>(rows);
    const RowGradients gradients{place.result(rows, n), make_index(arena, arena.copy(drawn(rows, 4, "row")), 4),
                                 arena.copy(std::vector<int32_t>{8, 1, 3, 2}), arena.copy(Floats(rows, 1)),
                                 used.data()};
    const auto part = [&](int64_t first, int64_t count) {
      return Mat{gradients.g.row(first), count, n, gradients.g.device};
    };
    const Mat loss = place.result(1, 1), entity = place.mat(noise(9, n, "e"), 9), m = place.mat(noise(9, n, "m"), 9),
              v = place.mat(Floats(9 * n, 1), 9), squares = place.mat(Floats(9, 1), 9),
              relations = place.mat(noise(2, n, "r"), 2);
    const Floats before = values_of(entity);
    Recording recording(true);
    ops::transe_loss({}, entity, relations, {anchor, relation, sign, answer, chunk, replacement, drawn_each},
                     part(0, triples), part(triples, triples), part(2 * triples, 2 * drawn_each), used.data(), loss);
    ops::adam_rows({}, gradients, m, v, entity);
    ops::adagrad_rows(0.1f, n, gradients, squares, entity);
    ops::sgd_rows(0.1f, gradients, entity);
    ops::cap_rows(gradients, entity);
    const LateValue later = value_later(arena, loss);
    recording.start();
    EXPECT_GT(value_of(later), 0);
    EXPECT_NE(values_of(entity), before);
  }
  use_device(Device::cpu);
}

TEST_F(TranseOnCuda, AdamOfManyParametersIsTheCpus) {
  // More parameters than one launch takes, dense ones and tables of which some rows have no gradient.
  for (const double longest : {0.0, 3.0, 100.0})  // of a norm of 10
    expect_parity("adam", [&](Place& place) {
      std::vector<AdamParameter> parameters;
      for (int64_t size = 1; size <= 60; ++size) {
        const int64_t rows = size * 9 % 130 + 1, cols = size;
        Floats g = noise(rows, cols, "g" + std::to_string(size));
        for (int64_t i = 0; i < rows * cols; ++i)
          if (i / cols % 3 == 1) g[static_cast<size_t>(i)] = 0;
        const auto zeros = Floats(g.size(), 0);
        parameters.push_back({place.mat(g, rows), place.mat(zeros, rows), place.mat(zeros, rows),
                              place.mat(noise(rows, cols, "x"), rows), size % 2 * 0.1, size % 3 == 0});
      }
      AdamStep step;
      step.longest = longest;
      step.squared_norm = place.mat({100}, 1);
      ops::adam(step, parameters);
      Floats all;
      for (const AdamParameter& p : parameters) {
        append(all, p.x);
        append(all, p.m);
      }
      return all;
    });
}

TEST_F(TranseOnCuda, DistancesAreTheCpus) {
  for (const int64_t m : {0, 1, 31, 32, 33})
    for (const int64_t n : {16, 32, 128, 144})
      expect_parity("l1_distances", [&](Place& place) {
        const Mat c = place.result(m, n);
        ops::l1_distances(m > 0 ? place.mat(noise(m, 7, "a"), m) : place.result(0, 7), place.mat(noise(7, n, "b"), 7),
                          c);
        return values_of(c);
      });
}

// A grid has 65536 blocks of 128 threads at most (team.h): what is more is done by the same threads afterwards.
TEST_F(TranseOnCuda, ItemsBeyondAGridAreDoneToo) {
  const int64_t numbers = (1 << 23) + 129, sets = (1 << 18) + 5;
  expect_parity("numbers", [&](Place& place) {
    const Mat x = place.result(1, numbers), y = place.result(1, numbers);
    ops::axpy(0.5f, x, y);
    return values_of(y);
  });
  expect_parity("sets", [&](Place& place) {
    const Mat s = place.result(sets, 1), p = place.result(sets, 1);
    ops::segment_softmax(identity(sets), s, p);
    return values_of(p);
  });
}

}  // namespace
}  // namespace nd
