// Lists of articles (TSV, CSV, JSON lines): what is known of them beside who clicked them.
#pragma once

#include <functional>
#include <string>

#include "lib/data/click_columns.h"
#include "lib/data/click_log.h"
#include "lib/io/skips.h"

namespace nd {

// Told (path, columns) for each file once it is known how it is understood.
using TellColumns = std::function<void(const std::string&, const std::string&)>;

class ArticleLists {
 public:
  // columns: as parse_columns() takes them; what they leave out is guessed. UsageError when they make no sense.
  ArticleLists(const std::string& columns, TellColumns tell);

  // Adds the articles of one more list, clicked or not. Error when the file is empty, has no column for the article, or
  // no row that can be used. Skipped: rows without an article, with one that came before, or with a time of publication
  // that is none, before 1970 or from 2100 on.
  void read(const std::string& path, ArticleBuilder& articles, Skips& skips) const;

 private:
  ColumnMap columns_;
  TellColumns tell_;
};

// What to throw when no row of a file could be used; `filtered` rows were not wanted.
Error nothing_usable(const std::string& path, const Skips& skips, int64_t filtered = 0);

}  // namespace nd
