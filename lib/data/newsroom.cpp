#include "lib/data/newsroom.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "lib/io/error.h"

namespace nd::newsroom {
namespace {

constexpr double faithful = 0.95;     // share of an article's entities that are on the article's side of a cause
constexpr double mean_age = 1.0;      // of an article that is shown, in days
constexpr int64_t history_shown = 6;  // articles a user chose from when clicking one of the history
constexpr uint64_t no_entity_in = 20, no_abstract_in = 20, no_history_in = 50;  // one in so many has none
constexpr double more_clicks = 0.25;  // chance of a second click in an impression, of a third one after that, ...

// When people read: relative weight of each hour of the day.
constexpr std::array<double, 24> hour_weight = {3, 2, 1, 1, 1, 2, 4, 7, 8, 7, 6, 6, 7, 6, 5, 5, 5, 6, 7, 8, 9, 9, 8, 5};

// The time of day by which the given share of the day's impressions is over.
double time_of_day(double share) {
  double left = share * std::accumulate(hour_weight.begin(), hour_weight.end(), 0.0);
  for (size_t hour = 0; hour < 24; ++hour) {
    if (left < hour_weight[hour]) return (static_cast<double>(hour) + left / hour_weight[hour]) / 24;
    left -= hour_weight[hour];
  }
  return 1 - 1e-9;
}

int flip(RandomSequence& draw) { return draw.uniform() < 0.5 ? -1 : 1; }
int mostly(int side, double share, RandomSequence& draw) { return draw.uniform() < share ? side : -side; }

// A rank in [0, n), r + 1 drawn roughly in proportion to (r + 1)^-exponent: the inverse of the continuous law.
int64_t draw_rank(int64_t n, double exponent, RandomSequence& draw) {
  const double u = draw.uniform(), top = static_cast<double>(n) + 1, p = 1 - exponent;
  const double x = std::abs(p) < 1e-9 ? std::pow(top, u) : std::pow(u * (std::pow(top, p) - 1) + 1, 1 / p);
  return std::clamp<int64_t>(static_cast<int64_t>(x) - 1, 0, n - 1);
}

void require(bool holds, const char* option, int64_t value, const std::string& expected) {
  if (!holds) throw UsageError(std::string(option) + " " + std::to_string(value) + ": expected " + expected);
}

}  // namespace

Newsroom::Newsroom(const Options& options)
    : options_(options), graph_(options.graph, options.seed), taste_(options.seed, "taste") {
  const Options& o = options_;
  require(o.articles >= 1 && o.articles <= INT32_MAX, "--articles", o.articles, "1 to 2147483647");
  require(o.users >= 1 && o.users <= INT32_MAX, "--users", o.users, "1 to 2147483647");
  require(o.impressions >= 0, "--impressions", o.impressions, "at least 0");
  require(o.days >= 1 && o.days <= 366, "--days", o.days, "1 to 366");
  require(o.dev_days >= 0 && o.dev_days <= o.days, "--dev-days", o.dev_days, "0 to --days");
  require(o.past_days >= 1 && o.past_days <= 366, "--past-days", o.past_days, "1 to 366");
  require(o.candidates >= 2, "--candidates", o.candidates, "at least 2");
  require(o.history >= 0, "--history", o.history, "at least 0");
  require(o.mentions >= 0 && o.mentions <= 200, "--mentions", o.mentions, "0 to 200");
  const int64_t past = published_before(0);
  const int64_t needed = 2 * std::max(o.candidates, history_shown);
  require(past >= needed, "--articles", o.articles,
          "at least " + std::to_string(needed) + " published in --past-days, not " + std::to_string(past));

  topic_.resize(static_cast<size_t>(o.articles));
  value_.resize(static_cast<size_t>(o.articles));
  for (int64_t i = 0; i < o.articles; ++i) {
    const Article a = article(i);
    topic_[static_cast<size_t>(i)] = a.topic;
    std::copy(a.value.begin(), a.value.end(), value_[static_cast<size_t>(i)].begin());
  }

  history_offset_.push_back(0);
  for (int64_t user = 0; user < o.users; ++user) {
    RandomSequence draw(o.seed, "history", static_cast<uint64_t>(user));
    int64_t clicks = o.history / 2 + static_cast<int64_t>(draw.below(static_cast<uint64_t>(o.history) + 1));
    if (draw.below(no_history_in) == 0) clicks = 0;
    // The first clicks wait until there is something to choose from.
    const double start = published(needed);
    for (int64_t i = 0; i < clicks; ++i) {
      const double time = start - start * (static_cast<double>(i) + draw.uniform()) / static_cast<double>(clicks);
      const std::vector<int32_t> choice = shown(time, history_shown, draw);
      const std::vector<uint8_t> clicked = click(user, choice, 1, draw);
      history_.push_back(choice[static_cast<size_t>(std::find(clicked.begin(), clicked.end(), 1) - clicked.begin())]);
    }
    history_offset_.push_back(static_cast<int64_t>(history_.size()));
  }
}

double Newsroom::published(int64_t article) const {
  const double days = static_cast<double>(options_.past_days + options_.days);
  return days * static_cast<double>(article) / static_cast<double>(options_.articles) -
         static_cast<double>(options_.past_days);
}

int64_t Newsroom::published_before(double time) const {
  const double share =
      (time + static_cast<double>(options_.past_days)) / static_cast<double>(options_.past_days + options_.days);
  return std::clamp<int64_t>(static_cast<int64_t>(std::ceil(share * static_cast<double>(options_.articles))), 0,
                             options_.articles);
}

Article Newsroom::article(int64_t number) const {
  RandomSequence draw(options_.seed, "article", static_cast<uint64_t>(number));
  Article a;
  a.topic = static_cast<int>(draw.below(static_cast<uint64_t>(options_.graph.topics)));
  a.subtopic = static_cast<int>(draw.below(4));
  a.has_abstract = draw.below(no_abstract_in) != 0;
  a.value[popularity] = draw.normal();
  const bool named = draw.below(no_entity_in) != 0;
  const int trait = flip(draw), hidden = flip(draw), leaning = flip(draw), type_side = flip(draw);
  const double in_title = flip(draw) > 0 ? 0.9 : 0.1, repeated = flip(draw) > 0 ? 0.9 : 0.1;

  const int64_t m = options_.mentions;
  const int64_t wanted =
      named && m > 0
          ? std::max<int64_t>(1, (m + 1) / 2 + static_cast<int64_t>(draw.below(static_cast<uint64_t>(m) + 1)))
          : 0;
  const int64_t own = (wanted + 2) / 3;  // entities of the article's topic
  // The others lean the other way, by half of what would cancel the leaning that counts. Had they cancelled it, a model
  // could learn neither which entities count before what counts about them nor the other way round.
  const double against =
      0.5 + 0.25 * static_cast<double>(own) / static_cast<double>(std::max<int64_t>(1, wanted - own));
  for (int64_t i = 0; i < wanted; ++i) {
    Entity e;
    const bool of_topic = i < own;
    e.topic = of_topic ? a.topic
                       : static_cast<int>((a.topic + 1 + draw.below(static_cast<uint64_t>(options_.graph.topics) - 1)) %
                                          static_cast<uint64_t>(options_.graph.topics));
    e.trait = mostly(trait, faithful, draw);
    e.hidden = mostly(hidden, faithful, draw);
    e.type_side = mostly(type_side, faithful, draw);
    e.leaning = of_topic ? leaning : mostly(-leaning, against, draw);
    e.rank = draw_rank(graph_.ranks(), options_.zipf, draw);
    Mention mention{.entity = graph_.find(e)};
    const bool title = !a.has_abstract || draw.uniform() < in_title;
    const int times = draw.uniform() < repeated ? 2 + static_cast<int>(draw.below(2)) : 1;
    if (std::any_of(a.mentions.begin(), a.mentions.end(), [&](const Mention& x) { return x.entity == mention.entity; }))
      continue;
    // A title names an entity once and leaves repeating to the abstract.
    mention.in_title = title ? (a.has_abstract ? 1 : times) : 0;
    mention.in_abstract = times - mention.in_title;
    a.mentions.push_back(mention);
  }

  // The values are those of what is there, not of what was wanted.
  double of_topic = 0;
  for (const Mention& mention : a.mentions) {
    const Entity e = graph_.traits(mention.entity);
    a.value[entity] += e.trait;
    a.value[neighbour] += e.hidden;
    a.value[type] += e.type_side;
    a.value[position] += mention.in_title > 0 ? 1 : -1;
    a.value[frequency] += mention.in_title + mention.in_abstract > 1 ? 1 : -1;
    if (e.topic == a.topic) {
      a.value[distillation] += e.leaning;
      ++of_topic;
    }
  }
  if (a.mentions.empty()) return a;
  for (Cause c : {entity, neighbour, type, position, frequency}) a.value[c] /= static_cast<double>(a.mentions.size());
  a.value[distillation] /= std::max(1.0, of_topic);
  return a;
}

Terms Newsroom::terms(int64_t user, int64_t article) const {
  const auto& value = value_[static_cast<size_t>(article)];
  const auto u = static_cast<uint64_t>(user);
  const uint64_t sides = taste_.bits(u, 0);
  Terms terms;
  for (int c = 0; c < causes; ++c)
    terms[static_cast<size_t>(c)] = options_.strength[static_cast<size_t>(c)] * ((sides >> c & 1) != 0 ? 1.0 : -1.0) *
                                    static_cast<double>(value[static_cast<size_t>(c)]);
  const auto topic_number = static_cast<uint64_t>(topic_[static_cast<size_t>(article)]);
  terms[topic] = options_.strength[topic] * ((taste_.bits(u, 1 + topic_number) & 1) != 0 ? 1 : -1);
  terms[popularity] = options_.strength[popularity] * static_cast<double>(value[popularity]);
  return terms;
}

double Newsroom::logit(int64_t user, int64_t article) const {
  const Terms t = terms(user, article);
  return std::accumulate(t.begin(), t.end(), 0.0);
}

std::vector<int32_t> Newsroom::shown(double time, int64_t count, RandomSequence& draw) const {
  const int64_t published = published_before(time);
  const double per_day =
      static_cast<double>(options_.articles) / static_cast<double>(options_.past_days + options_.days);
  // Where the news of a day cannot fill a few impressions, older ones are shown too.
  const double scale = std::max(mean_age * per_day, 2 * static_cast<double>(count));
  std::vector<int32_t> chosen;
  while (static_cast<int64_t>(chosen.size()) < count) {
    const auto age = static_cast<int64_t>(-std::log(1 - draw.uniform()) * scale);
    const int64_t a =
        age < published ? published - 1 - age : static_cast<int64_t>(draw.below(static_cast<uint64_t>(published)));
    if (std::find(chosen.begin(), chosen.end(), a) == chosen.end()) chosen.push_back(static_cast<int32_t>(a));
  }
  return chosen;
}

std::vector<uint8_t> Newsroom::click(int64_t user, std::span<const int32_t> shown, int64_t clicks,
                                     RandomSequence& draw) const {
  // The largest of logits plus Gumbel noise is distributed as the softmax, the next ones as that of those left.
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < shown.size(); ++i)
    order.push_back({logit(user, shown[i]) - std::log(-std::log(draw.uniform() + 0x1p-54)), i});
  std::partial_sort(order.begin(), order.begin() + clicks, order.end(), std::greater<>());
  std::vector<uint8_t> clicked(shown.size(), 0);
  for (int64_t i = 0; i < clicks; ++i) clicked[order[static_cast<size_t>(i)].second] = 1;
  return clicked;
}

