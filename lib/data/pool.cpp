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

UserHistories last_histories(const Behavior& behavior, const std::vector<std::string>& users) {
  std::vector<int32_t> last(static_cast<size_t>(behavior.user_id.size()), -1);
  for (int64_t i = 0; i < behavior.size(); ++i) last[behavior.user[i]] = behavior.impression_history[i];
  std::vector<int32_t> wanted;
  if (users.empty()) {
    for (size_t u = 0; u < last.size(); ++u)
      if (last[u] >= 0) wanted.push_back(static_cast<int32_t>(u));
  } else {
    const auto rows = rows_of(behavior.user_id);
    for (const std::string& id : users) {
      const auto found = rows.find(id);
      if (found == rows.end() || last[found->second] < 0) throw Error("user " + id + " has no impression");
      wanted.push_back(found->second);
    }
  }
  StringsBuilder ids;
  RaggedBuilder<int32_t> histories;
  for (int32_t u : wanted) {
    ids.push(behavior.user_id[u]);
    histories.append(behavior.history[last[u]]);
    histories.end_row();
  }
  return {ids.take(), histories.take()};
}

}  // namespace nd
