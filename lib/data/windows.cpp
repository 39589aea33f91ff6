#include "lib/data/windows.h"

#include <algorithm>

#include "lib/io/error.h"

namespace nd {

const std::vector<int32_t>& Windows::of(std::string_view split) const {
  if (split == "valid") return valid;
  if (split == "test") return test;
  throw UsageError("no held-out split is called " + std::string(split) + ", expected valid or test");
}

std::vector<bool> Windows::warm(const Clicks& clicks) const {
  std::vector<bool> warm(static_cast<size_t>(clicks.corpus_size[0]));
  for (int64_t u = 0; u < clicks.size(); ++u)
    for (int64_t i = clicks.article.offsets[u]; i < train_end[static_cast<size_t>(u)]; ++i)
      warm[static_cast<size_t>(clicks.article.values[i])] = true;
  return warm;
}

std::vector<int32_t> cold(const Clicks& clicks, const Windows& windows, std::span<const int32_t> instances) {
  const std::vector<bool> warm = windows.warm(clicks);
  std::vector<int32_t> out;
  for (const int32_t i : instances) out.push_back(!warm[static_cast<size_t>(clicks.article.values[i])]);
  return out;
}

Windows windows_of(const Clicks& clicks, const WindowOptions& options, const std::string& path) {
  if (clicks.clicks() > INT32_MAX)
    throw Error(path, "has " + std::to_string(clicks.clicks()) + " clicks, expected at most 2147483647");
  Windows out;
  const auto hold = [&](std::vector<int32_t>& split, int64_t click) {
    split.push_back(static_cast<int32_t>(click));
    const auto history = history_of(clicks, click, options.history);
    out.predictable += std::ranges::find(history, clicks.article.values[click]) != history.end();
  };
  for (int64_t u = 0; u < clicks.size(); ++u) {
    const int64_t begin = clicks.article.offsets[u], end = clicks.article.offsets[u + 1];
    const int64_t first = begin + options.history;  // the first click with a whole history
    out.train_end.push_back(begin);
    out.held_begin.push_back(end);
    if (end - begin < options.min_clicks) {
      ++out.too_few;
      continue;
    }
    if (first >= end) {
      ++out.no_instance;
      continue;
    }
    hold(out.test, end - 1);
    out.held_begin.back() = end - 1;
    if (first >= end - 1) continue;
    hold(out.valid, end - 2);
    out.held_begin.back() = end - 2;
    if (first >= end - 2) continue;
    for (int64_t i = first; i < end - 2; ++i) out.train.push_back(static_cast<int32_t>(i));
    out.train_end.back() = end - 2;
  }
  if (out.test.empty())
    throw Error(path, "has no user with at least " + std::to_string(options.min_clicks) + " clicks and more than the " +
                          std::to_string(options.history) + " of a history (of " + std::to_string(clicks.size()) +
                          " users): lower --min-clicks or --history");
  return out;
}

void require_held_out(const Clicks& clicks, const Windows& windows, std::span<const int32_t> instances,
                      const std::string& path) {
  for (const int32_t i : instances)
    if (i < windows.held_begin[static_cast<size_t>(user_of(clicks, i))])
      throw Error(path, "names click " + std::to_string(i) +
                            ", which is not held out here: it was made with another --history or --min-clicks");
}

int32_t user_of(const Clicks& clicks, int64_t click) {
  const auto& offsets = clicks.article.offsets;
  return static_cast<int32_t>(std::upper_bound(offsets.begin(), offsets.end(), click) - offsets.begin() - 1);
}

}  // namespace nd
