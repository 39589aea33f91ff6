// Tab-separated tables whose columns are known by place, or by name where the first line is a header.
//
// No quoting: a `"` is a character like any other (MIND's own files are written so).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/io/skips.h"
#include "lib/io/source.h"

namespace nd {

// Fields of a line between tabs, at most `most` + 1 of them: enough to see that there are too many, however long it is.
void split_fields(std::string_view line, size_t most, std::vector<std::string_view>& fields);

// A-Z as a-z, all else as it is.
std::string lower_case(std::string_view text);

struct TableColumn {
  std::vector<std::string_view> names;  // in lower case; the first is how messages call it
  enum Presence { required, optional, only_named } presence = required;
  // optional: a header may leave it out. only_named: without a header there is no such column.
};

class TableReader {
 public:
  // A first line is a header when it has the first column's name and one more. Rows then have as many columns as it
  // has, in its order; columns it names beyond ours are ignored. Error when it lacks a required one or names one twice.
  TableReader(const std::string& path, std::vector<TableColumn> columns);

  // The next row with the right number of columns that is UTF-8; others are skipped. False at the end.
  bool next(Skips& skips);
  // Column of the row, in the order of the constructor; empty when the file has none of that name. Valid until next().
  std::string_view operator[](size_t column) const {
    return place_[column] < 0 ? std::string_view() : fields_[static_cast<size_t>(place_[column])];
  }
  bool has(size_t column) const { return place_[column] >= 0; }
  // Undoes the quotes of a writer of CSV in all columns of this row: a field "x""y" becomes x"y.
  void unquote();

  // What to throw when no row of the file could be used.
  Error nothing_usable(const Skips& skips) const;

  int64_t row() const { return lines_.row(); }
  const std::string& path() const { return lines_.path(); }
  uint64_t bytes() const { return lines_.total(); }  // of the file, 0 when unknown

 private:
  bool read_header(std::string_view line);

  LineReader lines_;
  std::vector<TableColumn> columns_;
  std::vector<int> place_;  // where each column is, -1 when nowhere
  size_t width_ = 0;
  bool first_is_data_ = false;
  std::string_view line_;
  std::vector<std::string_view> fields_;
  std::string unquoted_;
};

}  // namespace nd
