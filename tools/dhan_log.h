// What the tools that read articles for D-HAN tell about them: nothing that did not join is dropped silently.
#pragma once

#include "lib/cli/log.h"
#include "lib/models/dhan_data.h"

namespace nd {

inline void tell_coverage(cli::Log& log, const DhanData& data) {
  const DhanCoverage& c = data.coverage();
  log.info("coverage", {{"articles", c.articles},
                        {"without_text", c.without_text},
                        {"without_elements", c.without_elements},
                        {"without_identity", c.unknown}});
}

}  // namespace nd
