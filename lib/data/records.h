// Rows of named fields in whatever form people keep them: tab-separated or comma-separated columns, or JSON lines.
//
// TSV has no quoting, a `"` is a character like any other. CSV is RFC 4180: a field in quotes may hold commas, doubled
// quotes and line ends. A row of JSON lines is an object; its fields are its members, "a.b" a member of a member.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/io/json.h"
#include "lib/io/skips.h"
#include "lib/io/source.h"

namespace nd {

class RecordReader {
 public:
  // format: tsv, csv, json, or auto: JSON when the first line opens with {, else TSV when it holds a tab, else CSV.
  // Error when the file is empty.
  RecordReader(const std::string& path, std::string_view format = "auto");

  // Columns of the first line, or members of the first object that can be fields: where names can be looked up, and how
  // many columns a row has. Whether a first line is a header, only the caller can say, by choosing.
  const std::vector<std::string>& names() const { return names_; }
  bool json() const { return json_; }

  // The fields that operator[] gives from now on, "" for one that no row has. Either all by name, and then the first
  // line of columns is their header; or all by number from 1, and then it is a row like the others. Error for a name
  // that the header lacks or holds twice, and for a number beyond the last column. To be called before next().
  void choose(const std::vector<std::string>& fields);

  // The next row that can be used; false at the end. Skipped and counted: a row of another number of columns, text that
  // is no UTF-8 or no JSON object, a chosen member that is a list, an object, or a number too large to be kept exactly
  // (64 bits for whole numbers). Empty lines are passed over.
  bool next(Skips& skips);
  // Chosen field of the row; "" where the row has none, or null. Valid until next().
  std::string_view operator[](size_t field) const { return values_[field]; }

  int64_t row() const { return row_; }
  const std::string& path() const { return lines_.path(); }
  [[noreturn]] void fail(const std::string& what) const { throw Error(shown(path()), row_, what); }

 private:
  bool next_line();
  const char* split_line();
  const char* split_csv();
  const char* read_columns();
  const char* read_object();

  LineReader lines_;
  bool json_ = false, csv_ = false, held_ = true;  // held_: the first line has not been given out
  std::string_view line_;
  int64_t row_ = 1;
  std::vector<std::string> names_;
  std::vector<int> place_;                        // columns: where each chosen field is, -1 when nowhere
  std::vector<std::vector<std::string>> member_;  // JSON: names on the way to each chosen field
  std::vector<std::string_view> fields_, values_;
  std::string unquoted_;  // the fields of a CSV row
  std::vector<std::pair<size_t, size_t>> spans_;
  std::vector<std::string> numbers_;
  json::Parser parser_;
};

}  // namespace nd
