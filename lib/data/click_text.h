// Anybody's click logs and article lists (TSV, CSV, JSON lines) into a click log of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  std::string format = "auto";     // of the clicks (lib/data/records.h)
  std::string columns;             // parse_columns(); what it leaves out is guessed
  std::string article_columns;     // likewise, for article lists
  std::vector<std::string> where;  // RowFilter, for clicks
};

class ClickText {
 public:
  // UsageError when the columns or conditions make no sense. tell(path, columns) is called for each file once it is
  // known how it is understood.
  ClickText(const ClickTextOptions& options, std::function<void(const std::string&, const std::string&)> tell);

  // Reads one more log; articles it tells nothing about have an id only. Error when no column can be found for the
  // user, the article or the time, or no row of the file can be used. Skipped: rows without a user or an article, and
  // times that are none, before 1970 or from 2100 on.
  void read_clicks(const std::string& path, Skips& skips);
  // Reads one more list of articles, clicked or not. An id that comes again is skipped. Error as above, for the
  // article.
  void read_articles(const std::string& path, Skips& skips);

  ArticleBuilder articles;
  ClickBuilder clicks;
  int64_t filtered = 0;  // rows of logs that --where leaves out
  int64_t sessions() const { return sessions_.size(); }

 private:
  ColumnMap open(RecordReader& rows, const ColumnMap& told, bool of_articles, const RowFilter& filter) const;

  std::string format_;
  ColumnMap columns_, article_columns_;
  RowFilter filter_;
  std::function<void(const std::string&, const std::string&)> tell_;
  Vocabulary sessions_;
};

}  // namespace nd
