#include "lib/data/click_text.h"

#include <algorithm>
#include <initializer_list>

namespace nd {
namespace {

using enum Role;

constexpr std::initializer_list<Role> kClickRoles = {user, article, time, session, title, body, category};

std::string_view field(const RecordReader& row, Role role) { return row[static_cast<size_t>(role)]; }

}  // namespace

RowFilter::RowFilter(const std::vector<std::string>& conditions) {
  for (const std::string& condition : conditions) {
    const size_t equals = condition.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("the condition '" + condition + "' is not FIELD=VALUE");
    const std::string field = condition.substr(0, equals), value = condition.substr(equals + 1);
    const auto at = std::ranges::find(wanted_, field, &std::pair<std::string, std::vector<std::string>>::first);
    if (at == wanted_.end()) wanted_.push_back({field, {value}});
    else at->second.push_back(value);
  }
}

std::vector<std::string> RowFilter::fields() const {
  std::vector<std::string> out;
  for (const auto& [field, values] : wanted_) out.push_back(field);
  return out;
}

bool RowFilter::holds(const RecordReader& row, size_t first) const {
  for (size_t i = 0; i < wanted_.size(); ++i)
    if (std::ranges::find(wanted_[i].second, row[first + i]) == wanted_[i].second.end()) return false;
  return true;
}

ClickText::ClickText(const ClickTextOptions& options, TellColumns tell)
    : format_(options.format),
      columns_(parse_columns(options.columns, kClickRoles)),
      filter_(options.where),
      tell_(std::move(tell)) {}

void ClickText::read(const std::string& path, Skips& skips) {
  RecordReader row(path, format_);
  ColumnMap map = choose_columns(row, columns_, kClickRoles, {user, article, time}, filter_.fields(),
                                 "--columns user=1,article=2,time=3:s");
  const int64_t clicks_before = clicks.size(), filtered_before = filtered;
  bool told = false;
  while (row.next(skips)) {
    if (!filter_.holds(row, kRoles)) {
      ++filtered;
      continue;
    }
    if (map.unit == TimeUnit::unknown) map.unit = guess_unit(field(row, time));
    if (!std::exchange(told, true)) tell_(shown(path), map.text());
    int64_t micros = 0;
    const char* problem = field(row, user).empty()      ? "the user is missing"
                          : field(row, article).empty() ? "the article is missing"
                                                        : read_time(field(row, time), map.unit, micros);
    if (problem) {
      skips.skip(path, row.row(), problem);
      continue;
    }
    const int32_t at = articles.add(field(row, article));
    articles.tell(at, {.title = field(row, title), .body = field(row, body), .category = field(row, category)});
    clicks.add(clicks.add_user(field(row, user)), at, micros,
               field(row, session).empty() ? -1 : sessions_.add(field(row, session)));
  }
  if (clicks.size() == clicks_before) throw nothing_usable(path, skips, filtered - filtered_before);
}

}  // namespace nd
