#include "lib/data/prediction.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>
#include <vector>

#include "lib/data/windows.h"
#include "lib/io/sink.h"
#include "lib/io/source.h"

namespace nd {

Scores scores_of(const Behavior& behavior, std::span<const int32_t> impression, Ragged<float> score,
                 Array<uint8_t> label) {
  StringsBuilder ids, users;
  std::vector<int64_t> time;
  for (int32_t i : impression) {
    ids.push(behavior.impression_id[i]);
    users.push(behavior.user_id[behavior.user[i]]);
    time.push_back(behavior.time[i]);
  }
  return {ids.take(), users.take(), std::move(time), std::move(score), std::move(label)};
}

Scores scores_of(const Clicks& clicks, std::span<const int32_t> instance, Ragged<float> score, Array<uint8_t> label) {
  StringsBuilder ids, users;
  std::vector<int64_t> time;
  for (int32_t i : instance) {
    ids.push(std::to_string(i));
    users.push(clicks.user_id[user_of(clicks, i)]);
    time.push_back(clicks.time[i]);
  }
  return {ids.take(), users.take(), std::move(time), std::move(score), std::move(label)};
}

std::vector<int32_t> clicks_of(const Scores& scores, const Clicks& clicks, const std::string& path) {
  std::vector<int32_t> out;
  for (int64_t i = 0; i < scores.size(); ++i) {
    const std::string_view id = scores.impression_id[i];
    int32_t click = -1;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), click);
    if (error != std::errc() || end != id.data() + id.size() || click < 0 || click >= clicks.clicks())
      throw Error(path, "impression " + std::string(id) + " is none of " + std::to_string(clicks.clicks()) + " clicks");
    out.push_back(click);
  }
  return out;
}

void write_prediction(const std::string& path, const Scores& scores) {
  Sink sink(path);
  std::vector<int32_t> order, rank;
  std::string line;
  for (int64_t i = 0; i < scores.size(); ++i) {
    const std::string_view id = scores.impression_id[i];
    if (id.empty() || id.find_first_of(" \t\r\n\v\f") != std::string_view::npos)
      throw Error(shown(path), i + 1,
                  "MIND's format has no place for the impression id '" + std::string(id) + "': it must be one word");
    const auto score = scores.score[i];
    order.resize(score.size());
    rank.resize(score.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return score[a] != score[b] ? score[a] > score[b] : a > b; });
    for (size_t r = 0; r < order.size(); ++r) rank[order[r]] = static_cast<int32_t>(r) + 1;
    line.assign(id);
    line += " [";
    for (size_t c = 0; c < rank.size(); ++c) {
      if (c) line += ',';
      line += std::to_string(rank[c]);
    }
    line += "]\n";
    sink.write(line);
  }
  sink.commit();
}

}  // namespace nd
