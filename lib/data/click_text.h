// Anybody's click logs (TSV, CSV, JSON lines) into a click log of ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/data/article_lists.h"
#include "lib/data/click_columns.h"
#include "lib/data/click_log.h"
#include "lib/data/records.h"
#include "lib/io/skips.h"

namespace nd {

// Rows that count: FIELD=VALUE each. Of one field any of its values will do, of several fields all must agree.
class RowFilter {
 public:
  // UsageError for a condition without a field or an equals sign.
  explicit RowFilter(const std::vector<std::string>& conditions);
  std::vector<std::string> fields() const;
  // The row's fields from `first` on, in the order of fields().
  bool holds(const RecordReader& row, size_t first) const;

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> wanted_;
};

struct ClickTextOptions {
  std::string format = "auto";     // lib/data/records.h
  std::string columns;             // parse_columns(); what it leaves out is guessed
  std::vector<std::string> where;  // RowFilter
};

class ClickText {
 public:
  // UsageError when the columns or conditions make no sense.
  ClickText(const ClickTextOptions& options, TellColumns tell);

  // Reads one more log. Error when no column can be found for the user, the article or the time, or no row of the file
  // can be used. Skipped: rows without a user or an article, and times that are none, before 1970 or from 2100 on.
  void read(const std::string& path, Skips& skips);

  ArticleBuilder articles;  // what is told before of an article (article_lists.h) stands
  ClickBuilder clicks;
  int64_t filtered = 0;  // rows that --where leaves out

 private:
  std::string format_;
  ColumnMap columns_;
  RowFilter filter_;
  TellColumns tell_;
  Vocabulary sessions_;
};

}  // namespace nd
