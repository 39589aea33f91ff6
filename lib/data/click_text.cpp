#include "lib/data/click_text.h"

#include <algorithm>
#include <initializer_list>

#include "lib/data/log_time.h"

namespace nd {
namespace {

using enum Role;

constexpr std::initializer_list<Role> kClickRoles = {user, article, time, session, title, body, category};
constexpr std::initializer_list<Role> kArticleRoles = {article, time,     title,       abstract,
                                                       body,    category, subcategory, url};

std::string_view field(const RecordReader& row, Role role) { return row[static_cast<size_t>(role)]; }

Error nothing_usable(const std::string& path, const Skips& skips, int64_t filtered) {
  const auto causes = skips.report();
  return {shown(path), "has no row that can be used (" +
                           (filtered > 0     ? std::to_string(filtered) + " rows are other than --where wants them"
                            : causes.empty() ? "only a header"
                                             : causes.front()) +
                           ")"};
}

bool is_given_by_number(const ColumnMap& map) {
  return std::ranges::any_of(map.field, [](const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  });
}

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

ClickText::ClickText(const ClickTextOptions& options, std::function<void(const std::string&, const std::string&)> tell)
    : format_(options.format),
      columns_(parse_columns(options.columns, kClickRoles)),
      article_columns_(parse_columns(options.article_columns, kArticleRoles)),
      filter_(options.where),
      tell_(std::move(tell)) {}

ColumnMap ClickText::open(RecordReader& rows, const ColumnMap& told, bool of_articles, const RowFilter& filter) const {
  ColumnMap map = told;
  if (rows.json() || !is_given_by_number(map))
    guess_columns(rows.names(), of_articles ? kArticleRoles : kClickRoles, map);
  const std::initializer_list<std::pair<Role, const char*>> needed = {
      {user, "user"}, {article, "article"}, {time, "time"}};
  for (const auto& [role, name] : needed)
    if (map[role].empty() && (role == article || !of_articles)) {
      std::string names;
      for (const std::string& n : rows.names()) names += (names.empty() ? "" : ", ") + n;
      rows.fail("no column could be found for the " + std::string(name) + "; say which, as in " +
                (of_articles ? "--article-columns article=1,title=2" : "--columns user=1,article=2,time=3:s") +
                " (the first line has " + names + ")");
    }
  std::vector<std::string> fields(map.field.begin(), map.field.end());
  for (const std::string& f : filter.fields()) fields.push_back(f);
  rows.choose(fields);
  return map;
}

void ClickText::read_clicks(const std::string& path, Skips& skips) {
  RecordReader row(path, format_);
  ColumnMap map = open(row, columns_, false, filter_);
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

void ClickText::read_articles(const std::string& path, Skips& skips) {
  RecordReader row(path);
  ColumnMap map = open(row, article_columns_, true, RowFilter({}));
  const int64_t before = articles.size();
  bool told = false;
  while (row.next(skips)) {
    if (map.unit == TimeUnit::unknown) map.unit = guess_unit(field(row, time));
    if (!std::exchange(told, true)) tell_(shown(path), map.text());
    const char* problem = nullptr;
    int64_t micros = -1;
    if (field(row, article).empty()) problem = "the article is missing";
    else if (!field(row, time).empty()) problem = read_time(field(row, time), map.unit, micros);
    const int64_t known = articles.size();
    if (!problem && articles.add(field(row, article)) < known) problem = "the article came before";
    if (problem) {
      skips.skip(path, row.row(), problem);
      continue;
    }
    articles.tell(static_cast<int32_t>(known), {.title = field(row, title),
                                                .abstract = field(row, abstract),
                                                .body = field(row, body),
                                                .url = field(row, url),
                                                .category = field(row, category),
                                                .subcategory = field(row, subcategory),
                                                .published = micros < 0 ? -1 : micros / 1000000});
  }
  if (articles.size() == before) throw nothing_usable(path, skips, 0);
}

}  // namespace nd
