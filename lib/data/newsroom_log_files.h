// The newsroom's log of clicks written to the raw formats that adressa-ingest, click-ingest, element-extract-ingest and
// vector-ingest read.
#pragma once

#include <string>

#include "lib/data/newsroom_log.h"

namespace nd::newsroom {

// Writes into `folder`, which is made when it is missing; each file is replaced atomically.
//
//   adressa/YYYYMMDD  Adressa's JSON lines, a file a day: three lines of four view no article. Texts are titles only
//   clicks.tsv        user, article, time in seconds, session, by time
//   articles.tsv      article, title, body, category, time of publication: every article
//   elements.jsonl    what a NER tool would have found in the articles that were clicked
//   words.vec         vectors of the words of texts and elements, as if learnt from more text than there is: words of a
//                     topic lie together, and words of one side
void write_log(const Log& log, const std::string& folder);

}  // namespace nd::newsroom
