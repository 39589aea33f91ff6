#include "lib/data/records.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "lib/data/table.h"

namespace nd {
namespace {

constexpr size_t kMostColumns = 1000;
constexpr size_t kLongestName = 256;      // of a member, those around it included
constexpr size_t kMostQuoted = 16 << 20;  // bytes of one row: a quote that is never closed must not eat a file

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// The names of an object's members that are text, numbers or the like, those of its members' members with a dot. No
// more and no longer ones than can be meant: a long name before many others would take a multiple of the line.
void list_members(const json::Node& object, const std::string& before, std::vector<std::string>& names) {
  object.members([&](std::string_view key, const json::Node& value) {
    if (names.size() == kMostColumns || before.size() + key.size() > kLongestName) return;
    const std::string name = before + std::string(key);
    if (value.type() == json::Node::Type::object) list_members(value, name + ".", names);
    else if (value.type() != json::Node::Type::array) names.push_back(name);
  });
}

// A number as text that reads back as the same number. What is wrong, or nullptr.
const char* to_text(const json::Node& value, std::string& out) {
  int64_t whole;
  double number;
  out.clear();
  if (value.get(whole)) {
    out = std::to_string(whole);
  } else if (value.get(number)) {
    if (std::fabs(number) >= 0x1p53) return "a number is too large to be kept exactly";
    json::append(out, number);
  }
  return nullptr;
}

}  // namespace

RecordReader::RecordReader(const std::string& path, std::string_view format) : lines_(path) {
  if (!next_line()) throw Error(shown(path), "is empty, expected rows of columns or JSON lines");
  const size_t start = line_.find_first_not_of(" \t");
  json_ = format == "json" || (format == "auto" && start != std::string_view::npos && line_[start] == '{');
  csv_ = !json_ && (format == "csv" || (format == "auto" && line_.find('\t') == std::string_view::npos));
  if (json_) {
    try {
      list_members(parser_.parse(line_), "", names_);
    } catch (const Error&) {  // the row is skipped when its turn comes
    }
    return;
  }
  if (const char* problem = split_line()) fail(problem);
  if (fields_.size() > kMostColumns) fail("has more than 1000 columns");
  names_.assign(fields_.begin(), fields_.end());
}

void RecordReader::choose(const std::vector<std::string>& fields) {
  values_.assign(fields.size(), {});
  numbers_.assign(fields.size(), {});
  place_.assign(fields.size(), -1);
  member_.assign(fields.size(), {});
  if (json_) {
    for (size_t f = 0; f < fields.size(); ++f)
      for (size_t from = 0; from < fields[f].size();) {
        const size_t dot = std::min(fields[f].find('.', from), fields[f].size());
        member_[f].push_back(fields[f].substr(from, dot - from));
        from = dot + 1;
      }
    return;
  }
  const bool by_number = std::ranges::any_of(fields, is_number);
  for (size_t f = 0; f < fields.size(); ++f) {
    const std::string& field = fields[f];
    if (field.empty()) continue;
    if (by_number && !is_number(field))
      throw UsageError("columns are given by number and by name (" + field + "), expected one or the other");
    if (by_number) {
      size_t number = 0;
      std::from_chars(field.data(), field.data() + field.size(), number);
      if (number < 1 || number > names_.size())
        fail("has no column " + field + ", only " + std::to_string(names_.size()));
      place_[f] = static_cast<int>(number) - 1;
    } else {
      const auto at = std::ranges::find(names_, field);
      if (at == names_.end()) fail("has no column " + field + ", only " + listed(names_));
      if (std::find(at + 1, names_.end(), field) != names_.end()) fail("has two columns " + field);
      place_[f] = static_cast<int>(at - names_.begin());
    }
  }
  if (!by_number) held_ = false;  // the first line was the header
}

bool RecordReader::next_line() {
  if (!lines_.next(line_)) return false;
  row_ = lines_.row();
  return true;
}

bool RecordReader::next(Skips& skips) {
  for (;;) {
    const char* problem = nullptr;
    if (!std::exchange(held_, false)) {  // the first line has been split already
      if (!next_line()) return false;
      if (line_.empty()) continue;
      problem = json_ ? nullptr : split_line();
    }
    if (!problem) problem = json_ ? read_object() : read_columns();
    if (!problem) return true;
    skips.skip(path(), row_, problem);
  }
}

// Fields of the line at hand, or of as many lines as its quotes go over. What is wrong with it, or nullptr.
const char* RecordReader::split_line() {
  if (!csv_) split_fields(line_, kMostColumns, fields_);
  else if (const char* problem = split_csv()) return problem;
  return json::is_utf8(csv_ ? std::string_view(unquoted_) : line_) ? nullptr : "the text is not UTF-8";
}

const char* RecordReader::split_csv() {
  spans_.clear();
  unquoted_.clear();
  for (size_t at = 0;;) {
    const size_t begin = unquoted_.size();
    if (at < line_.size() && line_[at] == '"') {
      for (++at;;) {
        const size_t quote = line_.find('"', at);
        unquoted_.append(line_.substr(at, quote == std::string_view::npos ? quote : quote - at));
        if (quote == std::string_view::npos) {  // the field goes on in the next line
          if (unquoted_.size() > kMostQuoted) fail("a quote is not closed within 16 MiB");
          if (!lines_.next(line_)) return "a quote is not closed before the end of the file";
          unquoted_ += '\n';
          at = 0;
          continue;
        }
        at = quote + 1;
        if (at >= line_.size() || line_[at] != '"') break;
        unquoted_ += line_[at++];
      }
      if (at < line_.size() && line_[at] != ',') return "text follows a quoted field";
    } else {
      const size_t comma = std::min(line_.find(',', at), line_.size());
      unquoted_.append(line_.substr(at, comma - at));
      at = comma;
    }
    spans_.emplace_back(begin, unquoted_.size() - begin);
    if (at >= line_.size() || spans_.size() > kMostColumns) break;
    ++at;
  }
  fields_.clear();
  for (const auto& [begin, length] : spans_) fields_.push_back(std::string_view(unquoted_).substr(begin, length));
  return nullptr;
}

const char* RecordReader::read_columns() {
  if (fields_.size() != names_.size()) return "the row has another number of columns than the first line";
  for (size_t f = 0; f < place_.size(); ++f)
    if (place_[f] >= 0) values_[f] = fields_[static_cast<size_t>(place_[f])];
  return nullptr;
}

const char* RecordReader::read_object() {
  json::Node object;
  try {
    object = parser_.parse(line_);
  } catch (const Error&) {
    return "the line is not JSON";
  }
  if (object.type() != json::Node::Type::object) return "the line is no JSON object";
  for (size_t f = 0; f < member_.size(); ++f) {
    values_[f] = {};
    if (member_[f].empty()) continue;
    json::Node value = object;
    if (!std::ranges::all_of(member_[f], [&](const std::string& name) { return value.find(name, value); })) continue;
    bool truth;
    const char* problem = nullptr;
    switch (value.type()) {
      case json::Node::Type::null:
        break;
      case json::Node::Type::string:
        value.get(values_[f]);
        break;
      case json::Node::Type::boolean:
        value.get(truth);
        values_[f] = truth ? "true" : "false";
        break;
      case json::Node::Type::integer:
      case json::Node::Type::number:
        problem = to_text(value, numbers_[f]);
        values_[f] = numbers_[f];
        break;
      default:
        return "a member that was asked for is a list or an object";
    }
    if (problem) return problem;
  }
  return nullptr;
}

}  // namespace nd
