// What the clicks of a log are ranked against when a system is judged (D-HAN, sec. 4.1: 99 articles the user did not
// click; dhan.md 1.11). Drawn once and written to a file, so that all systems rank the same.
//
// Never drawn is what the click's user clicked at any time. Drawn can only be what somebody clicked: an article that
// nobody ever reads would be told by that alone. What is drawn for a click is a pure function of the log, the seed and
// the click, whatever else is drawn.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/candidates.h"
#include "formats/clicks.h"
#include "lib/io/skips.h"

namespace nd {

enum class ClickSource : uint8_t {
  uniform,     // each article as likely as the others (the paper)
  popularity,  // in proportion to clicks, as positives are: popularity alone tells nothing
  live,        // each live article as likely as the others
  all_live,    // every live article, none drawn
};

// Source by name: uniform, popularity, live, all-live. UsageError when there is no such source.
ClickSource click_source(std::string_view name);

struct ClickSampling {
  ClickSource source = ClickSource::uniform;
  // An article's life reaches from its first click in the log to its last. It is live at a time when some of its life
  // lies within this window before or after it.
  int64_t window_hours = 1;
  int64_t negatives = 99;  // ignored by all_live
};

// One row per instance (rising click indices, as in windows.h): the clicked article among the drawn ones, at a drawn
// place. An instance for which there are fewer than asked for, or for all_live none, is skipped, as an easier ranking
// among hard ones would mislead; `path` names the log in what is said about it.
Candidates sample_candidates(const Clicks& clicks, std::span<const int32_t> instances, const ClickSampling& sampling,
                             uint64_t seed, const std::string& path, Skips& skips);

}  // namespace nd
