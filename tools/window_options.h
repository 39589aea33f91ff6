// How a click log is cut into instances, as all tools that read one are told.
#pragma once

#include "lib/cli/command.h"
#include "lib/data/windows.h"

namespace nd {

inline void declare_windows(cli::Command& c, WindowOptions& o) {
  c.option(o.history, "--history", "N", "of clicks: articles of a user's history before the one to predict",
           cli::range(1, WindowOptions::longest));
  c.option(o.min_clicks, "--min-clicks", "N", "of clicks: users with fewer are left out", cli::range(1, 1e9));
}

inline void tell_windows(cli::Log& log, const Windows& w) {
  log.info("windows", {{"train", w.train.size()},
                       {"valid", w.valid.size()},
                       {"test", w.test.size()},
                       {"users_with_too_few", w.too_few},
                       {"users_without_window", w.no_instance}});
  if (w.predictable > 0)
    log.warn(std::to_string(w.predictable) +
             " held-out clicks are on articles in their own history, which negatives never are: repeating the history "
             "predicts them (click-ingest --repeats first leaves such clicks out)");
}

}  // namespace nd
