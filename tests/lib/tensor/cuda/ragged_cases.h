// Cases for what a GPU's kernels can get wrong and a CPU's cannot: sizes on both sides of a warp (32) and of a block
// (128), sets without items beside sets of ten thousand, all items on one row. The CPU's operations are the oracle;
// parity_test.cpp runs them beside those of op_cases.h.
#pragma once

#include "tests/lib/tensor/op_cases.h"

namespace nd::cases {

// All items use row `row` of a table.
inline Choice one_row(int64_t items, int64_t rows, int32_t row) {
  return {rows, std::vector<int32_t>(static_cast<size_t>(items), row)};
}

// Everything that works on sets of items and tables of rows, for one layout of sets.
inline void add_set_cases(std::vector<OpCase>& list, const std::string& name, const Choice& sets, int64_t cols) {
  const int64_t items = sets.items();
  const Choice rows = drawn(items, 300, name + "/rows"), few = drawn(items, 2, name + "/few");
  const Choice same = one_row(items, 5, 3), id = each(items);
  list.push_back(gather_sum("ragged_" + name, {rows, sets, same}, cols));
  list.push_back(relu_dot("ragged_" + name, {rows, sets, same}, cols, true));
  list.push_back(row_dots("ragged_" + name, sets, same, cols, false));
  list.push_back(row_dots("ragged_cosine_" + name, sets, rows, cols, true));
  list.push_back(segment_softmax("ragged_" + name, sets, 3));
  list.push_back(segment_sum("ragged_" + name, sets, same, cols));
  list.push_back(segment_sum_of("ragged_" + name, sets, {rows, few}, cols));
  list.push_back(segment_max("ragged_" + name, sets, cols));
  list.push_back(rank_loss("ragged_" + name, sets, 10));
  list.push_back(neighbour_attention("ragged_" + name, sets, few, rows, 5, cols));
  list.push_back(attention("ragged_" + name, sets, id, 4, 3, cols, false));
  list.push_back(set_attention("ragged_" + name, sets, {rows, sets, same}, {rows, few, id}, cols, 5));
}

// A run of so many items among many short ones.
inline Choice hot_run(int64_t items) {
  std::vector<int64_t> sizes;
  for (int64_t r = 0; r < 400; ++r) sizes.push_back(r == 270 ? items : r % 4);
  return runs(sizes);
}
// Sums and maxima over these runs: of items in their order, and of items all over the place.
inline void add_run_cases(std::vector<OpCase>& list, const std::string& name, const Choice& sets, int64_t cols) {
  Choice mixed = sets;
  const Random random(1, "mixed/" + name);
  for (size_t i = mixed.row.size(); i > 1; --i) std::swap(mixed.row[i - 1], mixed.row[random.below(i, i)]);
  list.push_back(gather_sum("runs_" + name, {mixed, sets}, cols));
  list.push_back(relu_dot("runs_" + name, {mixed, sets}, cols, true));
  list.push_back(row_dots("runs_" + name, mixed, sets, cols, true));
  list.push_back(segment_sum("runs_" + name, sets, mixed, cols));
  list.push_back(segment_max("runs_" + name, sets, cols));
}

inline std::vector<OpCase> ragged() {
  std::vector<OpCase> list;
  add_set_cases(list, "borders", runs({0, 1, 31, 32, 33, 0, 0, 63, 64, 65, 127, 128, 129, 2, 255, 256, 257, 0}), 33);
  add_set_cases(list, "one_entity", runs({1}), 31);
  add_set_cases(list, "ten_thousand", runs({0, 10000, 1, 0}), 17);
  add_set_cases(list, "ten_thousand_at_the_end", runs({3, 0, 10000}), 16);
  add_set_cases(list, "all_empty", runs(std::vector<int64_t>(129, 0)), 32);
  // Runs around the pieces that long ones are cut into, and one that everything would wait for.
  add_run_cases(list, "around_a_piece", runs({0, 1, 31, 32, 33, 127, 128, 129, 0, 1023, 1024, 1025, 3}), 33);
  add_run_cases(list, "hot", hot_run(10000), 33);
  add_run_cases(list, "very_hot", hot_run(100000), 3);
  for (const int64_t sets : {31, 32, 33, 127, 128, 129})
    add_set_cases(list, std::to_string(sets) + "_sets", drawn_runs(sets, 3, "ragged"), 5);
  for (const int64_t cols : {31, 32, 33, 127, 128, 129})
    add_set_cases(list, std::to_string(cols) + "_columns", runs({0, 5, 1, 0, 33}), cols);

  // Neighbours on both sides of a tile of 20 and of its parts of four; rows and units that are read in each way. Of
  // long rows the second layer's gradient is left over from much larger terms, so it is not asked for.
  const auto neighbours = [&](const std::string& name, const Choice& sets, int64_t inner, int64_t cols) {
    list.push_back(neighbour_attention("tiles_" + name, sets, drawn(sets.items(), 7, name + "/relation"),
                                       drawn(sets.items(), 50, name + "/tail"), inner, cols, {.w = inner < 90}));
  };
  const Choice around_a_tile =
      runs({1, 3, 4, 5, 0, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19, 20, 21, 0, 39, 40, 41, 60, 61});
  for (const int64_t cols : {8, 12, 64, 120, 128, 136, 256})
    neighbours(std::to_string(cols) + "_units", around_a_tile, 10, cols);
  for (const int64_t inner : {1, 2, 90, 95, 96, 97, 127, 128, 129, 192, 200})
    neighbours("of_" + std::to_string(inner), runs({20, 7, 0, 41}), inner, 128);
  neighbours("ten_thousand", runs({3, 10000, 0, 1}), 30, 16);
  for (const int64_t items : {31, 32, 33, 127, 128, 129, 255, 256, 257})
    neighbours(std::to_string(items) + "_in_all", runs({items - 20, 0, 20}), 6, 8);
  list.push_back(
      neighbour_attention("tiles_one_neighbour", runs({20, 40}), one_row(60, 5, 3), one_row(60, 4, 2), 90, 128));

  // Items on both sides of what is looked at at once, units that are read in each way, rows that fit shared memory or
  // not.
  const Choice around_a_look = runs({1, 31, 32, 33, 0, 63, 64, 65, 2});
  const auto attention_of = [&](const std::string& name, int64_t cols, int64_t inner) {
    const int64_t items = around_a_look.items();
    list.push_back(set_attention("looks_" + name, around_a_look,
                                 {drawn(items, 60, name), around_a_look, drawn(items, 2, name + "/two")},
                                 {drawn(items, 60, name + "/rows"), drawn(items, 2, name + "/few")}, cols, inner));
  };
  for (const int64_t cols : {8, 12, 120, 128, 136, 256}) attention_of(std::to_string(cols) + "_units", cols, 7);
  for (const int64_t inner : {1, 32, 90, 360, 400}) attention_of("of_" + std::to_string(inner), 16, inner);
  const Choice hot = hot_run(10000), of_hot = drawn(hot.items(), 300, "hot");
  list.push_back(set_attention("looks_hot", hot, {of_hot, hot}, {of_hot}, 16, 9));

  // As many items as a large batch has.
  const Choice many = runs(std::vector<int64_t>(13200, 20));
  list.push_back(neighbour_attention("quarter_of_a_million", many, drawn(many.items(), 3, "relation"),
                                     drawn(many.items(), 9, "tail"), 1, 1));

  for (const int64_t blocks : {1, 31, 32, 33, 127, 128, 129}) {
    const std::string name = "ragged_" + std::to_string(blocks);
    const auto index = [&](int64_t rows, const char* what) { return drawn(blocks, rows, name + what); };
    list.push_back(stack_attention(name, {index(5, "of"), 2, {index(3, "c"), one_row(blocks, 4, 2)}, 16, 0.2}));
    list.push_back(block_attention(name, {.blocks = blocks, .tokens = 3, .heads = 2, .n = 6, .rate = 0.2}));
    list.push_back(transformer_layer(name, {.blocks = blocks, .tokens = 2, .inner = blocks, .rate = 0.2}));
    list.push_back(layer_norm(name, blocks, blocks + 1, true, 0.2));
    list.push_back(mix_tokens(name, blocks, 3, 2, 5));
    list.push_back(lstm(name, blocks, 2, false, 3));
    list.push_back(cross_entropy(name, blocks, blocks));
  }
  // Blocks whose tokens take a warp, a block and their neighbours; the largest do not fit shared memory.
  for (const int64_t tokens : {31, 32, 33, 127, 128, 129}) {
    const std::string name = "ragged_tokens_" + std::to_string(tokens);
    list.push_back(stack_attention(name, {drawn(3, 2, name), tokens - 1, {drawn(3, 2, name + "c")}, 16, 0.2}));
    list.push_back(block_attention(name, {.blocks = 2, .tokens = tokens, .heads = 1, .n = 16, .rate = 0.2}));
    list.push_back(transformer_layer(name, {.blocks = 2, .tokens = tokens, .rate = 0.2}));
  }
  // One stack for all blocks, stacks that no block has.
  list.push_back(stack_attention("ragged_one_stack", {one_row(300, 4, 1), 3, {one_row(300, 3, 0)}, 16, 0.2}));
  // Stacks with runs of blocks on both sides of a piece, wider than a team's columns.
  list.push_back(stack_attention("ragged_hot_stack", {runs({0, 127, 128, 129, 1, 300}), 9, {}, 16, 0.2}));
  return list;
}

}  // namespace nd::cases
