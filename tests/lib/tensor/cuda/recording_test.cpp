// Steps that are recorded and then started as a whole: they give what they give when done at once, read what was there
// when they were recorded, and say so when they ask for what cannot be recorded. On the stand-in a started step runs as
// late as it may (driver.cpp).
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "lib/tensor/arena.h"
#include "lib/tensor/cuda/driver.h"
#include "lib/tensor/device.h"
#include "lib/tensor/index.h"
#include "lib/tensor/ops.h"

namespace nd {
namespace {

using Floats = std::vector<float>;

class Recorded : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pick_device("cuda"), Device::cuda);
    use_device(Device::cuda);
  }
  void TearDown() override { use_device(Device::cpu); }

  Mat mat(int64_t rows, int64_t cols, float value) {
    const Mat x = arena_.mat(rows, cols);
    fill(x, value);
    return x;
  }
  Arena arena_{Device::cuda};
};

TEST_F(Recorded, IsDoneWhenItIsStarted) {
  const Mat x = mat(3, 5, 2), y = mat(3, 5, 1);
  Recording recording(true);
  ops::axpy(10, x, y);
  recording.start();
  EXPECT_EQ(values_of(y), Floats(15, 21));
}

TEST_F(Recorded, IsNotDoneWhenItIsNot) {
  const Mat x = mat(3, 5, 2), y = mat(3, 5, 1);
  {
    Recording recording(true);
    ops::axpy(10, x, y);
  }
  EXPECT_EQ(values_of(y), Floats(15, 1));
  ops::axpy(10, x, y);
  EXPECT_EQ(values_of(y), Floats(15, 21));
}

TEST_F(Recorded, IsDoneAtOnceWhereNobodyWantsIt) {
  const Mat x = mat(3, 5, 2), y = mat(3, 5, 1);
  const auto before = recorded_counts().started;
  Recording recording(false);
  ops::axpy(10, x, y);
  EXPECT_EQ(values_of(y), Floats(15, 21));
  recording.start();
  EXPECT_EQ(recorded_counts().started, before);
}

// One after another with other sizes, other arguments and other kernels: an old graph must not be taken for the new.
TEST_F(Recorded, DiffersFromTheOneBefore) {
  for (const int64_t n : {5, 5, 700, 3}) {
    const Mat x = mat(n, 4, 2), y = mat(n, 4, 1), z = mat(n, 4, 0);
    Recording recording(true);
    ops::axpy(static_cast<float>(n), x, y);
    if (n == 700) ops::activate(Activation::sigmoid, z, z);
    ops::axpy(1, y, z);
    recording.start();
    const auto expected = static_cast<float>(1 + 2 * n);
    EXPECT_EQ(values_of(z), Floats(static_cast<size_t>(4 * n), n == 700 ? expected + 0.5f : expected));
  }
}

TEST_F(Recorded, KeepsItsPlaceInTheOrder) {
  const Mat x = mat(1, 4, 2), y = mat(1, 4, 1);
  for (int i = 0; i < 3; ++i) {
    ops::axpy(1, y, x);  // at once
    Recording recording(true);
    ops::axpy(1, x, y);
    recording.start();
  }
  EXPECT_EQ(values_of(y), Floats(4, 29));  // by turns 3 and 4, 7 and 11, 18 and 29
}

TEST_F(Recorded, MultipliesByCublas) {
  const Mat a = mat(33, 20, 1), b = mat(20, 17, 2), c = mat(33, 17, 0);
  Recording recording(true);
  ops::gemm(a, nullptr, b, {}, Activation::none, false, c);
  recording.start();
  EXPECT_EQ(values_of(c), Floats(33 * 17, 40));
}

// What the host wrote for a step stays until that has run, and is then free for the next.
TEST_F(Recorded, ReadsIndexesThatTheHostThenWritesAnew) {
  Arena place(Device::cuda);
  const Mat table = mat(4, 1, 0);
  for (int32_t r = 0; r < 4; ++r) fill({table.row(r), 1, 1, Device::cuda}, static_cast<float>(r));
  std::vector<Mat> y;
  for (int32_t r = 0; r < 4; ++r) {
    place.reset();
    const auto row = place.array<int32_t>(100);
    std::fill(row.begin(), row.end(), r);
    y.push_back(mat(100, 1, -1));
    Recording recording(true);
    const Table rows{table, {100, 4, row.data()}};
    ops::gather_sum({&rows, 1}, y.back());
    recording.start();
  }
  for (int32_t r = 0; r < 4; ++r) EXPECT_EQ(values_of(y[r]), Floats(100, static_cast<float>(r)));
}

