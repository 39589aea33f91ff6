#include "lib/data/article_lists.h"

#include <initializer_list>
#include <utility>

namespace nd {
namespace {

using enum Role;

constexpr std::initializer_list<Role> kArticleRoles = {article, time,     title,       abstract,
                                                       body,    category, subcategory, url};

std::string_view field(const RecordReader& row, Role role) { return row[static_cast<size_t>(role)]; }

}  // namespace

Error nothing_usable(const std::string& path, const Skips& skips, int64_t filtered) {
  const auto causes = skips.report();
  return {shown(path), "has no row that can be used (" +
                           (filtered > 0     ? std::to_string(filtered) + " rows are other than --where wants them"
                            : causes.empty() ? "only a header"
                                             : causes.front()) +
                           ")"};
}

ArticleLists::ArticleLists(const std::string& columns, TellColumns tell)
    : columns_(parse_columns(columns, kArticleRoles)), tell_(std::move(tell)) {}

void ArticleLists::read(const std::string& path, ArticleBuilder& articles, Skips& skips) const {
  RecordReader row(path);
  ColumnMap map = choose_columns(row, columns_, kArticleRoles, {article}, {}, "--article-columns article=1,title=2");
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
  if (articles.size() == before) throw nothing_usable(path, skips);
}

}  // namespace nd
