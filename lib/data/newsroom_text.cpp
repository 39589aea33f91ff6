#include "lib/data/newsroom_text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nd::newsroom {
namespace {

constexpr int64_t topic_words = 160;     // of each topic, the last quarter of them of one subtopic each
constexpr int64_t made_up_common = 200;  // words any article may use
constexpr int64_t sentence_words = 12;
constexpr int64_t first_topic_word = 200, first_name = 1 << 16;  // where their words begin in the list of all words
constexpr std::array<const char*, 14> categories = {"news",  "sports",       "finance", "health",   "travel",
                                                    "autos", "music",        "movies",  "tv",       "weather",
                                                    "kids",  "foodanddrink", "video",   "lifestyle"};
constexpr std::array<const char*, 24> function_words = {"the", "of",  "in",   "to",    "and",  "a",   "for", "on",
                                                        "at",  "is",  "with", "after", "from", "as",  "by",  "new",
                                                        "how", "why", "over", "will",  "says", "has", "its", "more"};

// Word n of an endless list of different words, the shorter ones first, the words of one length in no order.
std::string word(int64_t n, bool accents = false) {
  static constexpr std::string_view consonants = "bdfgklmnprstvz";
  static constexpr std::array<const char*, 5> plain = {"a", "e", "i", "o", "u"}, accented = {"á", "é", "ø", "ö", "ü"};
  constexpr int64_t syllables = 70;
  int length = 2;
  int64_t count = syllables * syllables;
  for (; n >= count; count *= syllables, ++length) n -= count;
  n = n * 104729 % count;  // a prime: different numbers stay different
  std::string w;
  for (int i = 0; i < length; ++i, n /= syllables) {
    w += consonants[static_cast<size_t>(n % syllables / 5)];
    w += (accents ? accented : plain)[static_cast<size_t>(n % 5)];
  }
  return w;
}

std::string capitalised(std::string w) {
  if (w[0] >= 'a' && w[0] <= 'z') w[0] = static_cast<char>(w[0] - 'a' + 'A');
  return w;
}

int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

// Small numbers rather than large ones, roughly by Zipf's law.
int64_t draw_zipf(int64_t n, RandomSequence& draw) {
  return std::min(n - 1, static_cast<int64_t>(std::pow(static_cast<double>(n) + 1, draw.uniform())) - 1);
}

}  // namespace

std::string made_up_word(int64_t n) { return word(n); }

Language::Language(const Newsroom& newsroom)
    : newsroom_(newsroom),
      parts_(std::max<int64_t>(8, std::llround(std::ceil(std::sqrt(static_cast<double>(newsroom.graph().nodes())))))) {}

std::string Language::name_part(int64_t entity, int part) const {
  const auto number = static_cast<int64_t>(newsroom_.graph().number(entity));
  const int64_t p = part == 0 ? number % parts_ : number / parts_;
  if (part == 1 && p % 61 == 7) return "𠮷野";
  return capitalised(word(first_name + 2 * p + part, p % 16 == 3));
}

std::string Language::name(int64_t entity) const { return name_part(entity, 0) + " " + name_part(entity, 1); }

std::string Language::category(int topic) const {
  return topic < static_cast<int>(categories.size()) ? categories[static_cast<size_t>(topic)]
                                                     : "topic" + std::to_string(topic + 1);
}

std::string Language::subcategory(int topic, int subtopic) const {
  return category(topic) + "-" + word(first_topic_word + topic * topic_words + 3 * topic_words / 4 + subtopic);
}

std::string Language::topic_word(int topic, int subtopic, RandomSequence& draw) const {
  const int64_t shared = 3 * topic_words / 4, own = (topic_words - shared) / 4;
  const int64_t n = draw.uniform() < 0.75 ? draw_zipf(shared, draw) : shared + subtopic * own + draw_zipf(own, draw);
  return word(first_topic_word + topic * topic_words + n);
}

std::vector<std::pair<std::string, int>> Language::words() const {
  std::vector<std::pair<std::string, int>> out;
  for (const char* w : function_words) out.emplace_back(w, -1);
  // A made-up word may look like a real one.
  const auto add = [&](const std::string& w, int topic) {
    if (std::find(function_words.begin(), function_words.end(), w) == function_words.end()) out.emplace_back(w, topic);
  };
  for (int64_t n = 0; n < made_up_common; ++n) add(word(n), -1);
  const int64_t topics = newsroom_.options().graph.topics;
  for (int64_t n = 0; n < topics * topic_words; ++n) add(word(first_topic_word + n), static_cast<int>(n / topic_words));
  return out;
}

Text Language::write(const Article& article, bool title, int64_t words, RandomSequence& draw) const {
  // Words are numbered -1, mentions from 0; shuffled, they are the text.
  std::vector<int64_t> tokens(static_cast<size_t>(words), -1);
  for (size_t m = 0; m < article.mentions.size(); ++m)
    tokens.insert(tokens.end(),
                  static_cast<size_t>(title ? article.mentions[m].in_title : article.mentions[m].in_abstract),
                  static_cast<int64_t>(m));
  shuffle(tokens, draw);

  Text out;
  std::vector<bool> named(article.mentions.size());
  int64_t offset = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string token;
    if (tokens[i] < 0) {
      const double kind = draw.uniform();
      token = kind < 0.3   ? function_words[static_cast<size_t>(draw_zipf(function_words.size(), draw))]
              : kind < 0.5 ? word(draw_zipf(made_up_common, draw))
                           : topic_word(article.topic, article.subtopic, draw);
      if (title ? i == 0 : i % sentence_words == 0) token = capitalised(token);
    } else {
      const auto m = static_cast<size_t>(tokens[i]);
      // Named in full at first, later often by the last part only.
      const int64_t entity = article.mentions[m].entity;
      token = named[m] && draw.uniform() < 0.5 ? name_part(entity, 1) : name(entity);
      named[m] = true;
      out.occurrences.push_back({m, offset, token});
    }
    const bool sentence_ends = !title && ((i + 1) % sentence_words == 0 || i + 1 == tokens.size());
    if (sentence_ends) token += '.';
    if (i + 1 < tokens.size()) token += ' ';
    offset += code_points(token);
    out.text += token;
  }
  return out;
}

Text Language::title(int64_t number, const Article& article) const {
  RandomSequence draw(newsroom_.options().seed, "title", static_cast<uint64_t>(number));
  return write(article, true, 5 + static_cast<int64_t>(draw.below(5)), draw);
}

Text Language::abstract(int64_t number, const Article& article) const {
  RandomSequence draw(newsroom_.options().seed, "abstract", static_cast<uint64_t>(number));
  if (!article.has_abstract) return {};
  return write(article, false, 16 + static_cast<int64_t>(draw.below(24)), draw);
}

}  // namespace nd::newsroom
