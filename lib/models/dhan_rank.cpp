#include "lib/models/dhan_rank.h"

#include "lib/data/windows.h"
#include "lib/io/error.h"

namespace nd {

DhanRanker::DhanRanker(Dhan& model, const DhanData& data, const Clicks& clicks, std::vector<int32_t> user)
    : model_(model), data_(data), clicks_(clicks), user_(std::move(user)), scorer_(model, data) {}

DhanInstance DhanRanker::instance(int64_t click) const {
  const int64_t L = model_.options().length;
  return {user_[static_cast<size_t>(user_of(clicks_, click))], history_of(clicks_, click, L),
          clicks_.time.span().subspan(static_cast<size_t>(click - L), static_cast<size_t>(L)), clicks_.time[click]};
}

void DhanRanker::require_histories(std::span<const int32_t> clicks, const std::string& path) const {
  for (const int32_t i : clicks) {
    const int64_t before = i - clicks_.article.offsets[user_of(clicks_, i)];
    if (before < model_.options().length)
      throw Error(path, "names click " + std::to_string(i) + ", which has " + std::to_string(before) +
                            " of its user's before it, but the model reads " + std::to_string(model_.options().length));
  }
}

std::vector<float> DhanRanker::score(std::span<const int32_t> instances, const Ragged<int32_t>& candidate) {
  std::vector<DhanInstance> all;
  for (const int32_t click : instances) all.push_back(instance(click));
  return scorer_.score(all, candidate.offsets.span(), candidate.values.span());
}

}  // namespace nd