Impression Newsroom::impression(int64_t number) const {
  RandomSequence draw(options_.seed, "impression", static_cast<uint64_t>(number));
  double day = (static_cast<double>(number) + draw.uniform()) * static_cast<double>(options_.days) /
               static_cast<double>(options_.impressions);
  // The impression that lies across the beginning of the held-out days belongs to one side of it.
  const auto held_out = static_cast<double>(options_.days - options_.dev_days);
  day = number < first_dev_impression() ? std::min(day, held_out - 1e-9)
                                        : std::clamp(day, held_out, static_cast<double>(options_.days) - 1e-9);
  const double whole = std::floor(day);
  Impression i;
  i.time = whole + time_of_day(day - whole);
  // Some read much, most read little: user k is drawn in proportion to about 1 / sqrt(k).
  const double u = draw.uniform();
  i.user = std::min(static_cast<int64_t>(u * u * static_cast<double>(options_.users)), options_.users - 1);
  i.candidate = shown(i.time, options_.candidates, draw);
  int64_t clicks = 1;
  while (clicks + 1 < options_.candidates && draw.uniform() < more_clicks) ++clicks;
  i.clicked = click(i.user, i.candidate, clicks, draw);
  return i;
}

int64_t Newsroom::first_dev_impression() const {
  const double share = static_cast<double>(options_.days - options_.dev_days) / static_cast<double>(options_.days);
  return static_cast<int64_t>(std::ceil(static_cast<double>(options_.impressions) * share));
}

