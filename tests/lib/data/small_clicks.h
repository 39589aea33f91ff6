// A log of clicks written as rows of numbers, for tests.
#pragma once

#include <string>
#include <vector>

#include "formats/clicks.h"

namespace nd::test {

struct Read {
  int32_t article;
  int64_t time = 0;
  int32_t session = -1;
};

// User i is called "u<i>"; clicks in the order of the file.
inline Clicks clicks_of(int64_t corpus_size, const std::vector<std::vector<Read>>& users) {
  StringsBuilder id;
  RaggedBuilder<int32_t> article;
  std::vector<int64_t> time;
  std::vector<int32_t> session;
  for (const auto& reads : users) {
    id.push("u" + std::to_string(id.size()));
    for (const Read& r : reads) {
      article.push(r.article);
      time.push_back(r.time);
      session.push_back(r.session);
    }
    article.end_row();
  }
  return {id.take(), article.take(), std::move(time), std::move(session), std::vector<int64_t>{corpus_size}};
}

}  // namespace nd::test
