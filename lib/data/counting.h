// Rankings that need no training: what clicks alone say. Every table has one of these rows, since a model that does not
// beat a counter has learnt nothing a newsroom needs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/behavior.h"
#include "formats/clicks.h"
#include "lib/data/windows.h"

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

// What is scored of a log of clicks: candidates of instances, as in formats/candidates.h.
struct InstancesToScore {
  const Clicks& clicks;
  const Windows& windows;
  std::span<const int32_t> instance;
  const Ragged<int32_t>& candidate;
  // Count all clicks that are not held out, those of users without training windows too; otherwise the training clicks
  // (Windows::train_end), which is what a model learns from.
  bool count_all = false;
};

// The same three. Nothing that is held out is counted, for validation or for the test, whenever it was. [candidates]
std::vector<float> score_by_popularity(const InstancesToScore& what);
// Counted clicks within `window` seconds before the instance's time, that moment excluded.
std::vector<float> score_by_recent(const InstancesToScore& what, int64_t window);
// Distinct other users with counted clicks on both the article and the last one of the instance's history.
std::vector<float> score_by_coclick(const InstancesToScore& what);

// One of the three by its name: popularity, recent (with that window) or coclick.
std::vector<float> score_by(const std::string& name, const ToScore& what, std::span<const Behavior* const> from,
                            int64_t window);
std::vector<float> score_by(const std::string& name, const InstancesToScore& what, int64_t window);

}  // namespace nd
