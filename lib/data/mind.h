// MIND's raw files (https://msnews.github.io), and what other people's tools make of them.
//
// news.tsv: id, category, subcategory, title, abstract, url, title entities, abstract entities. The entity columns are
// JSON lists of {"Label","Type","WikidataId","Confidence","OccurrenceOffsets","SurfaceForms"}; offsets are code points
// of that field's own text. A `"` is literal, unless an entity column opens with `"[`: then a CSV writer was at work,
// and the quotes of that row are undone. behaviors.tsv: impression, user, time, history, candidates as article-1
// (clicked), article-0 (not) or article (unlabelled).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "formats/behavior.h"
#include "formats/corpus.h"
#include "lib/io/skips.h"

namespace nd {

struct MindNewsCounts {
  int64_t repeated = 0;          // rows that repeat an article word for word, as the news files of one data set do
  int64_t without_entities = 0;  // articles
};

// The articles of all files in order, each id once: of rows with one id and other content the first stands, the others
// are skipped. One link per entity and field (title, abstract); frequency is the number of offsets, at least 1.
// A header may also name body and body_entities, which MIND does not have. Error when a file is empty or gives nothing.
Corpus read_mind_news(std::span<const std::string> paths, Skips& skips, MindNewsCounts& counts);

struct MindBehaviorCounts {
  int64_t unlabelled = 0;     // impressions
  int64_t without_time = 0;   // impressions
  int64_t empty_history = 0;  // impressions
};

// The impressions of one file, articles as rows of article_id. A row that shows an unknown article is skipped (judging
// it without that article would be another task); an unknown article in a history is left out. Error when the file is
// empty or no row of it can be used.
Behavior read_mind_behaviors(const std::string& path, const Strings& article_id, Skips& skips,
                             MindBehaviorCounts& counts);

}  // namespace nd
