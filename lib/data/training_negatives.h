// Articles a user did not click, drawn to learn a click of a log against (D-HAN, sec. 3.7; dhan.md 1.10).
//
// Drawn can be any article of a training window but those in the user's own training clicks. What the user clicked
// later can be drawn: to leave it out would tell that it is clicked. What is drawn is a pure function of the log, the
// seed, the epoch and the click, whatever else is drawn.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "formats/clicks.h"
#include "lib/data/distinct_draw.h"
#include "lib/data/windows.h"
#include "lib/tensor/arena.h"
#include "lib/tensor/draws.h"
#include "lib/tensor/random.h"

namespace nd {

enum class TrainingSource : uint8_t {
  uniform,     // each article as likely as the others
  popularity,  // in proportion to its training clicks
  live,        // each live at the click's time as likely as the others; where there are too few, any article
};

// Source by its name above. UsageError when there is no such source.
TrainingSource training_source(std::string_view name);

class TrainingNegatives {
 public:
  // An article's life reaches from its first training click to its last; it is live while some of it lies within
  // `window_hours` before or after the moment. `clicks` must outlive this.
  TrainingNegatives(const Clicks& clicks, const Windows& windows, TrainingSource source, int64_t window_hours,
                    uint64_t seed);

  // Writes out.size() distinct articles for a training click, and returns how many there are: fewer only when there are
  // no more. click < 2^31, epoch < 2^32. Safe to call from many threads.
  int64_t draw(int32_t click, int64_t epoch, std::span<int32_t> out) const;
  // As many as it returns where out has room for `most`.
  int64_t count(int32_t click, int64_t most) const;

  // Uniform ones can be drawn on a GPU: lists() puts what is drawn from into an arena, for_clicks() adds these clicks
  // in this epoch, one set a click, and ops::draw_apart then draws what draw() does.
  bool by_operation() const { return source_ == TrainingSource::uniform; }
  ApartDraws lists(Arena& arena) const;
  void for_clicks(std::span<const int32_t> clicks, int64_t epoch, Arena& arena, ApartDraws& draws) const;

  // How many articles there are to draw from, and how many at least for any one user.
  int64_t articles() const { return static_cast<int64_t>(popularity_.articles().size()); }
  int64_t fewest() const { return fewest_; }

 private:
  std::span<const int32_t> own(int32_t click) const { return clicked_[user_of(clicks_, click)]; }

  const Clicks& clicks_;
  TrainingSource source_;
  Random random_;
  int64_t fewest_ = 0;
  Ragged<int32_t> clicked_;  // [users] training clicks, sorted, distinct
  Popularity popularity_;    // of training clicks

  // live: when each article is, and which are at some time of each day.
  std::vector<int64_t> from_, until_;  // [articles of the corpus]
  int64_t first_day_ = 0;
  std::vector<int64_t> day_offsets_;
  std::vector<int32_t> of_day_;
};

}  // namespace nd
