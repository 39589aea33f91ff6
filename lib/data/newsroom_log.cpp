#include "lib/data/newsroom_log.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

constexpr int64_t day = 86400, hour = 3600;
constexpr int64_t recent = 3 * hour;
constexpr double live_days = 2;  // an article is shown for so long
constexpr uint64_t no_element_in = 20;

int flip(RandomSequence& draw) { return draw.uniform() < 0.5 ? -1 : 1; }

// Topics of the day are wanted from 6 to 18 o'clock, those of the night in the other hours.
int wanted(int topic, int64_t second) {
  const int64_t of_day = ((second % day) + day) % day;
  const bool light = of_day >= 6 * hour && of_day < 18 * hour;
  return light == (topic / 2 % 2 == 0) ? 1 : -1;
}

}  // namespace

Log::Log(const Newsroom& newsroom, const log::Options& options)
    : newsroom_(newsroom), options_(options), taste_(newsroom.options().seed, "log taste") {
  if (options_.clicks < 1 || options_.clicks > 100000)
    throw UsageError("--log-clicks " + std::to_string(options_.clicks) + ": expected 1 to 100000");
  for (int64_t i = 0; i < newsroom.options().articles; ++i) {
    RandomSequence draw(newsroom.options().seed, "story", static_cast<uint64_t>(i));
    const Article a = newsroom.article(i);
    log::Story s{.topic = a.topic, .subtopic = a.subtopic};
    s.lead = flip(draw);
    s.wish = flip(draw);
    s.person = flip(draw);
    s.place = flip(draw);
    s.has_elements = draw.below(no_element_in) != 0;
    story_.push_back(s);
  }
}

std::vector<log::Click> Log::clicks(int64_t user) const {
  RandomSequence draw(newsroom_.options().seed, "log", static_cast<uint64_t>(user));
  const auto wanted_clicks = static_cast<size_t>(
      options_.clicks / 2 + static_cast<int64_t>(draw.below(static_cast<uint64_t>(options_.clicks) + 1)));
  // Sessions at any time since there is something to choose from, of one click, or two, ... minutes apart.
  const double begin = newsroom_.published(2 * newsroom_.options().candidates);
  const double span = static_cast<double>(newsroom_.options().days) - begin;
  std::vector<log::Click> clicks;
  for (int32_t session = 0; clicks.size() < wanted_clicks; ++session) {
    auto second = static_cast<int64_t>(std::ceil((begin + span * draw.uniform()) * static_cast<double>(day)));
    do {
      clicks.push_back({.session = session, .second = second});
      second += 120 + static_cast<int64_t>(draw.below(2400));
    } while (clicks.size() < wanted_clicks && draw.uniform() < 0.5 && second < newsroom_.options().days * day);
  }
  std::ranges::stable_sort(clicks, {}, &log::Click::second);

  size_t made = 0;
  for (log::Click& click : clicks) {
    const std::span before(clicks.data(), made);
    const std::vector<int32_t> choice = shown(before, click.second, draw);
    if (choice.empty()) continue;  // has read all there is
    double best = -INFINITY;
    log::Click now = click;
    for (const int32_t a : choice) {
      const log::Terms t = terms(user, before, click.second, a);
      // The largest of logits plus Gumbel noise is distributed as the softmax.
      const double value = std::accumulate(t.begin(), t.end(), 0.0) - std::log(-std::log(draw.uniform() + 0x1p-54));
      if (value > best) best = value, now.article = a;
    }
    clicks[made++] = now;
  }
  clicks.resize(made);
  return clicks;
}

log::Terms Log::terms(int64_t user, std::span<const log::Click> before, int64_t second, int64_t article) const {
  const log::Story& s = story(article);
  const auto u = static_cast<uint64_t>(user);
  const uint64_t sides = taste_.bits(u, 0);
  const auto taste = [&](int bit) { return (sides >> bit & 1) != 0 ? 1.0 : -1.0; };
  log::Terms value{};
  value[log::topic] = (taste_.bits(u, 1 + static_cast<uint64_t>(s.topic)) & 1) != 0 ? 1 : -1;
  value[log::hour] = wanted(s.topic, second);
  if (!before.empty()) {
    const bool soon = second - before.back().second <= recent;
    value[log::recency] = soon == (s.topic % 2 == 0) ? 1 : -1;
  }
  if (s.has_elements) value[log::element] = (taste(0) * s.person + taste(1) * s.place) / 2;
  if (!before.empty()) value[log::lead] = story(before.back().article).lead * s.wish;
  for (size_t c = 0; c < log::causes; ++c) value[c] *= options_.strength[c];
  return value;
}

std::vector<int32_t> Log::shown(std::span<const log::Click> before, int64_t second, RandomSequence& draw) const {
  const double now = static_cast<double>(second) / static_cast<double>(day);
  const int64_t count = newsroom_.options().candidates, end = newsroom_.published_before(now);
  const int64_t begin =
      std::clamp<int64_t>(newsroom_.published_before(now - live_days), 0, std::max<int64_t>(0, end - 2 * count));
  std::vector<int32_t> out;
  // Tries are bounded, since a user may have read nearly all of them.
  for (int64_t tries = 0; tries < 20 * count && static_cast<int64_t>(out.size()) < count; ++tries) {
    const auto a = static_cast<int32_t>(begin + static_cast<int64_t>(draw.below(static_cast<uint64_t>(end - begin))));
    if (std::ranges::find(out, a) == out.end() && std::ranges::find(before, a, &log::Click::article) == before.end())
      out.push_back(a);
  }
  return out;
}

}  // namespace nd::newsroom
