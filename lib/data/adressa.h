// The Adressa news data set (Gulla et al., 2017; https://reclab.idi.ntnu.no/dataset): files of one day each, one JSON
// object a line, one line a page view (kred.md 11.2 lists the members).
//
// Three quarters of the lines are views of pages that are no articles: they are counted, not skipped. This reader was
// written from descriptions of the format and has never met the real files, which are given out on request only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/data/click_log.h"
#include "lib/io/json.h"
#include "lib/io/skips.h"

namespace nd {

struct AdressaCounts {
  int64_t lines = 0;       // that are JSON objects
  int64_t no_article = 0;  // lines without an id, a title and a category: views of other pages
  int64_t no_user = 0;     // views of articles by nobody
  int64_t sessions = 0;    // that began, most of them without a click
};

struct DayFiles {
  std::vector<std::string> paths;
  uint64_t bytes = 0;  // of all of them, 0 when a pipe is among them
};
// The files of each path in order: the path itself, or what a folder holds, by name (hidden files and folders are left
// out). Error for a folder without files.
DayFiles day_files(std::span<const std::string> paths);

class AdressaReader {
 public:
  // consumed(bytes) is called now and then with what has been read of all files.
  explicit AdressaReader(std::function<void(uint64_t)> consumed = [](uint64_t) {});

  // Reads one more file. A view of an article by a user is a click. Of the article title, url, category1 (first part
  // the category, last part the subcategory), time of publication and the entities of its profile are kept, from its
  // first view that has them. A session begins with a line that says so, or with a user's first line. Skipped: lines
  // that are no JSON objects, and views of articles at no time, before 1970 or from 2100 on. Error when no line is an
  // object.
  void read(const std::string& path, Skips& skips);

  ArticleBuilder articles;  // what is told before of an article (article_lists.h) stands
  ClickBuilder clicks;
  AdressaCounts counts;

 private:
  const char* add(std::string_view line);
  void tell(int32_t article);
  void link(int32_t article, std::string_view profile, std::string_view title);

  std::function<void(uint64_t)> consumed_;
  uint64_t bytes_ = 0;  // of the files before
  json::Picker line_;
  json::Parser profile_;
  std::vector<int32_t> session_;  // of each user, the one at hand
  struct State {
    bool told = false, linked = false;
  };
  std::vector<State> state_;  // of each article that was viewed
};

}  // namespace nd