std::span<const int32_t> Newsroom::history(int64_t user) const {
  const auto begin = static_cast<size_t>(history_offset_[static_cast<size_t>(user)]);
  const auto end = static_cast<size_t>(history_offset_[static_cast<size_t>(user) + 1]);
  return std::span(history_).subspan(begin, end - begin);
}

std::vector<double> Newsroom::scores(const Terms& weight, double topic_weight, const char* stream) const {
  const Random random(options_.seed, stream);
  std::vector<double> score;
  for (int64_t i = 0; i < options_.articles; ++i) {
    double s = 0.5 * random.normal(static_cast<uint64_t>(i), 0);
    s += topic_weight * random.normal(static_cast<uint64_t>(topic_[static_cast<size_t>(i)]), 1);
    for (size_t c = 0; c < causes; ++c) s += weight[c] * static_cast<double>(value_[static_cast<size_t>(i)][c]);
    score.push_back(s);
  }
  return score;
}

namespace {

// Articles by falling score.
std::vector<size_t> ranking(const std::vector<double>& score) {
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] > score[b]; });
  return order;
}

}  // namespace

std::vector<uint8_t> Newsroom::popularity_labels() const {
  Terms weight = {};
  weight[entity] = 1;
  const auto order = ranking(scores(weight, 1, "appeal"));
  std::vector<uint8_t> label(order.size());
  for (size_t i = 0; i < order.size(); ++i) label[order[i]] = static_cast<uint8_t>(3 - i * 4 / order.size());
  return label;
}

std::vector<uint8_t> Newsroom::local_labels() const {
  Terms weight = {};
  weight[neighbour] = weight[type] = 1;
  const auto order = ranking(scores(weight, 0, "local"));
  std::vector<uint8_t> label(order.size());
  for (size_t i = 0; i < order.size() * 12 / 100; ++i) label[order[i]] = 1;
  return label;
}

}  // namespace nd::newsroom
