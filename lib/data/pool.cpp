#include "lib/data/pool.h"

#include <numeric>
#include <string_view>
#include <unordered_map>

#include "lib/io/source.h"

namespace nd {
namespace {

std::unordered_map<std::string_view, int32_t> rows_of(const Strings& ids) {
  std::unordered_map<std::string_view, int32_t> rows;
  for (int64_t i = 0; i < ids.size(); ++i) rows.emplace(ids[i], static_cast<int32_t>(i));
  return rows;
}

}  // namespace

std::vector<int32_t> whole_pool(const Corpus& corpus) {
  std::vector<int32_t> rows(static_cast<size_t>(corpus.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<int32_t> read_pool(const std::string& path, const Corpus& corpus) {
  const auto rows = rows_of(corpus.id);
  std::vector<int32_t> pool;
  std::vector<bool> taken(static_cast<size_t>(corpus.size()), false);
  LineReader reader(path);
  for (std::string_view line; reader.next(line);) {
    if (line.empty()) continue;
    const auto found = rows.find(line);
    if (found == rows.end()) reader.fail("article " + std::string(line) + " is not in the corpus");
    if (taken[found->second]) reader.fail("article " + std::string(line) + " comes twice");
    taken[found->second] = true;
    pool.push_back(found->second);
  }
  if (pool.empty()) throw Error(shown(path), "holds no article id");
  return pool;
}

UserHistories latest_histories(const File<Behavior>& file, const std::vector<std::string>& users) {
  const Behavior& behavior = *file;
  std::vector<int32_t> latest(static_cast<size_t>(behavior.user_id.size()), -1);  // by user, row of the impression
  for (int64_t i = 0; i < behavior.size(); ++i) {
    int32_t& row = latest[behavior.user[i]];
    if (row < 0 || behavior.time[i] >= behavior.time[row]) row = static_cast<int32_t>(i);
  }
  std::vector<int32_t> wanted;
  if (users.empty()) {
    for (size_t u = 0; u < latest.size(); ++u)
      if (latest[u] >= 0) wanted.push_back(static_cast<int32_t>(u));
  } else {
    const auto rows = rows_of(behavior.user_id);
    for (const std::string& id : users) {
      const auto found = rows.find(id);
      if (found == rows.end() || latest[found->second] < 0)
        throw Error(shown(file.path), "user " + id + " has no impression");
      wanted.push_back(found->second);
    }
  }
  StringsBuilder ids;
  RaggedBuilder<int32_t> histories;
  for (int32_t u : wanted) {
    ids.push(behavior.user_id[u]);
    histories.append(behavior.history[behavior.impression_history[latest[u]]]);
    histories.end_row();
  }
  return {ids.take(), histories.take()};
}

}  // namespace nd
