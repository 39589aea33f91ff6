// clicks/1: who read what when, one row per user; articles are rows of a corpus.
//
// Carries the corpus' digest (input "corpus"). An instance, what sequence models learn from and are judged by, is a
// click known by its flat index i in article.values: its history are the clicks of its user before it, its positive is
// article.values[i], and "now" is time[i].
#pragma once

#include "formats/array.h"
#include "formats/rules.h"

namespace nd {

struct Clicks {
  static constexpr const char* kind = "clicks/1";
  static constexpr int64_t end_of_time = 4102444800;  // 2100-01-01T00:00:00Z: a later time is a mistake of units

  Strings user_id;             // [u] unique, in order of first appearance
  Ragged<int32_t> article;     // [u] rows of the corpus; a user's clicks by time, of equal times in the log's order
  Array<int64_t> time;         // one per click: seconds since 1970-01-01T00:00:00Z, below end_of_time
  Array<int32_t> session;      // one per click: sessions of one log have numbers of their own, -1 unknown
  Array<int64_t> corpus_size;  // [1] articles of the corpus, so that this file can be checked alone

  int64_t size() const { return user_id.size(); }
  int64_t clicks() const { return time.size(); }

  template <class Self, class Visit>
  static void columns(Self& c, Visit&& visit) {
    visit("user_id", c.user_id);
    visit("article", c.article);
    visit("time", c.time);
    visit("session", c.session);
    visit("corpus_size", c.corpus_size);
  }

  std::string problem() const {
    if (corpus_size.size() != 1) return "corpus_size has " + std::to_string(corpus_size.size()) + " rows, expected 1";
    return first_problem(
        {same_length({{"user_id", user_id.size()}, {"article", article.size()}}),
         same_length({{"article.values", article.values.size()}, {"time", time.size()}, {"session", session.size()}}),
         unique("user_id", user_id), within("article.values", article.values, 0, corpus_size[0]),
         within("session", session, -1, INT32_MAX), within("time", time, 0, end_of_time), in_order()});
  }

 private:
  std::string in_order() const {
    if (article.values.size() != time.size()) return "";  // said already
    for (int64_t u = 0; u < article.size(); ++u)
      for (int64_t i = article.offsets[u] + 1; i < article.offsets[u + 1]; ++i)
        if (time[i] < time[i - 1])
          return "time row " + std::to_string(i + 1) + " goes backwards within the user \"" + std::string(user_id[u]) +
                 "\"";
    return "";
  }
};

}  // namespace nd
