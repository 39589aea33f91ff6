// A click log and its articles while they are being read: rows in any order in, a corpus and its clicks out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/clicks.h"
#include "formats/corpus.h"
#include "lib/data/interner.h"

namespace nd {

// What a log tells about an article; empty and -1 for what it does not.
struct ArticleFacts {
  std::string_view title, abstract, body, url, category, subcategory;
  int64_t published = -1;
};

// Articles in the order of their first appearance. Of every fact the first one told stands.
class ArticleBuilder {
 public:
  int32_t add(std::string_view id) { return ids_.add(id); }
  void tell(int32_t article, const ArticleFacts& facts);

  // A link of an article to an entity (formats/corpus.h); of links of one article to one entity the first stands.
  struct Link {
    std::string_view entity, type;
    uint8_t position = 1;
    int32_t frequency = 1, first = -1;
    float confidence = 1;
  };
  void link(int32_t article, const Link& link);

  int64_t size() const { return ids_.size(); }
  bool has_text(int32_t article) const;
  Corpus take();

 private:
  struct Row {
    std::string title, abstract, body, url;
    int32_t category = -1, subcategory = -1;
    int64_t published = -1;
    std::vector<size_t> links;  // places in links_
  };
  struct StoredLink {
    int32_t entity, type;
    uint8_t position;
    int32_t frequency, first;
    float confidence;
  };
  void reach(int32_t article) {
    if (rows_.size() <= static_cast<size_t>(article)) rows_.resize(static_cast<size_t>(article) + 1);
  }

  Vocabulary ids_, categories_, subcategories_, entities_, types_;
  std::vector<Row> rows_;  // as far as something was told
  std::vector<StoredLink> links_;
  Interner<int32_t> linked_;  // article and entity of each
};

// Of a user's clicks on one article only the first counts, or all are kept. Negatives are drawn from what a user never
// clicked, so where repeats are kept, a candidate that is in the history gives itself away as the one to predict.
enum class Repeats : uint8_t { first, keep };

struct ClickCounts {
  int64_t out_of_order = 0;  // clicks that came after a later one of the same user
  int64_t equal_times = 0;   // clicks at the very time of the same user's click before
  int64_t repeats = 0;       // clicks on an article the same user had clicked
  int64_t without_text = 0;  // clicks left out because their articles have no text
};

class ClickBuilder {
 public:
  // The number of a user, who need not click.
  int32_t add_user(std::string_view id) { return users_.add(id); }
  // A click of that user. time in microseconds since 1970, in [0, Clicks::end_of_time * 10^6). session: any number, -1
  // unknown.
  void add(int32_t user, int32_t article, int64_t micros, int32_t session) {
    clicks_.push_back({micros, user, article, session});
  }
  int64_t size() const { return static_cast<int64_t>(clicks_.size()); }

  // Users in the order of their first appearance, their clicks by time, of equal times in the order they came.
  // With only_with_text clicks on articles that have none do not count, nor users without any other. Empties this.
  Clicks take(const ArticleBuilder& articles, Repeats repeats, bool only_with_text, ClickCounts& counts);

 private:
  struct Click {
    int64_t micros;
    int32_t user, article, session;
  };
  Vocabulary users_;
  std::vector<Click> clicks_;
};

struct ClickLog {
  Corpus corpus;
  Clicks clicks;
  ClickCounts counts;
  int64_t without_text = 0;  // articles
};

// What has been read, as the two files that tools exchange. Error when no click is left.
ClickLog take_log(ArticleBuilder& articles, ClickBuilder& clicks, Repeats repeats, bool only_with_text);

}  // namespace nd
