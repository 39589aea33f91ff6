// What the tools that read articles for KRED tell about them: nothing that did not join is dropped silently.
#pragma once

#include "lib/cli/log.h"
#include "lib/models/kred_data.h"

namespace nd {

inline void tell_coverage(cli::Log& log, const KredCoverage& c) {
  log.info("coverage", {{"articles", c.articles},
                        {"without_vector", c.without_vector},
                        {"without_entity", c.without_entity},
                        {"links", c.links},
                        {"links_without_vector", c.links_without_vector},
                        {"entities", c.entities},
                        {"entities_without_neighbours", c.without_neighbours},
                        {"triples_without_vector", c.triples_without_vector}});
}

}  // namespace nd
