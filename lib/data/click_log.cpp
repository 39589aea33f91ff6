#include "lib/data/click_log.h"

#include <algorithm>
#include <array>
#include <utility>

namespace nd {

void ArticleBuilder::tell(int32_t article, const ArticleFacts& facts) {
  reach(article);
  Row& row = rows_[static_cast<size_t>(article)];
  const auto text = [](std::string& known, std::string_view told) {
    if (known.empty()) known = told;
  };
  const auto name = [](int32_t& known, Vocabulary& names, std::string_view told) {
    if (known < 0 && !told.empty()) known = names.add(told);
  };
  text(row.title, facts.title);
  text(row.abstract, facts.abstract);
  text(row.body, facts.body);
  text(row.url, facts.url);
  name(row.category, categories_, facts.category);
  name(row.subcategory, subcategories_, facts.subcategory);
  if (row.published < 0) row.published = facts.published;
}

void ArticleBuilder::link(int32_t article, const Link& link) {
  const int32_t entity = entities_.add(link.entity);
  if (linked_.add(std::array{article, entity}) < static_cast<int64_t>(links_.size())) return;
  reach(article);
  rows_[static_cast<size_t>(article)].links.push_back(links_.size());
  links_.push_back({entity, link.type.empty() ? -1 : types_.add(link.type), link.position, link.frequency, link.first,
                    link.confidence});
}

bool ArticleBuilder::has_text(int32_t article) const {
  const auto at = static_cast<size_t>(article);
  return at < rows_.size() && !(rows_[at].title.empty() && rows_[at].abstract.empty() && rows_[at].body.empty());
}

Corpus ArticleBuilder::take() {
  rows_.resize(static_cast<size_t>(size()));
  StringsBuilder title, abstract, body, url, label;
  std::vector<int32_t> category, subcategory, link_type, link_frequency, link_first;
  std::vector<int64_t> published;
  RaggedBuilder<int32_t> link_entity;
  std::vector<uint8_t> link_position;
  std::vector<float> link_confidence;
  for (Row& row : rows_) {
    title.push(std::exchange(row.title, {}));
    abstract.push(std::exchange(row.abstract, {}));
    body.push(std::exchange(row.body, {}));
    url.push(std::exchange(row.url, {}));
    category.push_back(row.category);
    subcategory.push_back(row.subcategory);
    published.push_back(row.published);
    for (const size_t at : row.links) {
      const StoredLink& l = links_[at];
      link_entity.push(l.entity);
      link_type.push_back(l.type);
      link_position.push_back(l.position);
      link_frequency.push_back(l.frequency);
      link_first.push_back(l.first);
      link_confidence.push_back(l.confidence);
    }
    link_entity.end_row();
  }
  for (int64_t e = 0; e < entities_.size(); ++e) label.push(entities_[e]);
  return {ids_.take(),
          std::move(category),
          std::move(subcategory),
          title.take(),
          abstract.take(),
          body.take(),
          url.take(),
          std::move(published),
          categories_.take(),
          subcategories_.take(),
          entities_.take(),
          label.take(),
          types_.take(),
          link_entity.take(),
          std::move(link_type),
          std::move(link_position),
          std::move(link_frequency),
          std::move(link_first),
          std::move(link_confidence)};
}

Clicks ClickBuilder::take(const ArticleBuilder& articles, Repeats repeats, bool only_with_text, ClickCounts& counts) {
  if (only_with_text)
    counts.without_text +=
        static_cast<int64_t>(std::erase_if(clicks_, [&](const Click& c) { return !articles.has_text(c.article); }));
  // By user first, so that what came out of order is seen; then by time within each.
  std::ranges::stable_sort(clicks_, {}, &Click::user);
  std::vector<int32_t> last_user(static_cast<size_t>(articles.size()), -1);  // of each article: who clicked it last
  StringsBuilder user_id;
  RaggedBuilder<int32_t> article;
  std::vector<int64_t> time;
  std::vector<int32_t> session;
  for (auto begin = clicks_.begin(), end = begin; begin != clicks_.end(); begin = end) {
    const int32_t user = begin->user;
    int64_t latest = begin->micros;
    for (end = begin; end != clicks_.end() && end->user == user; ++end) {
      counts.out_of_order += end->micros < latest;
      latest = std::max(latest, end->micros);
    }
    std::stable_sort(begin, end, [](const Click& a, const Click& b) { return a.micros < b.micros; });
    user_id.push(users_[user]);
    int64_t before = -1;
    for (auto c = begin; c != end; ++c) {
      const bool repeat = std::exchange(last_user[static_cast<size_t>(c->article)], user) == user;
      counts.repeats += repeat;
      if (repeat && repeats == Repeats::first) continue;
      counts.equal_times += c->micros == std::exchange(before, c->micros);
      article.push(c->article);
      time.push_back(c->micros / 1000000);
      session.push_back(c->session);
    }
    article.end_row();
  }
  *this = {};
  return {user_id.take(), article.take(), std::move(time), std::move(session), std::vector<int64_t>{articles.size()}};
}

ClickLog take_log(ArticleBuilder& articles, ClickBuilder& clicks, Repeats repeats, bool only_with_text) {
  ClickLog log;
  for (int32_t a = 0; a < articles.size(); ++a) log.without_text += !articles.has_text(a);
  log.clicks = clicks.take(articles, repeats, only_with_text, log.counts);
  if (log.clicks.clicks() == 0) throw Error("no click is on an article that has text: --only-with-text leaves nothing");
  log.corpus = articles.take();
  return log;
}

}  // namespace nd
