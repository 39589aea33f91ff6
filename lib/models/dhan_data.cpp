#include "lib/models/dhan_data.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "lib/io/error.h"

namespace nd {
namespace {

// The operations read matrices through plain pointers and never write those.
Mat view(const Matrix& m) { return {const_cast<float*>(m.values.data()), m.rows, m.cols}; }

}  // namespace

std::vector<int32_t> rows_in(const Strings& ids, const Strings& known) {
  std::unordered_map<std::string_view, int32_t> row;
  row.reserve(static_cast<size_t>(known.size()));
  for (int64_t i = 0; i < known.size(); ++i) row.emplace(known[i], static_cast<int32_t>(i));
  std::vector<int32_t> rows(static_cast<size_t>(ids.size()), static_cast<int32_t>(known.size()));
  for (int64_t i = 0; i < ids.size(); ++i)
    if (const auto found = row.find(ids[i]); found != row.end()) rows[i] = found->second;
  return rows;
}

Strings marked(const Strings& ids, const std::vector<bool>& mark) {
  StringsBuilder out;
  for (int64_t i = 0; i < ids.size(); ++i)
    if (mark[static_cast<size_t>(i)]) out.push(ids[i]);
  return out.take();
}

Strings trained_users(const Clicks& clicks, const Windows& windows) {
  std::vector<bool> mark;
  for (int64_t u = 0; u < clicks.size(); ++u)
    mark.push_back(windows.train_end[static_cast<size_t>(u)] > clicks.article.offsets[u]);
  return marked(clicks.user_id, mark);
}

void see_years(const Clicks& clicks, const Windows& windows, DhanTimeOptions& times) {
  int64_t first = INT64_MAX, last = INT64_MIN;
  for (int64_t u = 0; u < clicks.size(); ++u) {
    const int64_t begin = clicks.article.offsets[u], end = windows.train_end[static_cast<size_t>(u)];
    if (begin == end) continue;  // a user's clicks are in order
    first = std::min(first, year_of(times, clicks.time[begin]));
    last = std::max(last, year_of(times, clicks.time[end - 1]));
  }
  if (first > last) return;
  times.first_year = first;
  times.years = last - first + 1;
}

DhanData::Joined DhanData::join(const Corpus& corpus, const Stacks& stacks, float missing, const char* what,
                                std::vector<int32_t>& article) {
  Joined out;
  const auto none = static_cast<int32_t>(stacks.size());
  article = rows_in(corpus.id, stacks.id);
  out.missing = std::count(article.begin(), article.end(), none);
  if (out.missing == corpus.size()) {
    const auto first = [](const Strings& ids) { return ids.size() ? std::string(ids[0]) : std::string("none"); };
    throw Error(std::string("no article has ") + what + ": the corpus and the " + what + " share no id (" +
                first(corpus.id) + " in the corpus, " + first(stacks.id) + " there)");
  }
  const int64_t height = stacks.height(), d = stacks.dim();
  out.x = stacks.x;
  if (out.missing > 0) {  // one more stack stands for all that have none
    std::vector<float> values(stacks.x.values.begin(), stacks.x.values.end());
    values.resize(values.size() + static_cast<size_t>(height * d), missing);
    out.x = {std::move(values), stacks.x.rows + height, d};
  }
  const int64_t count = out.x.rows / height;
  out.mean.resize(static_cast<size_t>(count * d));
  for (int64_t s = 0; s < count; ++s) {
    float* const mean = out.mean.data() + s * d;
    for (int64_t t = 0; t < height; ++t)
      for (int64_t j = 0; j < d; ++j) mean[j] += out.x[s * height + t][static_cast<size_t>(j)];
    for (int64_t j = 0; j < d; ++j) mean[j] /= static_cast<float>(height);
  }
  return out;
}

DhanData::DhanData(const Corpus& corpus, const Stacks* sentences, const Stacks* elements, const Strings& known) {
  coverage_.articles = coverage_.without_text = coverage_.without_elements = corpus.size();
  const auto mean = [](Joined& j) {
    return Mat{j.mean.data(), static_cast<int64_t>(j.mean.size()) / j.x.cols, j.x.cols};
  };
  if (sentences) {
    sentence_ = join(corpus, *sentences, 0, "sentences", article_sentence);
    coverage_.without_text = sentence_.missing;
    frozen_.sentence_x = view(sentence_.x);
    frozen_.sentence_mean = mean(sentence_);
  }
  if (elements) {
    element_ = join(corpus, *elements, 1, "elements", article_element);
    coverage_.without_elements = element_.missing;
    frozen_.element_x = view(element_.x);
    frozen_.element_mean = mean(element_);
  }
  for (Mat* m : {&frozen_.sentence_x, &frozen_.sentence_mean, &frozen_.element_x, &frozen_.element_mean})
    *m = to_device(tables_, *m);
  article_id = rows_in(corpus.id, known);
  lists = {tables_.copy(article_sentence), tables_.copy(article_element), tables_.copy(article_id)};
  coverage_.unknown = std::count(article_id.begin(), article_id.end(), static_cast<int32_t>(known.size()));
}

}  // namespace nd
