// Rankings that need no training: what clicks alone say. Every table has one of these rows, since a model that does not
// beat a counter has learnt nothing a newsroom needs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/behavior.h"

namespace nd {

// What is scored: candidates of impressions of `behavior`, as in formats/candidates.h.
struct ToScore {
  const Behavior& behavior;
  std::span<const int32_t> impression;
  const Ragged<int32_t>& candidate;
};

// All files are made from one corpus. A click is a candidate with label 1. The impressions that are scored are known by
// id, user, time and candidates in whichever file they stand.

// Clicks on the article in all of `from`; those of the scored impressions do not count, since they are what is asked
// for. [candidates]
std::vector<float> score_by_popularity(const ToScore& what, std::span<const Behavior* const> from);
// Clicks on the article in `from` within `window` seconds before the impression's time, that moment excluded, so that
// an impression never counts for itself while earlier ones do, scored or not; all 0 where the impression's time is
// unknown. [candidates]
std::vector<float> score_by_recent(const ToScore& what, std::span<const Behavior* const> from, int64_t window);
// Distinct users of `from`, other than the impression's, who clicked both the article and the last article of the
// impression's history (clicks and histories of `from` count, clicks of the scored impressions do not); all 0 for an
// empty history. [candidates]
std::vector<float> score_by_coclick(const ToScore& what, std::span<const Behavior* const> from);

}  // namespace nd
