// What the tools that make click logs tell about them, and how they write them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lib/data/article_lists.h"
#include "lib/data/click_log.h"
#include "lib/data/log_time.h"
#include "lib/io/kind_file.h"
#include "tools/meta.h"

namespace nd {

inline TellColumns tell_columns(cli::Log& log) {
  return [&log](const std::string& path, const std::string& columns) {
    log.info("columns", {{"file", path}, {"columns", columns}});
  };
}

// How many sessions have a click.
inline int64_t sessions_of(const Clicks& clicks) {
  std::vector<int32_t> session(clicks.session.begin(), clicks.session.end());
  std::ranges::sort(session);
  session.erase(std::unique(session.begin(), session.end()), session.end());
  return static_cast<int64_t>(session.size()) - (!session.empty() && session.front() < 0);
}

inline void report(cli::Log& log, const ClickLog& read, bool repeats_kept) {
  const auto [first, last] = std::ranges::minmax(read.clicks.time.span());
  log.info("read", {{"clicks", read.clicks.clicks()},
                    {"users", read.clicks.size()},
                    {"articles", read.corpus.size()},
                    {"articles_without_text", read.without_text},
                    {"sessions", sessions_of(read.clicks)},
                    {"from", iso_time(first)},
                    {"to", iso_time(last)}});
  log.info("order", {{"out_of_order", read.counts.out_of_order},
                     {"equal_times", read.counts.equal_times},
                     {"repeats", read.counts.repeats}});
  if (read.counts.without_text > 0) log.info("left out", {{"clicks_without_text", read.counts.without_text}});
  if (read.counts.repeats > 0)
    log.info(std::to_string(read.counts.repeats) + " clicks are on articles that their users had clicked before: " +
             (repeats_kept ? "kept, though a history then gives some of them away"
                           : "left out (--repeats keep keeps them)"));
}

inline void save(cli::Context& ctx, const ClickLog& log, const std::string& corpus, const std::string& clicks,
                 int compress) {
  const uint64_t digest = save(corpus, log.corpus, meta_of(ctx), compress);
  save(clicks, log.clicks, meta_of(ctx, {{"corpus", Corpus::kind, digest}}), compress);
}

}  // namespace nd
