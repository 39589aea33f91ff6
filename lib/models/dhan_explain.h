// D-HAN's attention in a form people read: paper, Figure 4.
#pragma once

#include <cstdint>
#include <string>

#include "formats/candidates.h"
#include "lib/models/dhan_file.h"

namespace nd {

// TSV to path or "-", with a header line; for the first `count` instances of `candidates` that have a clicked one (or
// the first candidate where nothing is labelled), one row per weight:
//   level      sentence, element or sequence
//   instance   the click's number
//   candidate  its article
//   read       number in the history of the article attended in, from 1, the oldest; 0 for a sequence
//   article    that article, "-" for a sequence
//   from, to   which token looks at which: a sentence's or an element's label, candidate, user; a number in the history
//   weight     softmax, before dropout; the weights of one `from` sum to 1
// Levels that a model does not have have no rows.
void write_attention(const std::string& path, const OpenDhan& dhan, const DhanRanker& ranker,
                     const Candidates& candidates, int64_t count);

}  // namespace nd
