#include "lib/data/table.h"

#include <algorithm>

#include "lib/io/json.h"

namespace nd {
namespace {

constexpr size_t kMostColumns = 1000;  // of a header

}  // namespace

void split_fields(std::string_view line, size_t most, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    const size_t tab = line.find('\t');
    fields.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos || fields.size() > most) return;
    line.remove_prefix(tab + 1);
  }
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

TableReader::TableReader(const std::string& path, std::vector<TableColumn> columns)
    : lines_(path), columns_(std::move(columns)) {
  if (!lines_.next(line_)) throw Error(shown(path), "is empty, expected a table of tab-separated columns");
  if (read_header(line_)) return;
  first_is_data_ = true;
  place_.clear();
  for (const TableColumn& c : columns_)
    place_.push_back(c.presence == TableColumn::only_named ? -1 : static_cast<int>(width_++));
}

bool TableReader::read_header(std::string_view line) {
  split_fields(line, kMostColumns, fields_);
  place_.assign(columns_.size(), -1);
  int found = 0;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const std::string name = lower_case(fields_[i]);
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (std::ranges::find(columns_[c].names, name) == columns_[c].names.end()) continue;
      if (place_[c] >= 0) lines_.fail("the header names the column " + name + " twice");
      place_[c] = static_cast<int>(i);
      ++found;
    }
  }
  if (place_[0] < 0 || found < 2 || fields_.size() > kMostColumns) return false;
  width_ = fields_.size();
  for (size_t c = 0; c < columns_.size(); ++c)
    if (place_[c] < 0 && columns_[c].presence == TableColumn::required)
      lines_.fail("the header has no column " + std::string(columns_[c].names.front()));
  return true;
}

bool TableReader::next(Skips& skips) {
  while (first_is_data_ || lines_.next(line_)) {
    first_is_data_ = false;
    split_fields(line_, width_, fields_);
    if (fields_.size() != width_)
      skips.skip(path(), row(),
                 "expected " + std::to_string(width_) + " tab-separated columns, found " +
                     (fields_.size() > width_ ? "more" : std::to_string(fields_.size())));
    else if (!json::is_utf8(line_)) skips.skip(path(), row(), "the text is not UTF-8");
    else return true;
  }
  return false;
}

Error TableReader::nothing_usable(const Skips& skips) const {
  const auto causes = skips.report();
  return {shown(path()), "has no row that can be used (" + (causes.empty() ? "only a header" : causes.front()) + ")"};
}

void TableReader::unquote() {
  unquoted_.resize(line_.size());
  char* to = unquoted_.data();
  for (std::string_view& field : fields_) {
    if (field.size() < 2 || field.front() != '"' || field.back() != '"') continue;
    const std::string_view inside = field.substr(1, field.size() - 2);
    const char* begin = to;
    for (size_t i = 0; i < inside.size(); ++i) {
      *to++ = inside[i];
      if (inside[i] == '"' && i + 1 < inside.size() && inside[i + 1] == '"') ++i;
    }
    field = {begin, static_cast<size_t>(to - begin)};
  }
}

}  // namespace nd
