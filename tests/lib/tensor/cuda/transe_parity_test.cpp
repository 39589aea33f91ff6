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
  // Chunks that are a warp's a triple and such that are blocks', up to the borders of both (pairs.h).
  const std::vector<int64_t> singles(40, 1), few{7, 0, 1, 2}, borders{8, 7, 16, 0, 15, 17}, large{64, 63, 65};
  for (const int64_t n : {16, 96, 128, 144, 272})
    for (const auto& [sizes, drawn_each] : {std::pair{singles, 1},
                                            {singles, 65},
                                            {few, 33},
                                            {borders, 15},
                                            {borders, 16},
                                            {borders, 17},
                                            {large, 63},
                                            {large, 64},
                                            {large, 65},
                                            {{0, 127, 0}, 1},
                                            {{129}, 129},
                                            {{1}, 129},
                                            {{}, 5}}) {
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
      const float far = -1e6f;  // nothing is within this margin
      for (const TranseLoss form :
           {TranseLoss{false, false, 9}, TranseLoss{true, false, 9}, TranseLoss{true, false, far},
            TranseLoss{false, true, 9, 0.5f}, TranseLoss{true, true, 9, 0.5f}})
        expect_parity(std::to_string(triples) + " triples of " + std::to_string(n), [&](Place& place) {
          const int64_t rows = 2 * triples + chunks * drawn_each;
          const Mat g = place.result(rows, n), moved = place.result(rows, n), loss = place.result(1, 1);
          const auto part = [&](int64_t first, int64_t count) { return Mat{g.row(first), count, n, g.device}; };
          std::vector<int32_t> row(static_cast<size_t>(rows));
          std::iota(row.begin(), row.end(), 0);
          // Flags stay on the device, and rows that are not used may be written or not: a step with them tells both.
          // One before has all flags set, so that none is right by chance.
          Arena arena(g.device);
          const auto used = arena.copy(std::vector<uint8_t>(static_cast<size_t>(rows), 1));
          const RowGradients gradients{g, identity(rows), row, {}, used.data()};
          ops::sgd_rows(1, gradients, moved);
          fill(moved, 0);
          ops::transe_loss(form, place.mat(noise(entities, n, "e"), entities),
                           place.mat(noise(relations, n, "r"), relations), batch, part(0, triples),
                           part(triples, triples), part(2 * triples, chunks * drawn_each), used.data(), loss);
          ops::sgd_rows(-1, gradients, moved);
          Floats all = values_of(moved);
          // A gradient of 0 is a gradient to Adam, which none at all is not.
          const Mat m = place.result(rows, n), v = place.result(rows, n);
          fill(m, 1);
          ops::adam_rows({}, gradients, m, v, moved);
          append(all, m);
          append(all, loss);
          return all;
        });
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
      std::vector<uint8_t> none(signs.size(), 0), some, first(signs.size(), 0), last = first;
      for (const float sign : signs) some.push_back(sign > 0 ? 1 : 0);
      if (items > 0) last.front() = first.back() = 1;  // of the last run and the first: items are named backwards
      for (const auto* const used : {static_cast<std::vector<uint8_t>*>(nullptr), &none, &some, &first, &last})
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
  for (const int64_t m : {0, 1, 15, 16, 17, 33})
    for (const int64_t inner : {1, 7, 63, 64, 65, 129})
      for (const int64_t n : {16, 112, 128, 144, 272})
        expect_parity("l1_distances", [&](Place& place) {
          const Mat c = place.result(m, n), a = place.result(m, inner);
          copy_in(noise(m, inner, "a").data(), a);
          ops::l1_distances(a, place.mat(noise(inner, n, "b"), inner), c);
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
