// A log cut into a part to learn from and a part to judge by, such that the first does not tell about the second.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "formats/behavior.h"

namespace nd {

struct SplitOptions {
  // time: the last `days` days. impression, user: `fraction` of the impressions, of the users, by a seeded hash of
  // their ids. auto: time where the log spans two days or more and all times are known, else impression.
  std::string by = "auto";
  int64_t days = 1;
  double fraction = 0.1;
};

struct Split {
  Behavior train, valid;
  std::string how;                // a sentence for the log
  int64_t clicks = 0;             // of the valid part
  int64_t clicks_in_history = 0;  // those whose article is in the history of their own impression
  int64_t new_users = 0;          // of the valid part: not in the training part
};

// Error (naming `path`) when a part would be empty, when `by` is time and times are missing, or when the split leaks:
// - an impression id, or one impression under two ids, stands in both parts;
// - a click of the valid part is in the history of a training impression of the same user that is not earlier;
// - most clicks of the valid part are in the history of their own impression: then histories were taken afterwards.
Split split_behavior(const Behavior& log, const SplitOptions& options, uint64_t seed, const std::string& path);

// These impressions, in this order, with their users and histories alone.
Behavior select_impressions(const Behavior& log, std::span<const int64_t> rows);

}  // namespace nd
