// Steps of a training in their order, some of them prepared ahead by the crew (lib/tensor/parallel.h) while one is
// computed. Each is prepared in a place, of which there are as many as steps under way, used again and again. On one
// thread each step is prepared when its turn comes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "lib/tensor/device.h"
#include "lib/tensor/parallel.h"

namespace nd {

template <class Place>
class StepsAhead {
 public:
  // make() gives a std::unique_ptr<Place>.
  template <class Make>
  explicit StepsAhead(const Make& make) : slots_(static_cast<size_t>(1 + ahead())) {
    for (Slot& slot : slots_) slot.place = make();
  }

  // From here on next() gives steps first, first + 1, ... end - 1, each in a place where prepare(place, step) has run,
  // on any thread and beside that of other steps. A place is good until the next call of next(). What they refer to
  // lives until the last one is done, or this is gone.
  void begin(int64_t first, int64_t end, std::function<void(Place&, int64_t)> prepare) {
    prepare_ = std::move(prepare);
    started_ = given_ = first;
    end_ = end;
  }
  Place& next() {
    const auto slots = static_cast<int64_t>(slots_.size());
    for (; started_ < given_ + slots && started_ < end_; ++started_) {
      Slot& slot = slots_[started_ % slots];
      slot.prepared.start([this, &place = *slot.place, step = started_] { prepare_(place, step); });
    }
    Slot& slot = slots_[given_++ % slots];
    slot.prepared.finish();
    return *slot.place;
  }

 private:
  // A step takes the CPU longer than its preparation, so one ahead is enough; a GPU is so much faster that it takes
  // several threads to keep up with it, and on a single one a second place, as in the first it may still be reading.
  static int ahead() {
    const int helpers = threads() - 1;
    return device() == Device::cuda ? std::clamp(helpers, 1, 4) : std::min(helpers, 1);
  }

  struct Slot {
    std::unique_ptr<Place> place;
    Aside prepared;
  };
  std::function<void(Place&, int64_t)> prepare_;
  int64_t started_ = 0, given_ = 0, end_ = 0;
  std::vector<Slot> slots_;  // goes first: what is under way reads the others
};

}  // namespace nd
