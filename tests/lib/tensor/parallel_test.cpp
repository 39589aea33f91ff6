#include "lib/tensor/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nd {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(0); }
};
INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 3, 7, 32));

TEST_P(Parallel, HasAsManyThreadsAsAskedFor) { EXPECT_EQ(threads(), GetParam()); }

TEST_P(Parallel, DoesEveryBlockOnce) {
  for (int64_t blocks : {0, 1, 2, 3, 10, 5000}) {
    std::vector<std::atomic<int>> done(static_cast<size_t>(blocks));
    parallel_for(blocks, [&](int64_t b) { ++done[b]; });
    for (auto& d : done) ASSERT_EQ(d, 1);
  }
  parallel_for(-1, [](int64_t) { FAIL(); });
}

TEST_P(Parallel, RangesCoverEverythingInPiecesOfTheGrain) {
  for (int64_t n : {0, 1, 99, 100, 101, 1234}) {
    std::vector<int> owner(static_cast<size_t>(n), -1);
    parallel_ranges(n, 100, [&](int64_t begin, int64_t end) {
      EXPECT_EQ(begin % 100, 0);
      EXPECT_EQ(end, std::min(begin + 100, n));
      for (int64_t i = begin; i < end; ++i) owner[i] = static_cast<int>(begin / 100);
    });
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(owner[i], i / 100);
  }
}

TEST_P(Parallel, RethrowsTheExceptionOfTheLowestBlockAndGoesOn) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    try {
      parallel_for(64, [](int64_t b) {
        if (b % 10 == 3) throw std::runtime_error("block " + std::to_string(b));
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "block 3");
    }
    std::atomic<int> sum = 0;
    parallel_for(10, [&](int64_t b) { sum += static_cast<int>(b); });
    ASSERT_EQ(sum, 45);
  }
}

TEST_P(Parallel, NestedCallsRunInPlace) {
  std::vector<std::vector<std::thread::id>> who(20, std::vector<std::thread::id>(30));
  std::vector<std::thread::id> outer(20);
  parallel_for(20, [&](int64_t b) {
    outer[b] = std::this_thread::get_id();
    parallel_for(30, [&](int64_t c) { who[b][c] = std::this_thread::get_id(); });
  });
  for (int64_t b = 0; b < 20; ++b)
    for (const auto& id : who[b]) EXPECT_EQ(id, outer[b]);
}

TEST_P(Parallel, ManyTinySectionsLoseNothing) {
  std::vector<int64_t> sums(8);
  for (int64_t section = 0; section < 20000; ++section) parallel_for(8, [&](int64_t b) { sums[b] += section * b; });
  for (int64_t b = 0; b < 8; ++b) EXPECT_EQ(sums[b], b * 19999 * 20000 / 2);
}

TEST_P(Parallel, SectionsAfterAPauseFindTheWorkersAgain) {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));  // long enough for workers to fall asleep
    std::atomic<int> count = 0;
    parallel_for(100, [&](int64_t) { ++count; });
    ASSERT_EQ(count, 100);
  }
}

TEST_P(Parallel, SeveralCallersAtOnceEachGetTheirWorkDone) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        std::vector<int> done(16);
        parallel_for(16, [&](int64_t b) { ++done[b]; });
        for (int d : done) wrong += d != 1;
      }
    });
  for (auto& c : callers) c.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(Parallel, WhatIsAsideIsDoneOnceByTheTimeItIsFinished) {
  for (int repeat = 0; repeat < 2000; ++repeat) {
    int done = 0;
    Aside one, other;
    one.start([&] { ++done; });
    std::atomic<int> also = 0;
    other.start([&] { ++also; });
    std::atomic<int> count = 0;
    if (repeat % 3) parallel_for(10, [&](int64_t) { ++count; });
    one.finish();
    ASSERT_EQ(done, 1);
    other.finish();
    ASSERT_EQ(also, 1);
    one.finish();
    ASSERT_EQ(done, 1);
    one.start([&] { done = 7; });
    one.finish();
    ASSERT_EQ(done, 7);
  }
}

TEST_P(Parallel, AWorkerDoesWhatIsAsideWhileTheCallerGoesOn) {
  if (GetParam() == 1) return;
  for (int repeat = 0; repeat < 20; ++repeat) {
    if (repeat % 2) std::this_thread::sleep_for(std::chrono::milliseconds(3));  // workers have fallen asleep
    std::atomic<bool> begun = false, may_end = false;
    std::thread::id who;
    Aside aside;
    aside.start([&] {
      who = std::this_thread::get_id();
      begun = true;
      while (!may_end) std::this_thread::yield();
    });
    while (!begun) std::this_thread::yield();
    std::atomic<int> count = 0;
    parallel_for(100, [&](int64_t) { ++count; });
    EXPECT_EQ(count, 100);
    may_end = true;
    aside.finish();
    EXPECT_NE(who, std::this_thread::get_id());
  }
}

TEST_P(Parallel, BlocksInsideWhatAWorkerDoesAsideRunInPlace) {
  if (GetParam() == 1) return;
  std::atomic<bool> begun = false;
  std::vector<std::thread::id> who(64);
  std::thread::id worker;
  Aside aside;
  aside.start([&] {
    begun = true;
    worker = std::this_thread::get_id();
    parallel_for(64, [&](int64_t b) {
      who[b] = std::this_thread::get_id();
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    });
  });
  while (!begun) std::this_thread::yield();
  aside.finish();
  for (const auto& id : who) EXPECT_EQ(id, worker);
}

TEST_P(Parallel, FinishRethrowsWhatWasThrownAside) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    Aside aside;
    aside.start([] { throw std::runtime_error("aside"); });
    EXPECT_THROW(aside.finish(), std::runtime_error);
    bool again = false;
    aside.start([&] { again = true; });
    aside.finish();
    EXPECT_TRUE(again);
  }
}

TEST_P(Parallel, WhatIsAsideAndForgottenHasRunOrNeverWill) {
  for (int repeat = 0; repeat < 2000; ++repeat) {
    std::atomic<int> begun = 0, ended = 0;
    {
      Aside forgotten, failing;
      forgotten.start([&] {
        ++begun;
        std::this_thread::yield();
        ++ended;
      });
      failing.start([] { throw std::runtime_error("nobody asks"); });
    }
    ASSERT_EQ(begun, ended);
    parallel_for(4, [](int64_t) {});
    ASSERT_EQ(begun, ended);
  }
}

TEST(Threads, ZeroMeansAllThisProcessMayUse) {
  set_threads(0);
  EXPECT_GE(threads(), 1);
  EXPECT_LE(threads(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(Threads, MayBeChangedBetweenSections) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    set_threads(1 + repeat % 5);
    std::atomic<int> count = 0;
    parallel_for(10, [&](int64_t) { ++count; });
    ASSERT_EQ(count, 10);
  }
  set_threads(0);
}

}  // namespace
}  // namespace nd
