// Click sequences cut into what is learnt from and what is judged by (D-HAN, "Experimental setup"; dhan.md 1.11).
//
// A window of `history` + 1 clicks slides over each user's clicks, one click a step; the last of its clicks is to be
// predicted from those before it, and names the window: it is an instance (formats/clicks.h). A user's newest window is
// for the test, the one before it for validation, all others for training. So a user with `history` clicks has no
// instance (the official code makes one whose target is in its own history), with one more a test instance only.
//
// What may be learnt or counted from are a user's training clicks: those up to the last one that a training window
// predicts. Whatever is held out is neither in a training window nor counted. Other users' clicks may be later than a
// test click, as in the paper: time is cut user by user.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/clicks.h"

namespace nd {

struct WindowOptions {
  static constexpr int64_t longest = 10000;
  int64_t history = 10;     // clicks before the one to predict, from 1 to the longest
  int64_t min_clicks = 15;  // users with fewer are left out; the paper says 15, its Table 1 was made with 12
};

struct Windows {
  std::vector<int32_t> train, valid, test;  // clicks to predict, rising
  std::vector<int64_t> train_end;   // [u] user u's training clicks are [article.offsets[u], train_end[u]), maybe none
  std::vector<int64_t> held_begin;  // [u] user u's clicks from here on are held out, maybe none
  int64_t too_few = 0;              // users with fewer clicks than asked for
  int64_t no_instance = 0;          // users with enough of them, but no more than a history needs
  int64_t predictable = 0;          // held-out clicks on an article that is in their own history (see click-ingest(1))

  // The held-out instances of a split by its name, valid or test. UsageError when there is no such split.
  const std::vector<int32_t>& of(std::string_view split) const;
  // Which articles occur in a training window: the others are cold. [corpus_size]
  std::vector<bool> warm(const Clicks& clicks) const;
};

// Of each instance whether its article occurs in no training window: 1 then, 0 otherwise.
std::vector<int32_t> cold(const Clicks& clicks, const Windows& windows, std::span<const int32_t> instances);

// Error naming `path` when no user has an instance, or the file has more clicks than an instance can number (2^31 - 1).
Windows windows_of(const Clicks& clicks, const WindowOptions& options, const std::string& path);

// Error naming `path` unless all of these clicks are held out: what was drawn for other windows would be judged by
// clicks that were learnt from.
void require_held_out(const Clicks& clicks, const Windows& windows, std::span<const int32_t> instances,
                      const std::string& path);

// The user of a click.
int32_t user_of(const Clicks& clicks, int64_t click);

// The `length` articles read before an instance, oldest first.
inline std::span<const int32_t> history_of(const Clicks& clicks, int64_t instance, int64_t length) {
  return clicks.article.values.span().subspan(static_cast<size_t>(instance - length), static_cast<size_t>(length));
}

}  // namespace nd
