#include "lib/tensor/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace nd {
namespace {

// Spinning this long before sleeping: a training step has tens of parallel sections a few tens of microseconds long,
// and waking a sleeping thread costs about as much as one of them.
constexpr int kSpins = 20000;

int allowed_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

// A worker does something aside, and no job of its own: the crew is its caller's.
thread_local bool is_aside = false;

void do_errand(detail::Errand& errand) {
  try {
    errand.work();
  } catch (...) {
    errand.failure = std::current_exception();
  }
  errand.done.store(true, std::memory_order_release);
}

struct Job {
  int64_t blocks = 0;
  void (*body)(void*, int64_t) = nullptr;
  void* context = nullptr;
};

// The caller and `size` - 1 workers. A worker that wakes up late finds the job closed: nobody waits for it, so a crew
// larger than the machine is slow, not stuck.
//
// Each begins with a run of blocks of its own, the same share in every job: what one operation wrote is then near to
// the thread that reads it in the next, and what a block asked for ahead is near to the thread that does the block
// after. Whoever is through helps the others. A worker that is free when something waits aside does that, and the
// others do its blocks.
class Crew {
 public:
  // Fewer workers than asked for, where the system gives no more: that changes no result.
  explicit Crew(int size) : shares_(static_cast<size_t>(size)), spins_(size <= allowed_processors() ? kSpins : 0) {
    try {
      for (int i = 1; i < size; ++i) workers_.emplace_back([this, i] { work(i); });
    } catch (const std::system_error&) {}
  }
  ~Crew() {
    {
      std::lock_guard lock(mutex_);
      quit_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& w : workers_) w.join();
  }
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(const Job& job) {
    failed_block_ = INT64_MAX;
    failure_ = nullptr;
    const auto count = static_cast<int64_t>(shares_.size());
    for (int64_t i = 0; i < count; ++i) {
      shares_[i].next.store(job.blocks * i / count, std::memory_order_relaxed);
      shares_[i].end = job.blocks * (i + 1) / count;
    }
    {
      std::lock_guard lock(mutex_);
      job_ = job;
      open_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    drain(job, 0);
    {
      std::lock_guard lock(mutex_);
      open_ = false;
    }
    wait_until([&] { return busy_.load(std::memory_order_acquire) == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }

  void post(detail::Errand* aside) {
    {
      std::lock_guard lock(mutex_);
      asides_.push_back(aside);
      waiting_.store(static_cast<int>(asides_.size()), std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_one();
  }
  // Whether it was still waiting; then nobody will begin it.
  bool withdraw(detail::Errand* aside) {
    std::lock_guard lock(mutex_);
    const auto found = std::find(asides_.begin(), asides_.end(), aside);
    if (found == asides_.end()) return false;
    asides_.erase(found);
    waiting_.store(static_cast<int>(asides_.size()), std::memory_order_release);
    return true;
  }
  template <class F>
  void wait_until(F&& there) {
    for (int spin = 0; !there(); ++spin) {
      if (spin < spins_) __builtin_ia32_pause();
      else std::this_thread::yield();
    }
  }

 private:
  void drain(const Job& job, int self) {
    for (size_t i = 0; i < shares_.size(); ++i) {
      Share& share = shares_[(self + i) % shares_.size()];
      while (share.next.load(std::memory_order_relaxed) < share.end) {
        const int64_t block = share.next.fetch_add(1, std::memory_order_relaxed);
        if (block < share.end) run_block(job, block);
      }
    }
  }

  void run_block(const Job& job, int64_t block) {
    try {
      job.body(job.context, block);
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (block < failed_block_) {
        failed_block_ = block;
        failure_ = std::current_exception();
      }
    }
  }

  void work(int self) {
    uint64_t seen = 0;
    for (;;) {
      const auto called = [&] {
        return generation_.load(std::memory_order_acquire) != seen || waiting_.load(std::memory_order_acquire) > 0;
      };
      for (int spin = 0; spin < spins_ && !called(); ++spin) __builtin_ia32_pause();
      Job job;
      {
        std::unique_lock lock(mutex_);
        if (!called()) {
          sleeping_.fetch_add(1);
          wake_.wait(lock, called);
          sleeping_.fetch_sub(1);
        }
        if (quit_) return;
        if (!asides_.empty()) {
          do_aside(lock);
          continue;
        }
        seen = generation_.load();
        if (!open_) continue;
        busy_.fetch_add(1, std::memory_order_relaxed);
        job = job_;
      }
      drain(job, self);
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  void do_aside(std::unique_lock<std::mutex>& lock) {
    detail::Errand* const aside = asides_.front();
    asides_.pop_front();
    waiting_.store(static_cast<int>(asides_.size()), std::memory_order_release);
    lock.unlock();
    is_aside = true;
    do_errand(*aside);  // and it may be gone
    is_aside = false;
  }

  // A run of blocks, on a cache line of its own.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  std::vector<Share> shares_;
  const int spins_;  // none where threads outnumber processors: whoever waits would keep the others from working
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<int> busy_{0};  // workers inside the job
  Job job_;
  bool open_ = false;  // workers may still join the job
  bool quit_ = false;
  std::deque<detail::Errand*> asides_;  // nobody has begun
  std::atomic<int> waiting_{0};         // as many
  int64_t failed_block_ = INT64_MAX;
  std::exception_ptr failure_;
};

std::unique_ptr<Crew>& crew() {
  static std::unique_ptr<Crew> instance = std::make_unique<Crew>(allowed_processors());
  return instance;
}

// The crew does one job at a time: who calls meanwhile, from inside a block or from another thread, works alone.
std::atomic<bool> crew_taken{false};
struct Release {
  ~Release() { crew_taken.store(false, std::memory_order_release); }
};

}  // namespace

void set_threads(int threads) { crew() = std::make_unique<Crew>(threads > 0 ? threads : allowed_processors()); }

int threads() { return crew()->size(); }

namespace detail {
void run_blocks(int64_t blocks, void (*body)(void*, int64_t), void* context) {
  if (blocks <= 0) return;
  if (blocks > 1 && crew()->size() > 1 && !is_aside && !crew_taken.exchange(true, std::memory_order_acquire)) {
    const Release release;
    return crew()->run({blocks, body, context});
  }
  for (int64_t block = 0; block < blocks; ++block) body(context, block);
}
}  // namespace detail

void Aside::start(std::function<void()> f) {
  errand_.work = std::move(f);
  errand_.done.store(false, std::memory_order_relaxed);
  crew()->post(&errand_);
}

bool Aside::ended() {
  if (crew()->withdraw(&errand_)) return false;
  crew()->wait_until([&] { return errand_.done.load(std::memory_order_acquire); });
  return true;
}

void Aside::finish() {
  if (!errand_.work) return;
  if (!ended()) do_errand(errand_);
  errand_.work = nullptr;
  if (errand_.failure) std::rethrow_exception(std::exchange(errand_.failure, nullptr));
}

void Aside::drop() {
  if (!errand_.work) return;
  ended();
  errand_.work = nullptr;
  errand_.failure = nullptr;
}

}  // namespace nd