TEST_F(Recorded, ReadsAnArenaAsItWasSent) {
  Arena place(Device::cuda);
  const Mat table = mat(3, 1, 0), y = mat(4, 1, -1);
  for (int32_t r = 0; r < 3; ++r) fill({table.row(r), 1, 1, Device::cuda}, static_cast<float>(r));
  const auto rows_of = [&](int32_t sent, int32_t later) {
    place.reset();
    place.array<int32_t>(5)[0] = 7;
    const auto row = place.array<int32_t>(4);
    std::fill(row.begin(), row.end(), sent);
    if (sent != later) place.send();
    cuda::synchronize();
    std::fill(row.begin(), row.end(), later);  // which only a test may do: nobody looks at it once it was sent
    const Table rows{table, {4, 3, row.data()}};
    ops::gather_sum({&rows, 1}, y);
    return values_of(y);
  };
  EXPECT_EQ(rows_of(1, 0), Floats(4, 1));
  EXPECT_EQ(rows_of(2, 0), Floats(4, 2));
  EXPECT_EQ(rows_of(1, 1), Floats(4, 1)) << "after a reset what was sent is void";

  place.reset();
  const auto row = place.array<int32_t>(4);
  std::fill(row.begin(), row.end(), 2);
  Recording recording(true);
  place.send();
  const Table rows{table, {4, 3, row.data()}};
  ops::gather_sum({&rows, 1}, y);
  recording.start();
  EXPECT_EQ(values_of(y), Floats(4, 2));
}

TEST_F(Recorded, AsksForMoreMemory) {
  const int64_t n = 3 << 20;  // more than is ever held ready
  const Mat x = mat(n, 2, 1);
  Arena grows(Device::cuda);
  Recording recording(true);
  const Mat sum = grows.mat(1, 2), more = grows.mat(n, 2);
  ops::column_sums(x, false, sum);
  fill(more, 3);
  ops::axpy(1, x, more);
  {
    Arena given_back(Device::cuda), &g = given_back;
    fill(g.mat(n, 2), 7);
  }
  recording.start();
  EXPECT_EQ(values_of(sum), Floats(2, static_cast<float>(n)));
  EXPECT_EQ(values_of(more), Floats(static_cast<size_t>(2 * n), 4));
}

TEST_F(Recorded, BringsANumberLater) {
  const Mat x = mat(1, 1, 2), y = mat(1, 1, 1);
  Arena kept[2] = {Arena(Device::cuda), Arena(Device::cuda)};
  LateValue value[2];
  for (int i = 0; i < 2; ++i) {
    Recording recording(true);
    ops::axpy(1, x, y);
    value[i] = value_later(kept[i], y);
    recording.start();
  }
  const LateValue at_once = value_later(kept[0], x);
  EXPECT_EQ(value_of(value[0]), 3);
  EXPECT_EQ(value_of(value[1]), 5);
  EXPECT_EQ(value_of(at_once), 2);
}

// An arena that grows, or goes, while the step that reads from it has yet to run.
TEST_F(Recorded, ReadsWhatIsGivenBackMeanwhile) {
  constexpr int64_t kMany = 9 << 20;  // of their own block each
  const Mat table = mat(2, 1, 0), y = mat(kMany, 1, -1);
  fill({table.row(1), 1, 1, Device::cuda}, 1);
  {
    Arena gone(Device::cuda);
    const auto row = gone.array<int32_t>(kMany);
    std::fill(row.begin(), row.end(), 1);
    Recording recording(true);
    const Table rows{table, {kMany, 2, row.data()}};
    ops::gather_sum({&rows, 1}, y);
    recording.start();
  }
  Arena next(Device::cuda);
  const auto other = next.array<int32_t>(kMany);
  std::fill(other.begin(), other.end(), 0);
  EXPECT_EQ(values_of(y), Floats(kMany, 1));
}

// What nobody waited for does not come when its memory is something else's already.
TEST_F(Recorded, BringsNothingToMemoryThatWasGivenBack) {
  const Mat x = mat(1, 1, 2);
  Arena kept(Device::cuda);
  Recording recording(true);
  value_later(kept, x);
  recording.start();
  kept.reset();
  const auto other = kept.array<float>(1);
  other[0] = 7;
  cuda::synchronize();
  EXPECT_EQ(other[0], 7);
}

TEST_F(Recorded, ReadsNothingBack) {
  const Mat x = mat(1, 1, 2);
  Arena copied(Device::cuda);
  const auto read = copied.array<int32_t>(1);
  read[0] = 0;
  Recording recording(true);
  EXPECT_THROW(value_of(x), std::logic_error);
  EXPECT_THROW(cuda::synchronize(), std::logic_error);
  const Table rows{x, {1, 1, read.data()}};
  const Mat y = arena_.mat(1, 1);
  ops::gather_sum({&rows, 1}, y);
  EXPECT_THROW(copied.reset(), std::logic_error) << "the step has yet to read it";
}

TEST_F(Recorded, ReadsNothingThatMayBeGone) {
  const Mat x = mat(1, 1, 2), y = mat(1, 1, 0);
  const std::vector<int32_t> mine = {0};
  const float number = 7;
  Recording recording(true);
  const Table rows{x, {1, 1, mine.data()}};
  EXPECT_THROW(ops::gather_sum({&rows, 1}, y), std::logic_error);
  EXPECT_THROW(copy_in(&number, y), std::logic_error);
}

TEST_F(Recorded, IsOneThreadsAlone) {
  const Mat x = mat(1, 4, 2), y = mat(1, 4, 1);
  Arena filled(Device::cuda);
  Recording recording(true);
  ops::axpy(1, x, y);
  std::thread([&] {
    EXPECT_THROW(ops::axpy(100, x, y), std::logic_error);
    filled.array<int32_t>(10);  // memory may be had
    filled.mat(10, 10);
  }).join();
  recording.start();
  EXPECT_EQ(values_of(y), Floats(4, 3));
}

}  // namespace
}  // namespace nd
